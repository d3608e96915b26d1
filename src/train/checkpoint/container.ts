import { InputError, show } from '../../base/errors.ts';
import { halfOf, numberOf } from '../../base/half.ts';
import { isPlain, type Plain } from '../../base/plain.ts';
import { parseJson } from './json.ts';

/**
 * The safetensors format, independent of what the tensors and the metadata mean:
 *
 *   8 bytes: length of the header, little-endian · header: JSON, padded with spaces to a multiple of 8 bytes · data
 *   header: { name: { dtype, shape, data_offsets: [begin, end] }, …, __metadata__: { string: string } }
 */
export const METADATA = '__metadata__';

export type Shape = readonly [rows: number, columns: number];

/** A tensor to write. */
export interface NamedTensor {
  name: string;
  shape: Shape;
  values: Float64Array;
  dtype: Dtype;
}

interface Format {
  /** In bytes. */
  size: number;
  read(view: DataView, at: number): number;
  write(view: DataView, at: number, value: number): void;
}

const FORMATS = {
  F16: {
    size: 2,
    read: (view, at) => numberOf(view.getUint16(at, true)),
    write: (view, at, value) => view.setUint16(at, halfOf(value), true),
  },
  F32: {
    size: 4,
    read: (view, at) => view.getFloat32(at, true),
    write: (view, at, value) => view.setFloat32(at, value, true),
  },
  F64: {
    size: 8,
    read: (view, at) => view.getFloat64(at, true),
    write: (view, at, value) => view.setFloat64(at, value, true),
  },
} satisfies Record<string, Format>;
export type Dtype = keyof typeof FORMATS;

const isDtype = (given: unknown): given is Dtype =>
  typeof given === 'string' && Object.hasOwn(FORMATS, given);

/** Encodes a file. Returns it with `begin`, where the data starts, in bytes. */
export function writeContainer(
  metadata: Record<string, string>,
  tensors: readonly NamedTensor[],
): { file: Uint8Array; begin: number } {
  // Writing wider types first keeps every tensor aligned.
  const sorted = tensors.toSorted((a, b) => FORMATS[b.dtype].size - FORMATS[a.dtype].size);
  const header: Plain = { [METADATA]: metadata };
  let offset = 0;
  for (const { name, shape, values, dtype } of sorted) {
    const end = offset + values.length * FORMATS[dtype].size;
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const begin = 8 + Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(begin + offset).fill(0x20, 8, begin);
  file.set(text, 8);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(begin - 8), true);
  let at = begin;
  for (const { values, dtype } of sorted) {
    const { size, write } = FORMATS[dtype];
    for (const value of values) {
      write(view, at, value);
      at += size;
    }
  }
  return { file, begin };
}

/** Parses the header of a file. Also returns `begin`, where the data starts, in bytes. @throws InputError */
export function readHeader(file: Uint8Array): { header: Plain; begin: number } {
  if (file.length < 8) {
    throw new InputError(
      `a checkpoint must have at least 8 bytes, got ${file.length}. Is it the right file?`,
    );
  }
  const length = new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(file.length - 8)) {
    throw new InputError(
      `the header must have ${length} bytes, but only ${file.length - 8} follow. The file is truncated, or not a safetensors file.`,
    );
  }
  const begin = 8 + Number(length);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, begin));
  } catch {
    throw new InputError('the header must be UTF-8 text. The file is damaged, or not a safetensors file.');
  }
  const header = parseJson(text, 'the header');
  if (!isPlain(header)) throw new InputError(`the header must be a JSON object, got ${show(header)}.`);
  return { header, begin };
}

/** A tensor in the data; `begin` and `end` are byte offsets. */
export interface Entry {
  name: string;
  dtype: Dtype;
  begin: number;
  end: number;
}

/**
 * Checks the dtype, shape and offsets of a tensor in the header.
 * @param note appended to the message if the shape is wrong
 * @throws InputError naming the tensor
 */
export function readEntry(name: string, given: unknown, shape: Shape, note: string): Entry {
  if (!isPlain(given)) throw new InputError(`tensor "${name}" must be a JSON object, got ${show(given)}.`);
  const { dtype, shape: got, data_offsets: offsets } = given;
  if (!isDtype(dtype)) {
    throw new InputError(`tensor "${name}" must have dtype F16, F32 or F64, got ${show(dtype)}.`);
  }
  if (!Array.isArray(got) || got.length !== 2 || got[0] !== shape[0] || got[1] !== shape[1]) {
    throw new InputError(
      `tensor "${name}" must have shape [${shape.join(', ')}], as the configuration in the file says, got ${show(got)}.${note}`,
    );
  }
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin < 0) {
    throw new InputError(`tensor "${name}" must have two integer data_offsets, got ${show(offsets)}.`);
  }
  const size = shape[0] * shape[1] * FORMATS[dtype].size;
  if (end - begin !== size) {
    throw new InputError(`tensor "${name}" must have ${size} bytes of data, got ${end - begin}.`);
  }
  return { name, dtype, begin, end };
}

/** Checks that the tensors are contiguous and fill the data. @throws InputError */
export function checkLayout(entries: readonly Entry[], dataLength: number): void {
  let filled = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin)) {
    if (begin !== filled) {
      throw new InputError(
        `tensor "${name}" must start at byte ${filled} of the data, got ${begin}: tensors ${begin < filled ? 'overlap' : 'leave a gap'}.`,
      );
    }
    filled = end;
  }
  if (filled !== dataLength) {
    throw new InputError(
      `the tensors take ${filled} bytes of data, but the file has ${dataLength}. The file is ${filled > dataLength ? 'truncated' : 'damaged'}.`,
    );
  }
}

/** The values of a tensor whose entry and layout have been checked. @param start where the data starts, in bytes */
export function readValues(file: Uint8Array, start: number, { dtype, begin, end }: Entry): Float64Array {
  const { size, read } = FORMATS[dtype];
  const view = new DataView(file.buffer, file.byteOffset + start);
  const values = new Float64Array((end - begin) / size);
  for (let i = 0; i < values.length; i++) values[i] = read(view, begin + size * i);
  return values;
}
