import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { crc32 } from '../../src/base/crc32.ts';
import { InputError } from '../../src/base/errors.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { emptySums } from '../../src/train/metrics.ts';
import { preset } from '../../src/train/presets.ts';
import { startRun } from '../../src/train/run-state.ts';
import { initialState, setup } from '../../src/train/setup.ts';

function make(sets: string[] = []): Checkpoint {
  const config = assign(preset('reverse'), ['hidden=3', 'width=2', 'symbols=2', ...sets]);
  const state = initialState(setup(config).spec, config.train);
  state.step = 17;
  const window = { ...emptySums(), steps: 3, loss: 0.1 };
  return {
    config,
    engine: 'gpu',
    state,
    run: {
      ...startRun(config),
      window,
      badStreak: 1,
      passes: 1,
      initialisedAt: 5,
      restarts: 2,
      seconds: 1.5,
    },
  };
}

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: number[] }> & {
  __metadata__: Record<string, string>;
};

function split(bytes: Uint8Array): { header: Header; data: Uint8Array } {
  const begin = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  return {
    header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, begin))),
    data: bytes.slice(begin),
  };
}

function join(header: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

test.each(['adam', 'rmsprop', 'sgd'])('round trip is exact: %s', optimiser => {
  const checkpoint = make([`optimiser=${optimiser}`, 'seed=9007199254740991']);
  checkpoint.state.parameters.get('b_o')![1] = -0;
  const decoded = decodeCheckpoint(encodeCheckpoint(checkpoint));
  expect(decoded).toEqual(checkpoint);
  expect([...decoded.state.parameters.keys()]).toEqual([...checkpoint.state.parameters.keys()]);
});

test('the choices that the engine made by measuring are stored; without choices there is no key for them', () => {
  const choices = { adapter: 'SwiftShader', 'step 8×256×4·128': '5 rows, 8 invocations' };
  const bytes = encodeCheckpoint({ ...make(), choices });
  expect(decodeCheckpoint(bytes)).toEqual({ ...make(), choices });
  expect(split(encodeCheckpoint(make())).header.__metadata__).not.toHaveProperty('choices');
  for (const bad of ['[]', '3', '{"a":1}', '{', 'null']) {
    const { header, data } = split(bytes);
    header.__metadata__.choices = bad;
    expect(() => decodeCheckpoint(join(header, data)), bad).toThrow(InputError);
    expect(() => decodeCheckpoint(join(header, data)), bad).toThrow(/choices/);
  }
});

test('moments missing from a file are read as zeros; numbers stored in 16 bits are rounded', () => {
  const whole = make();
  const { parameters } = whole.state;
  const weights = { ...whole, state: { ...whole.state, firstMoment: new Map(), secondMoment: new Map() } };
  const bytes = encodeCheckpoint(weights);
  const decoded = decodeCheckpoint(bytes);
  expect(decoded.state.parameters).toEqual(parameters);
  expect(decoded.state.secondMoment.get('W_d')).toEqual(new Float64Array(parameters.get('W_d')!.length));
  const half = encodeCheckpoint(weights, true);
  const numbers = [...parameters.values()].reduce((sum, values) => sum + values.length, 0);
  expect(split(half).data).toHaveLength(2 * numbers);
  for (const [name, values] of decodeCheckpoint(half).state.parameters) {
    values.forEach((value, i) => {
      const exact = parameters.get(name)![i];
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.max(Math.abs(exact) * 2 ** -11, 2 ** -25));
    });
  }
  parameters.get('b_d')![0] = 65_520;
  expect(() => encodeCheckpoint(weights, true)).toThrow('tensor "b_d" has values of ±65,520 or beyond');
  // A file with only some of the moments is refused.
  weights.state.secondMoment.set('W_d', new Float64Array(parameters.get('W_d')!.length));
  expect(() => encodeCheckpoint(weights)).toThrow('is missing');
});

test('tensors with values that need float64 are stored as F64, others as F32', () => {
  const checkpoint = make();
  checkpoint.state.parameters.get('W_d')![1] = 0.1;
  checkpoint.state.secondMoment.get('b_v')![0] = 1e-60;
  const bytes = encodeCheckpoint(checkpoint);
  const { header } = split(bytes);
  expect(decodeCheckpoint(bytes)).toEqual(checkpoint);
  expect([header.W_d.dtype, header.W_xh.dtype]).toEqual(['F64', 'F32']);
  expect(header.W_d.data_offsets[0] % 8).toBe(0);
});

test('the file is safetensors: aligned data, metadata of strings', () => {
  const bytes = encodeCheckpoint(make());
  const { header, data } = split(bytes);
  expect((bytes.length - data.length) % 8).toBe(0);
  expect(header.__metadata__).toMatchObject({ format: 'pushdown', version: '5', step: '17', seed: '0' });
  expect(Object.values(header.__metadata__).every(value => typeof value === 'string')).toBe(true);
  expect(header['optimiser.firstMoment.W_xh'].shape).toEqual([6, 3]);
});

test('a part of a larger buffer can be decoded', () => {
  const bytes = encodeCheckpoint(make());
  const larger = new Uint8Array(bytes.length + 13);
  larger.set(bytes, 5);
  expect(decodeCheckpoint(larger.subarray(5, 5 + bytes.length))).toEqual(make());
});

test('a checkpoint that no reader would accept is not written', () => {
  const broken = make();
  broken.state.parameters.get('W_xh')![2] = Number.NaN;
  expect(() => encodeCheckpoint(broken)).toThrow(
    'tensor "W_xh" must have finite values, got NaN at index 2.',
  );
  const short = make();
  short.state.firstMoment.clear();
  expect(() => encodeCheckpoint(short)).toThrow('tensor "optimiser.firstMoment.W_xh" is missing');
});

describe('a header from another program', () => {
  /**
   * The same checkpoint with its header written by `write`, and its checksum computed as docs/checkpoints.md describes.
   */
  const rewritten = (write: (header: Header) => string): Uint8Array => {
    const { header, data } = split(encodeCheckpoint(make()));
    header.__metadata__.checksum = 'CHECKSUM';
    const text = write(header);
    const sum = crc32(join(text.replace('CHECKSUM', '00000000'), data));
    return join(text.replace('CHECKSUM', sum.toString(16).padStart(8, '0')), data);
  };
  /** Changes the whitespace around colons and commas; strings stay the same. */
  const respaced = (json: string, colon: string, comma: string): string =>
    json.replace(/("(?:[^"\\]|\\.)*")|:|,/g, (found, text) => text ?? (found === ':' ? colon : comma));
  const reversed = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .toReversed()
            .map(([key, item]) => [key, reversed(item)]),
        )
      : value;
  const escaped = (json: string): string =>
    json.replace(/[f_k]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

  test.each<[string, (header: Header) => string]>([
    ['as pushdown writes it', header => JSON.stringify(header)],
    ["with the spaces of Python's json.dumps", header => respaced(JSON.stringify(header), ': ', ', ')],
    [
      'with spaces before colons, and line breaks',
      header => respaced(JSON.stringify(header), '\t:\r\n ', ' ,\n'),
    ],
    ['indented', header => JSON.stringify(header, null, 2)],
    ['with its keys in another order', header => JSON.stringify(reversed(header))],
    ['with escaped letters, also in keys', header => escaped(JSON.stringify(header))],
    [
      'whose strings quote a checksum',
      ({ __metadata__, ...tensors }) =>
        JSON.stringify({
          __metadata__: { ...__metadata__, note: 'the last is "checksum":"ffffffff"', '"checksum":': '"' },
          ...tensors,
        }),
    ],
    [
      'with characters of several bytes',
      ({ __metadata__, ...tensors }) =>
        JSON.stringify({ __metadata__: { note: 'ä€😀', ...__metadata__ }, ...tensors }),
    ],
    [
      'of version 4, with the former names of moments, of the projection and of fields of the run',
      ({ __metadata__, ...tensors }) => {
        const config = __metadata__.config.replace('"projection"', '"deeper"');
        const run = __metadata__.run.replace('"initialisedAt"', '"begun"').replace('"badStreak"', '"badRun"');
        const metadata = { ...__metadata__, version: '4', config, run };
        const former = JSON.stringify({ __metadata__: metadata, ...tensors })
          .replaceAll('optimiser.firstMoment', 'optimiser.mean')
          .replaceAll('optimiser.secondMoment', 'optimiser.square');
        expect(former).toMatch(/deeper.*badRun.*begun.*optimiser\.mean\.b_v.*optimiser\.square\.b_v/);
        return former;
      },
    ],
    [
      'with a duplicate key, of which the last counts',
      header => JSON.stringify(header).replace('"checksum"', '"checksum":"ffffffff","checksum"'),
    ],
  ])('reads a header %s', (_, write) => {
    const bytes = rewritten(write);
    expect(decodeCheckpoint(bytes)).toEqual(make());
    bytes[bytes.length - 3] ^= 1;
    expect(() => decodeCheckpoint(bytes)).toThrow(/damaged.*the stored checksum is/);
  });
});

/** Damages the header (and data) of a good file. */
const broken = (change: (header: Header, data: Uint8Array) => unknown): Uint8Array => {
  const { header, data } = split(encodeCheckpoint(make()));
  const changed = change(header, data);
  return changed instanceof Uint8Array ? changed : join(header, data);
};
const whole = encodeCheckpoint(make());

const FILES: [name: string, bytes: Uint8Array, message: RegExp][] = [
  ['empty', new Uint8Array(0), /at least 8 bytes, got 0/],
  ['truncated in the header', whole.subarray(0, 100), /only 92 follow/],
  [
    'truncated in the data',
    whole.subarray(0, -4),
    /bytes of data, but the file has \d+. The file is truncated/,
  ],
  [
    'extra bytes after the data',
    broken((header, data) => join(header, new Uint8Array(data.length + 4))),
    /damaged/,
  ],
  ['a header with the maximum length', new Uint8Array(16).fill(255), /must have 18446744073709551615 bytes/],
  ['an empty header', join('', new Uint8Array(0)), /the header must be JSON/],
  [
    'a header that is not UTF-8',
    broken((_, data) => join('{"', data).fill(255, 8)),
    /the header must be UTF-8/,
  ],
  [
    'a header that is not JSON',
    join('{"a":', new Uint8Array(0)),
    /the header must be JSON: .* The file is damaged/,
  ],
  [
    'a header that is not an object',
    join('[1]', new Uint8Array(0)),
    /the header must be a JSON object, got \[1\]/,
  ],
  ['a file of another program', join({}, new Uint8Array(0)), /no pushdown metadata/],
  [
    'a later version',
    broken(h => Object.assign(h.__metadata__, { version: '6' })),
    /version 1 or 2 or 3 or 4 or 5, got "6"/,
  ],
  ['no step', broken(h => Reflect.deleteProperty(h.__metadata__, 'step')), /"step" must be a string/],
  ['a negative step', broken(h => Object.assign(h.__metadata__, { step: '-1' })), /a whole number, got "-1"/],
  [
    'a bad configuration',
    broken(h => Object.assign(h.__metadata__, { config: '{"model":{"hidden":0}}' })),
    /hidden/,
  ],
  ['a bad run', broken(h => Object.assign(h.__metadata__, { run: '{"window":1}' })), /run.curriculum/],
  ['a missing tensor', broken(h => Reflect.deleteProperty(h, 'b_u')), /tensor "b_u" is missing/],
  [
    'an extra tensor',
    broken(h => Object.assign(h, { W_zz: h.b_u })),
    /"W_zz" is not one of the configured model/,
  ],
  [
    'a tensor that is not an object',
    broken(h => Object.assign(h, { b_u: 7 })),
    /"b_u" must be a JSON object, got 7/,
  ],
  [
    'an unknown precision',
    broken(h => Object.assign(h.b_u, { dtype: 'BF16' })),
    /dtype F16, F32 or F64, got "BF16"/,
  ],
  ['a wrong shape', broken(h => Object.assign(h.W_xh, { shape: [3, 4] })), /shape \[6, 3\].*got \[3,4\]/],
  ['a huge shape', broken(h => Object.assign(h.W_xh, { shape: [1e15, 1e15] })), /shape \[6, 3\]/],
  [
    'a deeply nested shape',
    broken(h =>
      join(JSON.stringify(h).replace('[4,3]', '['.repeat(1e5) + ']'.repeat(1e5)), new Uint8Array(0)),
    ),
    /./,
  ],
  [
    'offsets that are not two whole numbers',
    broken(h => Object.assign(h.b_u, { data_offsets: [0.5] })),
    /two integer data_offsets/,
  ],
  [
    'offsets of a wrong size',
    broken(h => Object.assign(h.b_u, { data_offsets: [0, 8] })),
    /4 bytes of data, got 8/,
  ],
  ['overlapping tensors', broken(h => Object.assign(h.b_u, { data_offsets: [0, 4] })), /overlap|hole/],
  [
    'a value that is NaN',
    broken((_, data) => void data.fill(255, 0, 4)),
    /finite values, got NaN at index 0/,
  ],
];

test.each(FILES)('a broken file is refused: %s', (_, bytes, message) => {
  expect(() => decodeCheckpoint(bytes)).toThrow(InputError);
  expect(() => decodeCheckpoint(bytes)).toThrow(message);
});

test('a changed byte up to the end of the header is an InputError (every third byte is tried)', () => {
  const header = Number(new DataView(whole.buffer, whole.byteOffset).getBigUint64(0, true));
  for (let at = 0; at < 8 + header; at += 3) {
    const bytes = whole.slice();
    bytes[at] ^= 1 + (at % 7);
    expect(() => decodeCheckpoint(bytes), `byte ${at}`).toThrow(InputError);
  }
});
