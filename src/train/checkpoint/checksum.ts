import { crc32 } from '../../base/crc32.ts';
import { InputError, show } from '../../base/errors.ts';
import { type Span, spanOfString } from './json.ts';

/**
 * The checksum of a file is in its metadata: `__metadata__.checksum`, eight lowercase hexadecimal digits. It is the
 * CRC-32 of the whole file with `00000000` in place of the digits. The digits are found by scanning the header as JSON,
 * so any program may write the header in its own formatting.
 */
export const NO_CHECKSUM = '00000000';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** Where the digits of the checksum are in the file. @param begin where the data starts, in bytes */
function spanOfChecksum(file: Uint8Array, begin: number): Span {
  const found = spanOfString(file.subarray(8, begin), ['__metadata__', 'checksum']);
  if (!found) throw new Error('the header has no checksum, although its metadata was read: this is a bug.');
  return { begin: 8 + found.begin, end: 8 + found.end };
}

function checksumOf(file: Uint8Array, { begin, end }: Span): string {
  const before = crc32(file.subarray(0, begin));
  return hex(crc32(file.subarray(end), crc32(ascii(NO_CHECKSUM), before)));
}

/** Writes the checksum into a file that contains NO_CHECKSUM. @param begin where the data starts, in bytes */
export function writeChecksum(file: Uint8Array, begin: number): void {
  const span = spanOfChecksum(file, begin);
  file.set(ascii(checksumOf(file, span)), span.begin);
}

/**
 * Compares the checksum of a file with the stored one.
 * @param begin where the data starts, in bytes
 * @param stored the checksum in the metadata
 * @throws InputError if the file has changed since it was written
 */
export function verifyChecksum(file: Uint8Array, begin: number, stored: string): void {
  const sum = checksumOf(file, spanOfChecksum(file, begin));
  if (sum === stored) return;
  throw new InputError(
    `the file is damaged or was edited by hand: the stored checksum is ${show(stored)}, but that of its content is "${sum}". Use another copy, or an earlier checkpoint.`,
  );
}
