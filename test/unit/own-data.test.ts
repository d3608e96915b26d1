import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { assign, makeConfig } from '../../src/base/config.ts';
import { InputError } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import { run } from '../../src/cli/program.ts';
import { parseData } from '../../src/tasks/data-file.ts';
import { formatOutputs, formatSource, hasLength, parseSource, type Task } from '../../src/tasks/task.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { evaluate, evaluateResult, predict } from '../../src/train/evaluate.ts';
import { defaultsFor, setup, withVocabulary } from '../../src/train/setup.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { fakeEngine } from '../support/fake-engine.ts';

const WORDS = { characters: false, heldOut: 0.1 };
const ALL = { characters: false, heldOut: 0 };
/** n lines: a source is 1 to 5 letters and a symbol of its own (x0, x1 …); its target is the letters in reverse. */
const lines = (n: number): string[] =>
  Array.from({ length: n }, (_, i) => {
    const source = Array.from({ length: 1 + (i % 5) }, (_, k) => 'abcdefg'[(i * 3 + k * (1 + (i % 3))) % 7]);
    return `${source.join(' ')} x${i}\t${[...source].reverse().join(' ')}`;
  });
const setupOf = (text: string, file = 'my.tsv', options = ALL) => {
  const data = parseData(text, file, options);
  const config = withVocabulary(
    assign(defaultsFor(data), [`characters=${options.characters}`, `heldOut=${options.heldOut}`]),
    data,
  );
  return { data, config, ...setup(config, data) };
};
const written = (task: Task, { source, target }: { source: readonly number[]; target: readonly number[] }) =>
  `${formatSource(task, source)}→${formatOutputs(task, target)}`;

describe('the content of a file', () => {
  test.each([
    ['tabs', 'my.tsv', 'a b\tb a\nc\tc\n'],
    [
      'Windows line ends, a byte order mark, blank lines at the end',
      'my.txt',
      '\uFEFFa b\tb a\r\nc\tc\r\n\r\n \n',
    ],
    ['more spaces than needed', 'my.tsv', ' a   b \t b a\nc\tc'],
    ['JSON texts', 'my.jsonl', '{"source":"a b","target":"b a"}\n{"target":"c","source":"c","id":7}\n'],
    ['JSON lists', 'MY.NDJSON', '{"source":["a","b"],"target":["b","a"]}\r\n{"source":["c"],"target":["c"]}'],
  ])('is read: %s', (_, file, text) => {
    const { task, data } = setupOf(text, file);
    expect(data.train.map(pair => written(task, pair)).sort()).toEqual(['a b→b a', 'c→c']);
    expect([data.sourceSymbols, data.targetSymbols]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });

  test('with --characters, symbols are characters, including spaces', () => {
    const { task, data } = setupOf('a b\tB😀\n', 'my.tsv', { ...ALL, characters: true });
    expect(data.sourceSymbols).toEqual([' ', 'a', 'b']);
    expect(data.train).toEqual([{ source: [1, 0, 2], target: [0, 1] }]);
    expect(written(task, data.train[0])).toBe('a b→B😀');
    expect(parseSource(task, 'b a')).toEqual([2, 0, 1]);
  });

  test.each([
    ['my.tsv', '', /^my\.tsv is empty: a line has a source, a tab and a target/],
    ['my.tsv', '\n\n', /^my\.tsv is empty/],
    ['my.tsv', 'a\tb\na b', /^my\.tsv line 2: .* one tab .* got no tab in "a b"/],
    ['my.tsv', 'a\tb\tc', /^my\.tsv line 1: .* got 2 tabs/],
    ['my.tsv', 'a\tb\n\nc\td', /^my\.tsv line 2: .* got no tab in ""/],
    ['my.tsv', 'a\tb\nc\t ', /^my\.tsv line 2: the target is empty/],
    ['my.tsv', '\ta', /^my\.tsv line 1: the source is empty/],
    ['my.jsonl', '{"source":"a","target":"b"}\n{"source":', /^my\.jsonl line 2: a line is a JSON object .*:/],
    ['my.jsonl', '["a","b"]', /^my\.jsonl line 1: a line is a JSON object .* got \["a","b"\]/],
    [
      'my.jsonl',
      '{"source":"a"}',
      /^my\.jsonl line 1: target must be a string or a list of symbols, got undefined/,
    ],
    [
      'my.jsonl',
      '{"source":["a",3],"target":"b"}',
      /line 1: source\[1\] must be a string without spaces, got 3/,
    ],
    ['my.jsonl', '{"source":["a b"],"target":"b"}', /line 1: source\[0\] must be a string without spaces/],
    ['my.jsonl', '{"source":[],"target":"b"}', /line 1: the source is empty/],
  ])('is refused: %s, %j', (file, text, message) => {
    expect(() => parseData(text, file, ALL)).toThrow(InputError);
    expect(() => parseData(text, file, ALL)).toThrow(message);
  });
});

describe('the parts for training, validation and test', () => {
  const text = lines(200).join('\n');

  test('have about the requested sizes, share no source, and do not depend on the order of the lines', () => {
    const data = parseData(text, 'my.tsv', WORDS);
    expect([data.train.length, data.validation.length, data.test.length]).toEqual([169, 14, 17]);
    const sources = [data.train, data.validation, data.test].map(
      part => new Set(part.map(({ source }) => source.join())),
    );
    expect(sources.reduce((sum, { size }) => sum + size, 0)).toBe(200);
    expect(new Set(sources.flatMap(part => [...part])).size).toBe(200);
    const reversed = parseData(lines(200).reverse().join('\n'), 'my.tsv', WORDS);
    expect(reversed).toEqual({ ...data, firstLines: reversed.firstLines });
  });

  test('all targets of a source are in the same part', () => {
    const twice = [...lines(40), ...lines(40).map(line => `${line} again`)].join('\n');
    const data = parseData(twice, 'my.tsv', WORDS);
    expect([data.train.length, data.validation.length, data.test.length]).toEqual([70, 4, 6]);
  });

  test('are refused if there are too few lines to hold some out', () => {
    expect(() => parseData('a\tb\nb\ta', 'my.tsv', WORDS)).toThrow(
      /my\.tsv has 2 different sources, too few .* set task\.heldOut to 0 \(then all/,
    );
    expect(() => parseData(text, 'my.tsv', { ...WORDS, heldOut: 0.5 })).toThrow(
      /set task\.heldOut to 0\.1, or to 0/,
    );
    const data = parseData('a\tb\nb\ta', 'my.tsv', ALL);
    expect(data.test).toEqual(data.train);
  });

  test('pairs are drawn from the requested part and range', () => {
    const { task, data } = setupOf(text, 'my.tsv', WORDS);
    const rng = new Rng(1, 1);
    const drawn = new Set(Array.from({ length: 3000 }, () => task.pair(rng, 3, 4, 'train')));
    const inRange = data.train.filter(({ source }) => source.length >= 3 && source.length <= 4);
    expect(drawn).toEqual(new Set(inRange));
    expect(new Set(task.pairs!(1, 100, 'test'))).toEqual(new Set(data.test));
    expect(() => task.pair(rng, 7, 9, 'validation')).toThrow(
      /task data has no sources of lengths 7 to 9: the validation part of my\.tsv has sources of 2 to 6 symbols; widen/,
    );
    expect([1, 2, 6, 7].map(length => hasLength(task, length))).toEqual([false, true, true, false]);
    expect(task.steps(6)).toBe(6 + 5 + 2);
    expect(task.steps(2)).toBe(2 + 1 + 2);
  });
});

describe('a model of your own data', () => {
  const small = ['hidden=4', 'batch=4', 'steps=6', 'evaluateEvery=3', 'reportEvery=3'];

  test('trains on one part, is evaluated on the others, and resumes from a checkpoint with the data', async () => {
    const { data, config } = setupOf(lines(60).join('\n'), 'my.tsv', WORDS);
    const engine = fakeEngine();
    const evaluated: number[] = [];
    const onEvaluation = ({ sequences }: { sequences: number }) => evaluated.push(sequences);
    const trainer = await Trainer.start(engine, assign(config, small), { onEvaluation }, data);
    await trainer.run();
    const { length: held } = data.validation;
    expect(evaluated).toEqual([held, held]);
    const inTraining = new Set(data.train.map(({ source }) => source.join()));
    for (const { B, ids, sourceLengths } of engine.models[0].batches) {
      for (let b = 0; b < B; b++) {
        const source = Array.from({ length: sourceLengths[b] }, (_, i) => ids[(i + 1) * B + b]);
        expect(inTraining).toContain(source.join());
      }
    }
    const [result] = await evaluateResult(trainer.model, trainer.task, trainer.config, 6, 256);
    expect(result).toMatchObject({ sequences: data.test.length });
    await expect(
      evaluate(trainer.model, trainer.task, { length: 50, sequences: 5, seed: 1 }),
    ).rejects.toThrow(/the test part of my\.tsv/);

    const checkpoint = decodeCheckpoint(encodeCheckpoint(await trainer.snapshot()));
    expect(checkpoint.config.task.sourceSymbols).toEqual(data.sourceSymbols);
    const longer = { ...checkpoint, config: assign(checkpoint.config, ['steps=8']) };
    expect(await (await Trainer.resume(engine, longer, {}, data)).run()).toBe('done');
    await expect(Trainer.resume(engine, longer)).rejects.toThrow(/task data needs its data/);
    const other = parseData(`${lines(60).join('\n')}\nnew\tone`, 'other.tsv', WORDS);
    await expect(Trainer.resume(engine, longer, {}, other)).rejects.toThrow(
      /other\.tsv line 61: a source may only have symbols of the run's vocabulary .* but "new" is new/,
    );
  });

  test('answers without the data, with the symbols in its checkpoint', async () => {
    const { config } = setupOf('a b\tb a\nc\tc');
    const { task, spec } = setup(config);
    const model = await fakeEngine({ predict: () => 0 }).model(spec, config.train, {
      step: 0,
      parameters: new Map(),
      firstMoment: new Map(),
      secondMoment: new Map(),
    });
    const [{ text, ended }] = await predict(model, task, [parseSource(task, 'a c')]);
    expect([text.slice(0, 5), ended]).toEqual(['a a a', false]);
    expect(() => parseSource(task, 'a d')).toThrow(/unknown symbol "d" at position 2 of the source/);
    expect(() => task.pair(new Rng(1, 1), 1, 2)).toThrow(/no pairs without its data: give --data my\.tsv/);
    expect(() => setup(makeConfig({ task: { name: 'data' } }))).toThrow(/task data needs a file of pairs/);
  });

  test('lengths that the data does not have are reported before training', () => {
    const data = parseData('a b\tb a\nc\tc', 'my.tsv', ALL);
    const config = withVocabulary(assign(defaultsFor(data), ['minLength=7', 'maxLength=9']), data);
    expect(() => setup(config, data)).toThrow(/lengths 7 to 9: the train part of my\.tsv/);
  });
});

describe('on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pushdown-data-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const pushdown = async (argv: readonly string[], stdin = '') => {
    let [out, err] = ['', ''];
    const code = await run(argv, {
      stdin: (async function* () {
        if (stdin) yield stdin;
      })(),
      stdout: { write: text => (out += text) },
      stderr: { write: text => (err += text) },
      onInterrupt: () => () => {},
    });
    return { code, out, err };
  };
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const TINY = ['--engine', 'reference', '--set', 'hidden=4', '--set', 'width=2', '--set', 'batch=4'];
  const out = join(folder, 'run');

  test('a model that has only memorised its training pairs is reported', async () => {
    const rng = new Rng(1, 1);
    const letter = () => String.fromCharCode(97 + rng.int(0, 25));
    const pairs = Array.from({ length: 60 }, () => Array.from({ length: 4 }, letter).join(' '));
    const tsv = file(
      'few.tsv',
      pairs.map(source => `${source}\t${[...source].reverse().join('')}`).join('\n'),
    );
    const options = [
      '--engine',
      'cpu',
      '--set',
      'hidden=64',
      '--steps',
      '1000',
      '--out',
      join(folder, 'few'),
    ];
    const { code, out } = await pushdown(['train', 'data', '--data', tsv, ...options]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^accurate on the training pairs \([\d.]+ of their symbols\), but not on the test pairs: add pairs, or try other seeds \(--seeds 5\)$/m,
    );
  });

  test('train, eval, predict, trace and --resume work with the data, also after the file has moved', async () => {
    const tsv = file('my.tsv', lines(40).join('\n'));
    const first = await pushdown(['train', 'data', '--data', tsv, ...TINY, '--steps', '2', '--out', out]);
    expect([first.code, first.err]).toEqual([0, '']);
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
    expect(config.task).toMatchObject({ name: 'data', file: tsv, minLength: 2, maxLength: 6 });
    expect(config.train).toMatchObject({ evaluateFrom: 2, evaluateLength: 6 });

    expect(first.out).not.toMatch(/but not on the test pairs/);
    const rows = (text: string) => text.trim().split('\n').slice(2);
    const evaluated = await pushdown(['eval', out, '--engine', 'reference']);
    expect(evaluated.code).toBe(0);
    expect(rows(evaluated.out).at(-1)).toMatch(/^ *2–6 /);
    const json = await pushdown(['eval', out, '--engine', 'reference', '--json']);
    const objects = json.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    const held = parseData(lines(40).join('\n'), 'my.tsv', WORDS).test.length;
    expect(objects.at(-2)).toMatchObject({ kind: 'evaluation', sequences: held });
    const { coarse } = objects.at(-2);
    const testPart = { split: 'test', data: tsv, sequences: held, pairs: 40 };
    expect(objects.at(-1)).toMatchObject({ kind: 'result', coarse, ...testPart });

    expect((await pushdown(['predict', out, '--engine', 'reference'], 'a b c\n')).code).toBe(0);
    expect((await pushdown(['predict', out, '--engine', 'reference'], 'a zz\n')).err).toMatch(
      /unknown symbol "zz"/,
    );
    expect((await pushdown(['trace', out, 'a b', '--engine', 'reference'])).out).toMatch(
      /^step {2}input {2}push/,
    );

    const moved = join(folder, 'moved.tsv');
    renameSync(tsv, moved);
    const resume = ['train', '--resume', out, '--engine', 'reference', '--steps', '3'];
    expect((await pushdown(resume)).err).toMatch(
      /cannot read the data file .*my\.tsv: there is no such file/,
    );
    expect((await pushdown(['eval', out, '--engine', 'reference'])).code).toBe(2);
    expect((await pushdown(['eval', out, '--data', moved, '--engine', 'reference'])).code).toBe(0);
    const other = file('other.tsv', `${lines(40).join('\n')}\nnew\tone`);
    expect((await pushdown([...resume, '--data', other])).err).toMatch(
      /other\.tsv line 41: a source may only have .*, but "new" is new/,
    );
    expect((await pushdown([...resume, '--data', moved])).code).toBe(0);
    expect((await pushdown([...resume, '--characters'])).err).toMatch(/cannot change task\.characters/);
  });

  test('a configuration file may name the data', async () => {
    const tsv = file('c.tsv', 'ab\tba\nbc\tcb\nca\tac\nabc\tcba\n');
    const json = file('own.json', JSON.stringify({ task: { name: 'data', file: tsv, characters: true } }));
    const { code, err } = await pushdown([
      'train',
      json,
      ...TINY,
      '--steps',
      '1',
      '--out',
      join(folder, 'own'),
    ]);
    expect([code, err]).toEqual([0, '']);
    const { out: answers } = await pushdown(
      ['predict', join(folder, 'own'), '--engine', 'reference'],
      'ab\n',
    );
    expect(answers).toMatch(/^[abc]*\n$/);
  });

  test.each([
    [['train', 'data'], /task data needs a file of pairs: give --data/],
    [['train', 'data', '--data', join(folder, 'none.tsv')], /cannot read the data file .*none\.tsv/],
    [['train', 'reverse', '--data', 'x.tsv'], /--data is for task data, but reverse is of task reverse/],
    [['train', 'data', '--data', file('bad.tsv', 'a b\n')], /bad\.tsv line 1: /],
    [['train', 'data', '--data', file('latin.tsv', new Uint8Array([97, 9, 233, 10]))], /must be UTF-8/],
  ])('%j is refused', async (argv, message) => {
    const { code, err } = await pushdown([...argv, '--out', join(folder, 'wrong')]);
    expect(err).toMatch(message);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
  });
});
