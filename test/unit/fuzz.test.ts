import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign, FIELDS, KEYS, makeConfig } from '../../src/base/config.ts';
import { InputError } from '../../src/base/errors.ts';
import { parseData } from '../../src/tasks/data-file.ts';
import { makeTask } from '../../src/tasks/registry.ts';
import { parseSource } from '../../src/tasks/task.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { PRESETS, preset } from '../../src/train/presets.ts';
import { startRun } from '../../src/train/run-state.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { readAddress, toAddress } from '../../src/web/settings/address.ts';
import { pushdown } from '../support/terminal.ts';

/**
 * Feeds arbitrary input to every parser: 2,000 inputs each, or as many as the environment variable PUSHDOWN_FUZZ says.
 * The result must be correct, or an error of one clear line. A failing test prints the seed and the smallest failing
 * input.
 */
const RUNS = { numRuns: Number(process.env['PUSHDOWN_FUZZ'] ?? 2000) };

/**
 * Returns the result of a parser, or undefined if it refuses with
 * an InputError of one meaningful line. Other errors are thrown.
 */
function resultOrRefusal<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message.length).toBeGreaterThan(8);
    expect(error.message.length).toBeLessThan(3000);
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    return undefined;
  }
}

/** Unusual strings: control characters, bidirectional controls, quotes, properties of prototypes, malformed numbers. */
const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e999',
    'NaN',
    '__proto__',
    'constructor',
    '\u202e',
    '\u0000',
    '"',
    '<b>',
    'ﷺ',
    '😀',
  ),
  fc.double().map(String),
  fc.integer().map(String),
);
const value = fc.oneof(
  { weight: 4, arbitrary: fc.double() },
  fc.integer(),
  odd,
  fc.boolean(),
  fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -0),
  fc.jsonValue({ maxDepth: 2 }),
);
/** Converts a value to text. Objects become JSON, because an object may have a toString that is not a function. */
const written = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value);
const key = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...KEYS) }, odd);

describe('configurations', () => {
  test('as JSON are valid, or refused in one line', () => {
    const group = (name: keyof typeof FIELDS) =>
      fc.dictionary(
        fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...Object.keys(FIELDS[name])) }, odd),
        value,
        {
          maxKeys: 4,
        },
      );
    const whole = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record(
          { task: group('task'), model: group('model'), train: group('train') },
          { requiredKeys: [] },
        ),
      },
      fc.anything(),
    );
    let accepted = 0;
    fc.assert(
      fc.property(whole, input => {
        const config = resultOrRefusal(() => makeConfig(input));
        if (!config) return;
        accepted++;
        // An accepted configuration is a fixed point, and is unchanged by JSON.
        expect(makeConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
      }),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(RUNS.numRuns / 200);
  });

  test('as --set are valid, or refused in one line', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.oneof(odd, value.map(written))), { maxLength: 3 }), pairs => {
        resultOrRefusal(() =>
          assign(
            preset('reverse'),
            pairs.map(([name, text]) => `${name}=${text}`),
          ),
        );
      }),
      RUNS,
    );
  });

  test('in combination define a model, or are refused in one line', () => {
    const set = fc.constantFrom(
      ...KEYS.filter(
        name => !/Length|symbols|steps|batch|hidden|width|embedding|projection|readout/.test(name),
      ),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...PRESETS),
        fc.array(
          fc.tuple(
            set,
            fc.oneof(
              fc.integer({ min: 0, max: 8 }).map(String),
              odd,
              fc.constantFrom('tanh', 'none', 'deque', 'gru', 'true', 'dyck', 'copy'),
            ),
          ),
          { maxLength: 2 },
        ),
        ({ config }, pairs) => {
          resultOrRefusal(() => {
            const { spec } = setup(
              assign(
                config,
                pairs.map(([name, text]) => `${name}=${text}`),
              ),
            );
            expect(spec.inputs + spec.outputs).toBeGreaterThan(1);
          });
        },
      ),
      RUNS,
    );
  }, 120_000);
});

/** Encodes text for an address. Lone surrogates become U+FFFD, because encodeURIComponent rejects them. */
const encoded = (text: string): string =>
  encodeURIComponent(new TextDecoder().decode(new TextEncoder().encode(text)));

test('addresses keep their configuration in a round trip, or are refused in one line', () => {
  const part = fc.oneof(
    fc
      .tuple(key, fc.oneof(odd, value.map(written)))
      .map(([name, text]) => `${encoded(name)}=${encoded(text)}`),
    fc.constantFrom(
      'v=1',
      'v=2',
      'preset=reverse',
      'preset=small/copy/queue',
      'engine=reference',
      'paused',
      'check=0',
      '%',
      '%zz',
      '=',
      '&&',
    ),
    odd,
  );
  const hash = fc.array(part, { maxLength: 5 }).map(parts => `#${parts.join('&')}`);
  fc.assert(
    fc.property(
      fc.oneof(
        hash,
        hash.map(text => `#v=1&${text.slice(1)}`),
      ),
      text => {
        const address = resultOrRefusal(() => readAddress(text));
        if (address) expect(readAddress(toAddress(address))?.config).toEqual(address.config);
      },
    ),
    // An example that once failed.
    { ...RUNS, examples: [['#v=1&task.longestTarget=1']] },
  );
}, 120_000);

describe('checkpoints', () => {
  const config = assign(preset('reverse'), ['hidden=2', 'width=1', 'symbols=1']);
  const state = initialState(setup(config).spec, config.train);
  const whole = encodeCheckpoint({ config, engine: 'gpu', state, run: startRun(config) });

  test('with bytes changed, cut or inserted: never decode to another model', () => {
    const change = fc.oneof(
      fc.tuple(fc.constant('set'), fc.nat(whole.length - 1), fc.nat(255)),
      fc.tuple(fc.constant('cut'), fc.nat(whole.length - 1), fc.nat(255)),
      fc.tuple(fc.constant('insert'), fc.nat(whole.length - 1), fc.nat(255)),
      // The length of the header.
      fc.tuple(fc.constant('set'), fc.nat(7), fc.nat(255)),
    );
    const good = decodeCheckpoint(whole);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
        let bytes = [...whole];
        for (const [kind, at, byte] of changes) {
          if (kind === 'set') bytes[at] = byte;
          else if (kind === 'cut') bytes = bytes.slice(0, at);
          else bytes.splice(at, 0, byte);
        }
        const decoded = resultOrRefusal(() => decodeCheckpoint(Uint8Array.from(bytes)));
        if (decoded) expect(decoded).toEqual(good);
      }),
      RUNS,
    );
  }, 120_000);

  test('with any header, including absurd sizes: allocate less than 64 MiB', () => {
    const begin = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, begin)));
    const entry = fc.record(
      {
        dtype: fc.constantFrom('F32', 'F64', 'F16', 'I64', 7),
        shape: fc.oneof(
          fc.array(fc.oneof(fc.nat(4), fc.constantFrom(2 ** 40, 1e300, -1, 0.5)), { maxLength: 3 }),
          value,
        ),
        data_offsets: fc.oneof(
          fc.array(fc.oneof(fc.nat(100), fc.constantFrom(2 ** 53, -1, 1e308)), { maxLength: 3 }),
          value,
        ),
      },
      { requiredKeys: [] },
    );
    const names = fc.oneof(fc.constantFrom(...Object.keys(header)), odd);
    const metadata = fc.tuple(
      fc.oneof(fc.constantFrom('version', 'step', 'config', 'run', 'checksum', 'engine'), odd),
      fc.oneof(fc.constantFrom('1', '{}', '[]', '{"curriculum":{"length":1e9}}'), odd),
    );
    let most = 0;
    fc.assert(
      fc.property(
        fc.dictionary(names, fc.oneof(entry, value), { maxKeys: 3 }),
        fc.array(metadata, { maxLength: 2 }),
        (changes, entries) => {
          const changed = structuredClone(header);
          // Version 1 had no checksum: with one, its mismatch would hide all other checks.
          changed.__metadata__.version = '1';
          for (const [name, text] of entries) changed.__metadata__[name] = text;
          for (const [name, replacement] of Object.entries(changes))
            Object.defineProperty(changed, name, {
              value: replacement,
              enumerable: true,
              configurable: true,
              writable: true,
            });
          const text = new TextEncoder().encode(JSON.stringify(changed));
          const bytes = new Uint8Array(8 + text.length + whole.length - begin);
          new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
          bytes.set(text, 8);
          bytes.set(whole.subarray(begin), 8 + text.length);
          const before = process.memoryUsage().arrayBuffers;
          resultOrRefusal(() => decodeCheckpoint(bytes));
          most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        },
      ),
      RUNS,
    );
    // The tensors of this file take a kilobyte; an allocation of a corrupted size could take gigabytes.
    expect(most).toBeLessThan(2 ** 26);
  }, 120_000);
});

describe('data', () => {
  const symbols = fc.oneof(
    fc.constantFrom('a', 'b', ' ', '\t', '\r', '\n', '\u2028', '\ufeff', '"', '{', '}', '[', ']', ',', ':'),
    odd,
  );
  const text = fc.array(symbols, { maxLength: 30 }).map(parts => parts.join(''));
  test.each(['pairs.tsv', 'pairs.jsonl'])(
    '%s is valid, or refused in one line',
    file => {
      const line = fc.oneof(
        fc
          .tuple(odd, odd)
          .map(([source, target]) =>
            file.endsWith('l') ? JSON.stringify({ source, target }) : `${source}\t${target}`,
          ),
        fc.record({ source: value, target: value }).map(pair => JSON.stringify(pair)),
        text,
      );
      fc.assert(
        fc.property(
          fc.array(line, { maxLength: 4 }),
          fc.boolean(),
          fc.constantFrom(0, 0.1, 0.5),
          (lines, characters, heldOut) => {
            const data = resultOrRefusal(() => parseData(lines.join('\n'), file, { characters, heldOut }));
            if (!data) return;
            for (const { source, target } of [...data.train, ...data.validation, ...data.test]) {
              expect(Math.min(source.length, target.length)).toBeGreaterThan(0);
              for (const symbol of source) expect(data.sourceSymbols[symbol]).toBeTypeOf('string');
              for (const symbol of target) expect(data.targetSymbols[symbol]).toBeTypeOf('string');
            }
          },
        ),
        RUNS,
      );
    },
    60_000,
  );

  test('sources as typed text are valid, or refused in one line', () => {
    const tasks = ['reverse', 'gender', 'dyck', 'modular-arithmetic'].map(name =>
      makeTask({ ...preset('reverse').task, name }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...tasks), fc.oneof(odd, text), (task, line) => {
        const source = resultOrRefusal(() => parseSource(task, line));
        if (source) for (const symbol of source) expect(task.symbolNames[symbol]).toBeTypeOf('string');
      }),
      RUNS,
    );
  });
});

test('the command memory answers operations as JSON, or refuses them in one line', async () => {
  const strength = fc.oneof({ weight: 8, arbitrary: fc.double({ min: 0, max: 2, noNaN: true }) }, value);
  const row = (of: fc.Arbitrary<unknown>) => fc.array(of, { maxLength: 3 });
  const end = fc.record(
    {
      push: row(row(strength)),
      pop: row(row(strength)),
      value: row(row(row(strength))),
      dRead: row(row(row(strength))),
    },
    { requiredKeys: [] },
  );
  const consistent = fc.integer({ min: 1, max: 3 }).chain(T =>
    fc.record({
      push: fc.array(fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: T, maxLength: T }), {
        minLength: 1,
        maxLength: 1,
      }),
      pop: fc.array(fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: T, maxLength: T }), {
        minLength: 1,
        maxLength: 1,
      }),
      value: fc.array(
        fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 2 }), {
          minLength: T,
          maxLength: T,
        }),
        { minLength: 1, maxLength: 1 },
      ),
    }),
  );
  const kind = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('stack', 'queue', 'deque') }, value);
  const whole = fc.oneof(
    fc
      .tuple(kind, consistent)
      .map(([kind, arrays]) =>
        JSON.stringify(
          kind === 'deque' ? { kind, top: arrays, bottom: arrays } : { kind, ...arrays, strengths: true },
        ),
      ),
    fc
      .tuple(kind, end, end)
      .map(([kind, top, bottom]) => JSON.stringify({ kind, ...(kind === 'deque' ? { top, bottom } : top) })),
    fc.json(),
    odd,
  );
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(whole, async text => {
      const { code, out, err } = await pushdown(['memory', '--engine', 'reference'], text);
      if (code === 0) {
        answered++;
        expect(Object.keys(JSON.parse(out)).length).toBeGreaterThan(2);
      } else {
        expect(code).toBe(2);
        expect(err).toMatch(/^pushdown: .{8,}\n$/);
      }
    }),
    RUNS,
  );
  expect(answered).toBeGreaterThan(RUNS.numRuns / 20);
}, 180_000);
