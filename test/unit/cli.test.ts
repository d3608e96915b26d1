import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { show } from '../../src/base/errors.ts';
import { claimFolder } from '../../src/cli/claim.ts';
import { parseLengths } from '../../src/cli/commands/eval.ts';
import { readAll, readLines } from '../../src/cli/input.ts';
import { type Drain, Sink } from '../../src/cli/output.ts';
import { run } from '../../src/cli/run.ts';
import { jsonLines, pushdown } from '../support/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'pushdown-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The smallest run there is. */
const TINY = [
  '--engine',
  'reference',
  '--set',
  'hidden=4',
  '--set',
  'width=2',
  '--set',
  'minLength=1',
  '--set',
  'maxLength=3',
];
const TINY_FAST = [...TINY, '--set', 'batch=4', '--set', 'reportEvery=1'];
const trained = join(folder, 'trained');
const checkpoint = join(trained, 'checkpoint.safetensors');
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

beforeAll(async () => {
  const { code, err } = await pushdown(['train', 'reverse', ...TINY_FAST, '--steps', '2', '--out', trained]);
  expect(err).toBe('');
  expect(code).toBe(0);
});

describe('wrong input: one line that names it, code 2', () => {
  const operations = {
    kind: 'stack',
    push: [[0.8, 0.5, 0.9]],
    pop: [[0, 0.1, 0.9]],
    value: [[[1], [2], [3]]],
  };
  /** One step at one end of a deque. */
  const END = { push: [[1]], pop: [[0]], value: [[[1]]] };
  const NO_END = { push: undefined, pop: undefined, value: undefined };
  const operationsNested = `{"kind":"stack","push":${'['.repeat(9000)}${']'.repeat(9000)},"pop":[],"value":[[[1]]]}`;
  const memory = (change: object) => ({
    argv: ['memory', '--engine', 'reference'],
    stdin: JSON.stringify({ ...operations, ...change }),
  });
  const text = (stdin: string) => ({ argv: ['memory', '--engine', 'reference'], stdin });
  const train = (...argv: string[]) => ({
    argv: ['train', 'reverse', '--engine', 'reference', ...argv],
    stdin: '',
  });
  const plain = (...argv: string[]) => ({ argv, stdin: '' });

  const table: [string, { argv: string[]; stdin: string }, RegExp][] = [
    ['command', plain('memroy'), /unknown command "memroy"\. Did you mean "memory"\?/],
    ['option', train('--stpes', '3'), /unknown option "--stpes"\. Did you mean "--steps"\?/],
    ['option value', train('--out'), /--out needs a value/],
    ['value that is none', train('--seed', '-1'), /--seed needs a value.*--seed=<n>/],
    ['flag with a value', plain('presets', '--json=3'), /'--json' does not take an argument/],
    [
      'operand too many',
      plain('presets', 'paper', 'reverse'),
      /presets does not know what to do with "reverse"/,
    ],
    ['operand missing', plain('eval'), /eval needs <checkpoint>\. Usage: pushdown eval/],
    ['no preset', plain('train'), /train needs a preset \(reverse,/],
    ['preset of a group', plain('train', 'small/revers/stack'), /Did you mean "small\/reverse\/stack"\?/],
    [
      'preset like none',
      plain('train', 'x'),
      /unknown preset "x"\. Known: reverse, .*, small\/<task>\/<model>/,
    ],
    ['group of presets', plain('presets', 'papr'), /there are no presets "papr"\. Did you mean "paper"\?/],
    ['plan', train('--plan', 'fusd'), /unknown plan "fusd"\. Did you mean "fused"\?/],
    ['seeds', train('--seeds', 'ten'), /--seeds takes how many, or from and to .* got "ten"/],
    ['seeds backwards', train('--seeds', '9-0'), /the range "9-0" goes backwards, write 0-9/],
    ['no seeds', train('--seeds', '0'), /--seeds must be at least 1, got 0/],
    ['too many seeds', train('--seeds', '1e9'), /--seeds takes/],
    ['very many seeds', train('--seeds', '1000000'), /--seeds must be at most 10000 seeds/],
    [
      'seed and seeds',
      train('--seeds', '3', '--seed', '3'),
      /--seeds says which seeds already: leave out --seed/,
    ],
    [
      'seeds of a checkpoint',
      train('--seeds', '3', '--resume'),
      /--seeds goes on with .*: leave out --resume/,
    ],
    ['table', plain('table', 'papre'), /unknown table "papre"\. Did you mean "paper"\?/],
    [
      'table scale',
      plain('table', 'paper', '--scale', 'smal'),
      /unknown scale "smal"\. Did you mean "small"\?/,
    ],
    [
      'table shard',
      plain('table', 'paper', '--shard', '9/8'),
      /--shard takes i\/n with i from 1 to n.*got "9\/8"/,
    ],
    [
      'table cell',
      plain('table', 'paper', '--only', 'reverse/stak'),
      /got "reverse\/stak"\. Did you mean "reverse\/stack"/,
    ],
    ['table task', plain('table', 'paper', '--only', 'copi'), /a task, a model or .* Did you mean "copy"/],
    ['preset', plain('train', 'revrese'), /unknown preset "revrese"\. Did you mean "reverse"\?/],
    ['engine', plain('train', 'reverse', '--engine', 'gpuu'), /unknown engine "gpuu"\. Did you mean "gpu"\?/],
    ['key', train('--set', 'model.hiden=3'), /"model\.hiden"\. Did you mean "model\.hidden"\?/],
    ['set without value', train('--set', 'hidden'), /--set takes key=value/],
    ['size absurdly large', train('--set', 'hidden=1e9'), /model\.hidden must be .* got 1000000000/],
    ['size 0', train('--set', 'batch=0'), /train\.batch must be a whole number from 1 to 65536, got 0/],
    ['size not a number', train('--set', 'width=wide'), /model\.width must be a whole number/],
    ['steps', train('--steps', '1e99'), /--steps must be a whole number from 0 to .*got "1e99"/],
    ['seed', train('--seed=-1'), /--seed must be a whole number from 0/],
    ['size infinite', train('--set', 'rate=1e400'), /train\.rate must be .*, got "1e400"/],
    ['long word', plain('x'.repeat(1e5)), /^.{0,300}$/m],
    ['several lines', plain('a\nb\x1b[31m\u2028'), /unknown command "a\\nb\\u001b\[31m\\u2028"/],
    ['seed fraction', train('--seed', '1.5'), /--seed must be a whole number/],
    ['resume without', train('--resume', join(folder, 'none')), /cannot read the checkpoint .*no such file/],
    ['config not there', plain('train', join(folder, 'none.json')), /cannot read the configuration/],

    ['memory: nothing', text(''), /stdin is empty/],
    ['memory: no JSON', text('{'), /stdin is not JSON/],
    ['memory: no JSON, lines', text('{"a":\n\nb\x1b}'), /stdin is not JSON/],
    ['memory: nested', text(operationsNested), /push\[0\]\[0\] must be a number, got \[\[\[/],
    [
      'memory: sizes that no input has',
      memory({ push: Array(1e5).fill([1]), pop: Array(1e5).fill([1]), value: [[Array(1e5).fill(0)]] }),
      /value must have 100000 entries/,
    ],
    ['memory: no object', text('[1]'), /expected a JSON object .* got \[1\]/],
    ['memory: missing key', memory({ pop: undefined }), /the key "pop" is missing/],
    ['memory: unknown key', memory({ vale: 1 }), /unknown key "vale"\. Did you mean "value"\?/],
    [
      'memory: unknown kind',
      memory({ kind: 'stak' }),
      /unknown kind of memory "stak"\. Did you mean "stack"/,
    ],
    ['memory: kind a number', memory({ kind: 3 }), /unknown kind of memory "3"/],
    ['memory: B = 0', memory({ push: [] }), /push is empty/],
    ['memory: T = 0', memory({ push: [[]] }), /push\[0\] is empty/],
    ['memory: M = 0', memory({ value: [[[], [], []]] }), /value\[0\]\[0\] is empty/],
    ['memory: not an array', memory({ push: 3 }), /push must be an array, got 3/],
    ['memory: row not an array', memory({ value: [[1, 2, 3]] }), /value\[0\]\[0\] must be an array, got 1/],
    ['memory: ragged', memory({ pop: [[0, 0.1]] }), /pop\[0\] must have 3 entries, .* got 2/],
    [
      'memory: ragged value',
      memory({ value: [[[1], [2, 3], [3]]] }),
      /value\[0\]\[1\] must have 1 entries.*got 2/,
    ],
    ['memory: not a number', memory({ push: [[1, '2', 3]] }), /push\[0\]\[1\] must be a number, got "2"/],
    ['memory: null', memory({ push: [[1, null, 3]] }), /push\[0\]\[1\] must be a number, got null/],
    [
      'memory: negative',
      memory({ pop: [[0, 0, -0.5]] }),
      /pop\[0\]\[2\] is a strength, at least 0, got -0\.5/,
    ],
    [
      'memory: infinite',
      text(JSON.stringify(operations).replace('0.8', '1e999')),
      /push\[0\]\[0\] must be finite/,
    ],
    [
      'memory: beyond float32',
      memory({ value: [[[1e39], [2], [3]]] }),
      /value\[0\]\[0\]\[0\] must be finite/,
    ],
    ['memory: dRead', memory({ dRead: [[[1], [2]]] }), /dRead\[0\] must have 3 entries.*got 2/],
    ['memory: flag', memory({ strengths: 1 }), /strengths must be true or false, got 1/],
    [
      'memory: strengths',
      memory({
        strengths: true,
        push: [Array(5000).fill(1)],
        pop: [Array(5000).fill(0)],
        value: [Array(5000).fill([1])],
      }),
      /the strengths of all rows after each of 5000 steps are 12502500 numbers, and at most/,
    ],
    [
      'train: parameters',
      {
        argv: 'train reverse --engine reference --set hidden=4096 --set layers=8 --set controller=lstm'.split(
          ' ',
        ),
        stdin: '',
      },
      /this model has \d+ parameters, and at most 134217728 can be trained: make model\.hidden smaller/,
    ],
    [
      'memory: deque with one end',
      memory({ kind: 'deque', top: END, ...NO_END }),
      /a deque has two ends, but "bottom" is missing: give it as "top" is/,
    ],
    ['memory: deque of none', memory({ kind: 'deque', ...NO_END }), /"top" is missing/],
    ['memory: deque like a stack', memory({ kind: 'deque' }), /"push" belongs into "top" and into "bottom"/],
    [
      'memory: deque, one gradient',
      memory({ kind: 'deque', ...NO_END, top: { ...END, dRead: END.value }, bottom: END }),
      /"top\.dRead" is there, but "bottom\.dRead" is missing/,
    ],
    [
      'memory: deque, end incomplete',
      memory({ kind: 'deque', ...NO_END, top: END, bottom: { push: END.push } }),
      /the key "bottom\.pop" is missing/,
    ],
    [
      'memory: deque, unknown key',
      memory({ kind: 'deque', ...NO_END, top: { ...END, vale: 1 }, bottom: END }),
      /unknown key "top\.vale"\. Did you mean "top\.value"\?/,
    ],
    [
      'memory: deque, ends of two sizes',
      memory({ kind: 'deque', ...NO_END, top: END, bottom: { ...END, pop: [[1, 2]] } }),
      /bottom\.pop\[0\] must have 1 entries.*got 2/,
    ],
    [
      'memory: deque, end no object',
      memory({ kind: 'deque', ...NO_END, top: END, bottom: [] }),
      /bottom must be an object with push, pop and value, got \[\]/,
    ],
    ['memory: stack with ends', memory({ top: END }), /unknown key "top"/],
    [
      'memory: overflow',
      memory({ value: [[[1e30], [1e30], [1e30]]], dRead: [[[1e30], [1e30], [1e30]]] }),
      /dPush\[0\]\[0\] overflows float32/,
    ],
  ];
  test.each(table)('%s', async (_, { argv, stdin }, message) => {
    const { code, out, err } = await pushdown(argv, stdin);
    expect(err).toMatch(message);
    expect(err).toMatch(/^pushdown: [^\n]+\n$/);
    expect(out).toBe('');
    expect(code).toBe(2);
  });

  test('lengths, symbols and settings of a checkpoint', async () => {
    const wrong = async (argv: string[], message: RegExp, stdin = '') => {
      const { code, err } = await pushdown(argv, stdin);
      expect(err).toMatch(message);
      expect(err).not.toMatch(/\n {4}at /);
      expect(code).toBe(2);
    };
    const cpu = ['--engine', 'reference'];
    await wrong(['eval', checkpoint, '--lengths', '3-1', ...cpu], /goes backwards, write 1-3/);
    await wrong(['eval', checkpoint, '--lengths', '0-3', ...cpu], /must lie between 1 and 100000/);
    await wrong(['eval', checkpoint, '--lengths', '1,,2', ...cpu], /for example 1-64 or 1,2,4, got ""/);
    await wrong(['eval', checkpoint, '--sequences', '0', ...cpu], /--sequences must be/);
    await wrong(
      ['eval', checkpoint, '--sequences', '1000000', '--lengths', '1,100', ...cpu],
      /--sequences must be at most 300000 at length 100, got 1000000/,
    );
    await wrong(['trace', checkpoint, 'a ? b', ...cpu], /unknown symbol "\?" at place 2/);
    await wrong(['predict', checkpoint, ...cpu], /line 2: unknown symbol "x"/, 'a b\nx y\n');
    const resume = ['train', '--resume', trained, ...cpu];
    await wrong([...resume, '--seed', '3'], /cannot change train\.seed \(0 in the checkpoint, 3 asked/);
    await wrong(
      [...resume, '--set', 'hidden=5'],
      /cannot change model\.hidden \(4 in the checkpoint, 5 asked/,
    );
    await wrong(
      [...resume, '--set', 'optimiser=sgd'],
      /checkpoint\.safetensors: a checkpoint cannot change train\.optimiser \("adam" in .*, "sgd" asked for\)/,
    );
    await wrong(
      ['train', 'reverse', ...cpu, '--out', trained],
      /is there already: go on with it by --resume/,
    );
    await wrong(['train', 'tutorial-part6', ...cpu, '--resume', trained], /is not of tutorial-part6/);
  });

  test('an output folder that cannot be written, before anything is trained', async () => {
    const blocked = join(file('a-file', ''), 'folder');
    const { code, err, out } = await pushdown(['train', 'reverse', ...TINY, '--out', blocked]);
    expect(err).toMatch(/^pushdown: cannot write to the output folder .*\n$/);
    expect([code, out]).toEqual([2, '']);
  });

  test('broken checkpoints', async () => {
    const good = readFileSync(checkpoint);
    const long = Buffer.from(good);
    long.writeBigUInt64LE(2n ** 62n);
    const foreign = Buffer.from('\x02\0\0\0\0\0\0\0{}', 'latin1');
    const broken = {
      empty: Buffer.alloc(0),
      noise: Buffer.from('this is no checkpoint at all'),
      cut: good.subarray(0, good.length - 10),
      header: good.subarray(0, 100),
      long,
      foreign,
    };
    for (const [name, bytes] of Object.entries(broken)) {
      const path = file(`${name}.safetensors`, bytes);
      for (const command of ['eval', 'trace', 'predict']) {
        const { code, err } = await pushdown([command, path, '--engine', 'reference']);
        expect(err).toMatch(new RegExp(`^pushdown: .*${name}\\.safetensors is not a checkpoint.*\\n$`));
        expect(code).toBe(2);
      }
    }
  });

  test('a configuration that is not JSON, or has wrong keys, is named with its file', async () => {
    const noJson = await pushdown(['train', file('bad.json', '{'), '--engine', 'reference']);
    expect(noJson.err).toMatch(/bad\.json is not JSON/);
    const wrongKey = await pushdown([
      'train',
      file('key.json', '{"model":{"hiden":3}}'),
      '--engine',
      'reference',
    ]);
    expect(wrongKey.err).toMatch(/key\.json: unknown configuration key "model\.hiden"/);
    expect([noJson.code, wrongKey.code]).toEqual([2, 2]);
    const nested = `{"model":${'['.repeat(9000)}${']'.repeat(9000)}}`;
    const deep = await pushdown(['train', file('deep.json', nested), '--engine', 'reference']);
    expect(deep.err).toMatch(/^pushdown: .*deep\.json: model must be a JSON object, got \[\[\[.*…\.\n$/);
    expect(deep.code).toBe(2);
  });

  test.skipIf(process.platform === 'win32')('what is no file is not read', async () => {
    const zero = join(folder, 'zero.json');
    symlinkSync('/dev/zero', zero);
    for (const argv of [
      ['eval', '/dev/zero'],
      ['train', '--resume', '/dev/zero'],
      ['train', zero],
    ]) {
      const { code, err } = await pushdown([...argv, '--engine', 'reference']);
      expect(err).toMatch(/^pushdown: cannot read .*: it is not a regular file\.\n$/);
      expect(code).toBe(2);
    }
  });
});

describe('memory', () => {
  test("the paper's figure 1a with gradients, printed in the fewest digits", async () => {
    const operations = {
      kind: 'stack',
      push: [[0.8, 0.5, 0.9]],
      pop: [[0, 0.1, 0.9]],
      value: [[[1], [2], [3]]],
      dRead: [[[1], [2], [3]]],
      strengths: true,
    };
    const { code, out, err } = await pushdown(
      ['memory', '--engine', 'reference'],
      JSON.stringify(operations),
    );
    expect([code, err]).toEqual([0, '']);
    const answer = JSON.parse(out);
    expect(answer.engine).toBe('reference');
    expect(answer.read).toEqual([[[0.8], [1.5], [2.8]]]);
    expect(answer.dPush).toEqual([[1, 2, 6]]);
    expect(answer.dPop).toEqual([[0, 0, 0]]);
    for (const [t, expected] of [2.1, 1, 2.7].entries())
      expect(answer.dValue[0][t][0]).toBeCloseTo(expected, 6);
    expect(answer.strengths[0].map((rows: number[]) => rows.length)).toEqual([1, 2, 3]);
    expect(answer.strengths[0][2][1]).toBe(0);
  });

  test('a queue reads and pops from the front', async () => {
    const operations = { kind: 'queue', push: [[1, 1]], pop: [[0, 1]], value: [[[5], [7]]], strengths: true };
    const { out } = await pushdown(['memory', '--engine', 'reference'], JSON.stringify(operations));
    expect(JSON.parse(out)).toMatchObject({ read: [[[5], [7]]], strengths: [[[1], [0, 1]]] });
  });

  test('a deque answers for each end; with its bottom silent the top is a stack', async () => {
    const top = {
      push: [[0.8, 0.5, 0.9]],
      pop: [[0, 0.1, 0.9]],
      value: [[[1], [2], [3]]],
      dRead: [[[1], [2], [3]]],
    };
    const silent = [[0, 0, 0]];
    const bottom = { push: silent, pop: silent, value: [[[9], [9], [9]]], dRead: [[[0], [0], [0]]] };
    const { code, out, err } = await pushdown(
      ['memory', '--engine', 'reference'],
      JSON.stringify({ kind: 'deque', top, bottom, strengths: true }),
    );
    expect([code, err]).toEqual([0, '']);
    const answer = JSON.parse(out);
    expect(Object.keys(answer)).toEqual(['engine', 'adapter', 'top', 'bottom', 'strengths']);
    expect(answer.top).toMatchObject({ read: [[[0.8], [1.5], [2.8]]], dPush: [[1, 2, 6]], dPop: silent });
    expect(Object.keys(answer.bottom)).toEqual(['read', 'dPush', 'dPop', 'dValue']);
    expect(answer.bottom.dValue).toEqual([[[0], [0], [0]]]);
    // From bottom to top: the silent end's rows first.
    expect(answer.strengths[0].map((rows: number[]) => rows.length)).toEqual([2, 4, 6]);
    expect(answer.strengths[0][1]).toEqual([0, 0, 0.7, 0.5]);
  });

  test('gradients and strengths only when asked for', async () => {
    const operations = { kind: 'stack', push: [[1]], pop: [[0]], value: [[[5, -6]]] };
    const { out } = await pushdown(['memory', '--engine', 'reference'], JSON.stringify(operations));
    expect(Object.keys(JSON.parse(out))).toEqual(['engine', 'adapter', 'read']);
    expect(JSON.parse(out).read).toEqual([[[5, -6]]]);
  });
});

describe('train', () => {
  test('writes checkpoint, configuration and log; --json ends with the result', async () => {
    const out = join(folder, 'json');
    const argv = ['train', 'reverse', ...TINY_FAST, '--steps', '3', '--out', out, '--json', '--seed', '7'];
    const made = await pushdown(argv);
    expect(made.code).toBe(0);
    const lines = jsonLines(made.out);
    expect(lines.map(({ kind }) => kind)).toEqual([
      'start',
      'progress',
      'progress',
      'progress',
      'evaluation',
      'result',
    ]);
    expect(lines.at(-1)).toMatchObject({ ending: 'done', step: 3 });
    expect(lines.at(-1).evaluations.map(({ length }: { length: number }) => length)).toEqual([3, 6]);
    expect(made.err).toMatch(/^engine reference · float64 reference/);
    expect(readdirSync(out).sort()).toEqual([
      'checkpoint.safetensors',
      'config.json',
      'earlier',
      'log.jsonl',
    ]);
    expect(jsonLines(readFileSync(join(out, 'log.jsonl'), 'utf8'))).toEqual(lines);
    // The configuration that was written gives the same run.
    const again = await pushdown([
      ...['train', join(out, 'config.json'), '--engine', 'reference'],
      ...['--out', join(folder, 'again'), '--json'],
    ]);
    const results = [made.out, again.out].map(text => jsonLines(text).at(-1).evaluations);
    expect(results[1]).toEqual(results[0]);
  });

  test('Ctrl-C saves, and --resume ends up where an unbroken run does', async () => {
    const argv = ['train', 'reverse', ...TINY_FAST, '--json'];
    const whole = join(folder, 'whole');
    await pushdown([...argv, '--steps', '12', '--out', whole]);
    const parts = join(folder, 'parts');
    const stopped = await pushdown([...argv, '--steps', '12', '--out', parts], '', 4);
    expect(stopped.code).toBe(130);
    const { ending, step } = jsonLines(stopped.out).at(-1);
    expect(ending).toBe('stopped');
    expect(step).toBeLessThan(12);
    expect(stopped.err).toMatch(/go on with: pushdown train --resume/);
    const rest = await pushdown(['train', '--resume', parts, '--engine', 'reference', '--json']);
    expect(rest.code).toBe(0);
    const [a, b] = [whole, parts].map(path =>
      jsonLines(readFileSync(join(path, 'log.jsonl'), 'utf8')).at(-1),
    );
    expect(b.step).toBe(12);
    expect(b.evaluations).toEqual(a.evaluations);
  });

  test('--resume with the --set options that it began with', async () => {
    const out = join(folder, 'sets');
    const argv = ['train', 'reverse', ...TINY_FAST, '--out', out];
    await pushdown([...argv, '--steps', '1']);
    const { code, err } = await pushdown([...argv, '--steps', '2', '--resume']);
    expect([code, err]).toEqual([0, '']);
    const without = await pushdown(['train', 'reverse', '--engine', 'reference', '--resume', out]);
    expect(without.err).toMatch(/is not of reverse: it differs in task\.minLength \(1 in .*, 4 asked for\)/);
  });

  test('one run a folder; what killed runs left there is cleared away', async () => {
    const out = join(folder, 'claimed');
    mkdirSync(out);
    const argv = ['train', 'reverse', ...TINY_FAST, '--steps', '1', '--out', out];
    const claim = await claimFolder(out);
    if ('by' in claim) throw new Error('not ours');
    const file = join(out, 'claim');
    const ours = readFileSync(file, 'utf8');
    const refused = await pushdown(argv);
    expect(refused.err).toMatch(
      new RegExp(`^pushdown: another run \\(process ${process.pid} on .*\\) writes to .*\n$`),
    );
    expect([refused.code, readdirSync(out)]).toEqual([2, ['claim']]);
    await claim.release();
    // Of another container, its process id says nothing: a sign of life as fresh as this one does.
    writeFileSync(
      file,
      ours.replace(/"machine":"[^"]*"/, '"machine":"another"').replace(/"pid":\d+/, '"pid":99999999'),
    );
    expect((await pushdown(argv)).err).toMatch(/another run \(process 99999999 on .*\) writes to/);
    // Beyond the greatest process id there is; and this process's own, as every run in a container has.
    for (const dead of [99_999_999, process.pid]) {
      rmSync(join(out, 'checkpoint.safetensors'), { force: true });
      writeFileSync(file, ours.replace(/"pid":\d+/, `"pid":${dead}`));
      writeFileSync(join(out, `.checkpoint.safetensors.${dead}.tmp`), 'half');
      writeFileSync(join(out, `.checkpoint.safetensors.${dead}.00c0ffee.tmp`), 'half');
      writeFileSync(join(out, '.other.99999999.tmp'), '');
      const { code, err } = await pushdown(argv);
      expect([code, err]).toEqual([0, '']);
      const left = readdirSync(out).filter(name => /tmp|claim/.test(name));
      expect(left).toEqual(['.other.99999999.tmp']);
    }
  });

  test('of two at once in a folder, one is refused', async () => {
    const argv = ['train', 'reverse', ...TINY_FAST, '--steps', '3', '--out', join(folder, 'two')];
    const runs = await Promise.all([pushdown(argv), pushdown(argv)]);
    expect(runs.map(({ code }) => code).sort()).toEqual([0, 2]);
    expect(runs.map(({ err }) => err).join('')).toMatch(/^pushdown: another run .*\n$/);
  });

  test("the user's own configuration stays as it is", async () => {
    const out = join(folder, 'own');
    mkdirSync(out);
    const text = '{"model":{"hidden":4},"task":{"minLength":1,"maxLength":3}}';
    writeFileSync(join(out, 'config.json'), text);
    const { code } = await pushdown([
      'train',
      join(out, 'config.json'),
      '--out',
      out,
      ...TINY_FAST,
      '--steps',
      '1',
    ]);
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      'checkpoint.safetensors',
      'config.json',
      'earlier',
      'log.jsonl',
    ]);
    expect(readFileSync(join(out, 'config.json'), 'utf8')).toBe(text);
  });

  test('--steps makes a finished run go on', async () => {
    const out = join(folder, 'more');
    await pushdown(['train', 'reverse', ...TINY_FAST, '--steps', '1', '--out', out]);
    const over = await pushdown(['train', '--resume', out, '--engine', 'reference']);
    expect(over.out).toMatch(/nothing left to do, --steps <n> makes it go on/);
    const more = await pushdown(['train', '--resume', out, '--engine', 'reference', '--steps', '2']);
    expect(more.out).toMatch(/resumed at step 1 of 2[\s\S]*all steps done at step 2/);
  });

  test('in the default folder, an earlier run is kept under a number', async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      const argv = ['train', 'reverse', ...TINY_FAST, '--steps', '1'];
      await pushdown(argv);
      const { out } = await pushdown(argv);
      expect(out).toMatch(/kept as .*checkpoint\.1\.safetensors/);
      for (const name of ['checkpoint.safetensors', 'config.1.json', 'log.1.jsonl', 'log.jsonl']) {
        expect(existsSync(join(folder, 'runs', 'reverse-seed0', name))).toBe(true);
      }
    } finally {
      process.chdir(before);
    }
  });
});

describe('a trained model', () => {
  const cpu = ['--engine', 'reference'];

  test('eval: a row per length; a folder names its checkpoint', async () => {
    const { code, out, err } = await pushdown(['eval', trained, '--lengths', '1-3,8', ...cpu]);
    expect(code).toBe(0);
    expect(err).toMatch(/^engine reference/);
    const rows = out.trim().split('\n').slice(2);
    expect(rows.map(row => Number(row.trim().split(/\s+/)[0]))).toEqual([1, 2, 3, 8]);
  });

  test('eval --plot: an SVG of what was measured', async () => {
    const path = join(folder, 'accuracy.svg');
    const { code } = await pushdown(['eval', trained, '--lengths', '1-4', '--plot', path, ...cpu]);
    const svg = readFileSync(path, 'utf8');
    expect(code).toBe(0);
    expect(svg).toContain('<title>reverse · rnn 4 + stack 2 · step 2</title>');
    expect(svg.match(/class="mark s0"/g)).toHaveLength(4 + 1);
    const nowhere = await pushdown(['eval', trained, '--plot', join(folder, 'no', 'where.svg'), ...cpu]);
    expect(nowhere.err).toMatch(/\npushdown: cannot write .*where\.svg: there is no such file\.\n$/);
    expect(nowhere.code).toBe(2);
  });

  test('eval --json: the last line is the result', async () => {
    const { out } = await pushdown([
      'eval',
      trained,
      '--lengths',
      '2,4',
      '--sequences',
      '5',
      '--json',
      ...cpu,
    ]);
    const lines = jsonLines(out);
    expect(lines.map(({ kind }) => kind)).toEqual(['evaluation', 'evaluation', 'result']);
    expect(lines[2]).toMatchObject({ lengths: [2, 4], sequences: 5, step: 2 });
  });

  test('predict: lines in, as many lines out', async () => {
    const { code, out } = await pushdown(['predict', checkpoint, ...cpu], 'a b c\nabc\r\nh');
    const lines = out.split('\n');
    expect([code, lines.length]).toEqual([0, 4]);
    expect(lines[1]).toBe(lines[0]);
  });

  test('trace: a row per step', async () => {
    const { code, out } = await pushdown(['trace', checkpoint, 'a b', '--json', ...cpu]);
    expect(code).toBe(0);
    const steps = jsonLines(out);
    expect(steps.slice(0, 4).map(({ input }) => input)).toEqual(['<s>', 'a', 'b', '|||']);
    expect(steps[2].strengths.map((rows: number[]) => rows.length)).toEqual([3]);
    const table = await pushdown(['trace', checkpoint, 'a', 'b', ...cpu]);
    expect(table.out).toMatch(/^step {2}input {2}push/);
  });
});

describe('input and output', () => {
  const stream = async function* (...chunks: (string | Uint8Array)[]) {
    yield* chunks;
  };
  const linesOf = async (chunks: string[], longest?: number) => {
    const lines: string[] = [];
    try {
      for await (const some of readLines(stream(...chunks), longest)) lines.push(...some);
    } catch (error) {
      lines.push(`! ${(error as Error).message}`);
    }
    return lines;
  };

  test('lines, wherever they are cut', async () => {
    expect(await linesOf(['a\r', '\nb', 'c\n\n', 'd\r'])).toEqual(['a', 'bc', '', 'd']);
    expect(await linesOf(['a\nb\ncccc', 'c\nd'], 4)).toEqual([
      'a',
      'b',
      expect.stringMatching(/^! line 3 of stdin must have at most/),
    ]);
  });

  test('stdin has an end', async () => {
    expect(await readAll(stream('ab', 'c'), 3)).toBe('abc');
    await expect(readAll(stream('ab', 'cd'), 3)).rejects.toThrow('stdin must have at most');
  });

  test('what came is shown, whatever it is', () => {
    const cycle: unknown[] = [1];
    cycle.push({ a: cycle });
    let deep: unknown = [];
    for (let i = 0; i < 1e5; i++) deep = { a: [deep] };
    const values = [
      [1, 'a\n\u2028"', null, { b: [] }],
      Number.NaN,
      -Infinity,
      undefined,
      3n,
      Symbol('s'),
      run,
    ];
    expect(values.map(value => show(value))).toEqual([
      '[1,"a\\n\\u2028\\"",null,{"b":[]}]',
      ...['NaN', '-Infinity', 'undefined', '3', 'Symbol(s)', 'a function'],
    ]);
    for (const large of [cycle, deep, 'x'.repeat(1e6), Array(1e6).fill(0), { ['k'.repeat(1e6)]: 1 }]) {
      expect(show(large)).toMatch(/^.{59}…$/);
    }
  });

  test('a failing stream is told once, and what is pending is waited for', async () => {
    const waiting: ((error?: Error) => void)[] = [];
    const drain: Drain = { write: (_, done) => waiting.push(done), on: () => {} };
    const told: string[] = [];
    const sink = new Sink(drain, ({ message }) => told.push(message));
    sink.write('a');
    sink.write('b');
    let over = false;
    const written = sink.written().then(() => {
      over = true;
    });
    waiting[0]();
    await Promise.resolve();
    expect(over).toBe(false);
    waiting[1](new Error('ENOSPC'));
    await written;
    sink.write('c');
    expect([told, sink.failure?.message, waiting.length]).toEqual([['ENOSPC'], 'ENOSPC', 2]);
    const throwing = new Sink({
      write: () => {
        throw new Error('EIO');
      },
      on: () => {},
    });
    throwing.write('a');
    await throwing.written();
    expect(throwing.failure?.message).toBe('EIO');
  });
});

describe('help', () => {
  test('of all, of each, and the version', async () => {
    const all = await pushdown(['--help']);
    expect(all.code).toBe(0);
    for (const name of ['train', 'eval', 'predict', 'trace', 'table', 'memory', 'presets', 'devices']) {
      expect(all.out).toContain(`  ${name} `);
      for (const argv of [
        [name, '--help'],
        ['help', name],
      ]) {
        const { code, out, err } = await pushdown(argv);
        expect([code, err]).toEqual([0, '']);
        expect(out.startsWith(`pushdown ${name}`)).toBe(true);
      }
    }
    expect((await pushdown(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    const none = await pushdown([]);
    expect([none.code, none.out]).toEqual([2, '']);
  });

  test('presets and their keys', async () => {
    expect((await pushdown(['presets'])).out).toMatch(/^preset[\s\S]*\nreverse +reverse +\d+/);
    const paper = (await pushdown(['presets', 'paper/reverse'])).out;
    expect(paper).toMatch(/\npaper\/reverse\/stack +reverse +[\d,]+ +\d+ MB +\d+ min +a neural stack/);
    expect(paper).not.toContain('small/');
    // A time where the speed was measured.
    const [one] = JSON.parse((await pushdown(['presets', 'small/copy/queue', '--json'])).out);
    expect(one).toMatchObject({ name: 'small/copy/queue', task: 'copy' });
    expect(one.seconds).toBeGreaterThan(1);
    const [other] = JSON.parse((await pushdown(['presets', 'tutorial-part6', '--json'])).out);
    expect(other.seconds).toBeNull();
    expect((await pushdown(['presets', '--keys'])).out).toMatch(/\nmodel\.hidden +32 +1 … 4096/);
  });

  test('lengths', () => {
    expect(parseLengths('4, 1-3,2')).toEqual([1, 2, 3, 4]);
  });
});
