import { crc32 } from '../../base/crc32.ts';
import { InputError, show } from '../../base/errors.ts';
import { type Span, spanOfString } from './json.ts';

/**
 * The checksum of a file is in its metadata: `__metadata__.checksum`, eight lowercase hexadecimal digits. It is the CRC-32
 * of the whole file with `00000000` in place of the digits. The place of the digits is found by scanning the header as
 * JSON, so any program may write the header in its own formatting.
 */
export const NO_CHECKSUM = '00000000';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** The bytes of the checksum in the file. @param begin where the data starts, in bytes */
function placeOfChecksum(file: Uint8Array, begin: number): Span {
  const found = spanOfString(file.subarray(8, begin), ['__metadata__', 'checksum']);
  if (!found) throw new Error('the header has no checksum, although its metadata were read: this is a bug.');
  return { begin: 8 + found.begin, end: 8 + found.end };
}

function checksumOf(file: Uint8Array, { begin, end }: Span): string {
  const before = crc32(file.subarray(0, begin));
  return hex(crc32(file.subarray(end), crc32(ascii(NO_CHECKSUM), before)));
}

/** Writes the checksum into a file that contains NO_CHECKSUM. @param begin where the data starts, in bytes */
export function seal(file: Uint8Array, begin: number): void {
  const place = placeOfChecksum(file, begin);
  file.set(ascii(checksumOf(file, place)), place.begin);
}

/**
 * @param begin where the data starts, in bytes
 * @param written the checksum in the metadata
 * @throws InputError if the file has changed since it was written
 */
export function verifyChecksum(file: Uint8Array, begin: number, written: string): void {
  const sum = checksumOf(file, placeOfChecksum(file, begin));
  if (sum === written) return;
  throw new InputError(
    `the file is damaged or was edited by hand: its checksum is ${show(written)}, but its content has "${sum}". Use another copy, or an earlier checkpoint.`,
  );
}
