import { crc32 } from '../../base/crc32.ts';
import { InputError, show } from '../../base/errors.ts';
import { type Span, spanOfString } from './json.ts';

/**
 * The checksum of a file is one of its metadata: `__metadata__.checksum`, eight lowercase hexadecimal digits. It is the CRC-32 of
 * the whole file with `00000000` between the quotes of that string. Where they are is found by reading the header as
 * JSON, so that any program may write it, in its own way.
 */
export const NO_CHECKSUM = '00000000';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** In the file. @param begin of the data */
function placeOfChecksum(file: Uint8Array, begin: number): Span {
  const found = spanOfString(file.subarray(8, begin), ['__metadata__', 'checksum']);
  if (!found) throw new Error('the header has no checksum: this is a bug, for its metadata were read.');
  return { begin: 8 + found.begin, end: 8 + found.end };
}

function checksumOf(file: Uint8Array, { begin, end }: Span): string {
  const before = crc32(file.subarray(0, begin));
  return hex(crc32(file.subarray(end), crc32(ascii(NO_CHECKSUM), before)));
}

/** Writes the checksum into a file that has NO_CHECKSUM. @param begin of the data */
export function seal(file: Uint8Array, begin: number): void {
  const place = placeOfChecksum(file, begin);
  file.set(ascii(checksumOf(file, place)), place.begin);
}

/**
 * @param begin of the data
 * @param written the checksum that the metadata have
 * @throws InputError where the file is not as it was written
 */
export function verifyChecksum(file: Uint8Array, begin: number, written: string): void {
  const sum = checksumOf(file, placeOfChecksum(file, begin));
  if (sum === written) return;
  throw new InputError(
    `the file is damaged, or was changed by hand: its checksum must be ${show(written)}, but its content has "${sum}".`,
  );
}
