import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { changeText } from '../../src/tasks/data-facts.ts';
import { type Data, parseData } from '../../src/tasks/data-file.ts';
import { parseSource } from '../../src/tasks/task.ts';
import { decodeCheckpoint } from '../../src/train/checkpoint.ts';
import { predict } from '../../src/train/evaluate.ts';
import { defaultsFor, setup, withVocabulary } from '../../src/train/setup.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { fakeEngine } from '../support/fake-engine.ts';
import { jsonLines, pushdown } from '../support/terminal.ts';
import { temporaryFolder } from '../support/tiny-run.ts';

/** Runs on your own data: the facts about the data in a checkpoint, other files, files that grow or have moved. */

const folder = temporaryFolder();
const ENGINE = ['--engine', 'reference'];
const TINY = [...ENGINE, '--set', 'hidden=4', '--set', 'width=2', '--set', 'batch=4'];

/**
 * Pairs `from` to `to` − 1: each source is different, and consists
 * of the digits a, b, c of a number in base 3. Targets equal sources.
 */
const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => {
    const source = [...(from + i + 9).toString(3)].map(digit => 'abc'[Number(digit)]).join(' ');
    return `${source}\t${source}`;
  });
const file = (name: string, content: readonly string[]): string => {
  const path = join(folder, name);
  writeFileSync(path, content.join('\n'));
  return path;
};
const train = async (out: string, data: string, ...more: string[]) => {
  const argv = ['train', 'data', '--data', data, ...TINY, '--steps', '2', '--out', out, ...more];
  const result = await pushdown(argv);
  expect([result.code, result.err]).toEqual([0, '']);
  return result.out;
};
/** Rewrites a checkpoint as version 1 wrote it, without the facts about the data that later versions store. */
function rewriteAsVersion1(path: string): void {
  const bytes = readFileSync(path);
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, begin).toString());
  const { checksum: _, data: __, ...metadata } = header.__metadata__;
  const config = JSON.parse(metadata.config);
  for (const key of ['longestTarget', 'splitBy']) delete config.task[key];
  header.__metadata__ = { ...metadata, version: '1', config: JSON.stringify(config) };
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([size, text, bytes.subarray(begin)]));
}

describe('the longest target', () => {
  const long = ['s1\tx', `s2\t${Array.from({ length: 118 }, (_, i) => `t${i}`).join(' ')}`].join('\n');
  const data = parseData(long, 'my.tsv', { characters: false, heldOut: 0 });
  const config = withVocabulary(defaultsFor(data), data);
  const { task, spec } = setup(config);

  test('is known without the data: a correct answer of that length is not cut off', async () => {
    expect(config.task.longestTarget).toBe(118);
    const right = data.train.find(({ target }) => target.length === 118)!;
    const model = await fakeEngine({
      predict: (_, t) => right.target[t - 2] ?? task.end!,
    }).model(spec, config.train, {
      step: 0,
      parameters: new Map(),
      firstMoment: new Map(),
      secondMoment: new Map(),
    });
    const source = parseSource(task, 's2');
    const [answer] = await predict(model, task, [source]);
    expect([answer.outputs, answer.ended]).toEqual([right.target, true]);
    const [short] = await predict(model, task, [source], 117);
    expect([short.outputs.length, short.ended, short.limit]).toEqual([117, false, 117]);
    expect((await predict(model, task, [source], 118))[0].ended).toBe(true);
  });

  test('grows in proportion for sources longer than in training; for older checkpoints it is a guess', () => {
    expect(task.answerLimit!(3)).toBe(3 * 118);
    expect(setup(assign(config, ['longestTarget=0'])).task.answerLimit!(3)).toBe(8 * 3 + 64);
  });

  test('predict and trace report the limit, and --max-length changes it', async () => {
    const out = join(folder, 'long');
    await train(out, file('long.tsv', lines(0, 40)));
    const { out: answers, err } = await pushdown(['predict', out, ...ENGINE, '--max-length', '1'], 'a b\n');
    expect(answers.trim()).toMatch(/^[abc]$/);
    expect(err).toMatch(
      /\nline 1: cut off after 1 symbol, before the model ended its answer: allow more with --max-length <n>\n$/,
    );
    const json = await pushdown(['predict', out, ...ENGINE, '--max-length', '1', '--json'], 'a b\n');
    expect(jsonLines(json.out)).toEqual([{ source: 'a b', output: answers.trim(), ended: false, limit: 1 }]);
    const traced = await pushdown(['trace', out, 'a b', ...ENGINE, '--max-length', '1']);
    expect(traced.err).toMatch(/\ncut off after 1 symbol,/);
    expect((await pushdown(['predict', out, ...ENGINE, '--max-length', '0'])).err).toMatch(
      /--max-length must be a whole number from 1/,
    );
  });
});

describe('eval', () => {
  const out = join(folder, 'measured');
  const tsv = file('measured.tsv', lines(0, 60));
  const evaluated = async (...argv: string[]) => {
    const result = await pushdown(['eval', out, ...ENGINE, ...argv]);
    return { ...result, rows: result.out.trim().split('\n') };
  };
  test('on the training data: measures its test part, and prints the number of pairs', async () => {
    await train(out, tsv);
    const held = parseData(readFileSync(tsv, 'utf8'), tsv, { characters: false, heldOut: 0.1 });
    const { rows } = await evaluated();
    expect(rows[1]).toBe(`data ${tsv} · test part, ${held.test.length} of 60 pairs`);
    expect(rows[2]).toMatch(/ sequences$/);
    expect(rows.at(-1)).toMatch(new RegExp(` ${held.test.length}$`));
    for (const split of ['train', 'validation', 'test'] as const) {
      const { out: text } = await evaluated('--split', split, '--json');
      const sequences = held[split].length;
      expect(jsonLines(text).at(-1)).toMatchObject({ split, sequences, pairs: 60 });
    }
    const all = await evaluated('--split', 'all', '--json');
    expect(jsonLines(all.out).at(-1)).toMatchObject({ split: 'all', sequences: 60, pairs: 60 });
  });

  test('on a copy under another name: measures the same part', async () => {
    const copy = join(folder, 'copy.tsv');
    copyFileSync(tsv, copy);
    expect((await evaluated('--data', copy)).rows[1]).toMatch(/test part, \d+ of 60 pairs$/);
  });

  test('on another file: measures all of it; fewer symbols are allowed, unknown ones are not', async () => {
    const { rows } = await evaluated('--data', file('subset.tsv', ['a b a b a b\ta b', 'b b b b b b\tb']));
    expect(rows[1]).toMatch(/subset\.tsv · all 2 pairs \(not the training data\)$/);
    expect(rows.at(-1)).toMatch(/ 2$/);
    const unknown = await evaluated('--data', file('unknown.tsv', ['a b\ta q']));
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringMatching(/but "q" is new/)]);
    const partly = await evaluated('--data', file('partly.tsv', [...lines(0, 30), 'a a a a a a\ta']));
    expect(partly.rows[1]).toMatch(
      /all 31 pairs \(not the training data, but it shares some sources with it\)$/,
    );
  });

  test('if the file has fewer symbols, they keep their numbers in the model', () => {
    const all = parseData('a b c\tc\nb\ta', 'all.tsv', { characters: false, heldOut: 0 });
    const config = withVocabulary(defaultsFor(all), all);
    const few = parseData('b c\tc', 'few.tsv', { characters: false, heldOut: 0 });
    const { task } = setup(withVocabulary(config, few), few, 'evaluate');
    expect(task.pairs!(1, 9, 'test')).toEqual([{ source: [1, 2], target: [1] }]);
  });

  test('refuses an empty part, and --split for a task without parts', async () => {
    const one = file('one.tsv', ['a b a b a b\ta']);
    const parts = await Promise.all(
      ['train', 'validation', 'test'].map(split => evaluated('--data', one, '--split', split)),
    );
    expect(parts.map(({ code }) => code).sort()).toEqual([0, 2, 2]);
    expect(parts.find(({ code }) => code === 2)!.err).toMatch(
      /part of .*one\.tsv is empty \(pairs in the file: 1\): measure all pairs with --split all/,
    );
    const { err } = await pushdown(['eval', 'gallery/reverse-stack', '--split', 'all', ...ENGINE]);
    expect(err).toMatch(/--split is for task data, but this task is reverse/);
    const whole = join(folder, 'whole');
    await train(whole, tsv, '--set', 'heldOut=0');
    expect((await pushdown(['eval', whole, ...ENGINE, '--split', 'test'])).err).toMatch(
      /--split test needs a run that holds out pairs, but task\.heldOut is 0 here/,
    );
    expect((await evaluated('--split', 'tset')).err).toMatch(/unknown --split "tset". Did you mean "test"/);
  });
});

describe('a file that grows', () => {
  const partsOf = (data: Data): Map<string, string> =>
    new Map(
      (['train', 'validation', 'test'] as const).flatMap(part =>
        data[part].map(({ source }) => [source.map(i => data.sourceSymbols[i]).join(' '), part] as const),
      ),
    );
  const parse = (to: number, splitBy?: 'hash' | 'rank') =>
    parseData(lines(0, to).join('\n'), 'my.tsv', { characters: false, heldOut: 0.1, splitBy });

  test('keeps every source in its part if it is split by hash; by rank it does not', () => {
    const moved = (splitBy?: 'hash' | 'rank') => {
      const after = partsOf(parse(400, splitBy));
      return [...partsOf(parse(200, splitBy))].filter(([source, part]) => after.get(source) !== part).length;
    };
    expect(moved()).toBe(0);
    expect(moved('rank')).toBeGreaterThan(0);
  });

  test('has parts of the same sizes as in older versions if it is split by rank', () => {
    const old = parse(200, 'rank');
    expect([old.train.length, old.validation.length, old.test.length]).toEqual([160, 20, 20]);
  });

  test('has its changes described', () => {
    const facts = (text: string) => parseData(text, 'my.tsv', { characters: false, heldOut: 0 }).facts;
    const [one, two, other] = ['a\tb', 'a\tb\nb\ta', 'a\tc'].map(facts);
    expect(changeText(one, one)).toBeUndefined();
    expect(changeText(one, two)).toBe('1 new pair (1 train)');
    expect(changeText(two, one)).toBe('2 before');
    expect(changeText(one, other)).toBe('the same number of pairs as before, but different ones');
    expect(changeText(parse(200).facts, parse(400).facts)).toMatch(
      /^200 new pairs \(\d+ train, \d+ validation, \d+ test\)$/,
    );
  });

  test('is reported by --resume, which then trains at its lengths', async () => {
    const out = join(folder, 'grown');
    await train(out, file('grown.tsv', lines(0, 60)));
    const same = await pushdown(['train', '--resume', out, ...ENGINE, '--steps', '3']);
    expect(same.out).toMatch(/grown\.tsv · \d+ train, \d+ validation, \d+ test pairs\n/);
    file('grown.tsv', lines(0, 120));
    const { code, out: text } = await pushdown(['train', '--resume', out, ...ENGINE, '--steps', '4']);
    expect(code).toBe(0);
    expect(text).toMatch(/pairs · 60 new pairs \(\d+ train, \d+ validation, \d+ test\)\n/);
    expect(text).toMatch(/\nlengths 3 to 5 from here on \(3 to 4 before\)\n/);
    const { config, run } = decodeCheckpoint(readFileSync(join(out, 'checkpoint.safetensors')));
    expect([config.task.maxLength, run.curriculum.length, config.train.evaluateLength]).toEqual([5, 5, 5]);
  });

  test('--resume of a run with explicit lengths reports how many pairs are left out', async () => {
    const out = join(folder, 'left');
    await train(out, file('left.tsv', lines(0, 60)), '--set', 'maxLength=3', '--set', 'evaluateLength=4');
    const { out: text } = await pushdown(['train', '--resume', out, ...ENGINE, '--steps', '3']);
    expect(text).toMatch(/\d+ of \d+ training pairs are left out: .* --set maxLength=4\n/);
    expect(text).not.toMatch(/from here on/);
  });

  test('is reported by --seeds too', async () => {
    const out = join(folder, 'seeds');
    const argv = (tsv: string, steps: string) => [
      ...['train', 'data', '--data', tsv, ...TINY, '--steps', steps, '--out', out, '--seeds', '1'],
      ...['--set', 'evaluateEvery=0'],
    ];
    const tsv = file('seeds.tsv', lines(0, 40));
    expect((await pushdown(argv(tsv, '2'))).code).toBe(0);
    const result = JSON.parse(readFileSync(join(out, 'seed0', 'result.json'), 'utf8'));
    // All pairs of a part, not the thousand sequences that are measured by default.
    const { facts } = parse(40);
    expect(result.measured.map(({ sequences }: { sequences: number }) => sequences)).toEqual([
      facts.train,
      facts.test,
    ]);
    renameSync(join(out, 'seed0', 'result.json'), join(folder, 'no-result.json'));
    file('seeds.tsv', lines(0, 70));
    const { code, out: text } = await pushdown(argv(tsv, '2'));
    expect([code, text]).toEqual([0, expect.stringMatching(/seed0: data .*seeds\.tsv · 30 new pairs/)]);
  });
});

describe('an older checkpoint', () => {
  test('keeps the split that it was trained with, and the output says so', async () => {
    const out = join(folder, 'old');
    const tsv = file('old.tsv', lines(0, 60));
    await train(out, tsv, '--set', 'splitBy=rank');
    const checkpoint = join(out, 'checkpoint.safetensors');
    rewriteAsVersion1(checkpoint);
    const read = decodeCheckpoint(readFileSync(checkpoint));
    expect([read.config.task.splitBy, read.config.task.longestTarget, read.data]).toEqual([
      'rank',
      0,
      undefined,
    ]);
    const data = parseData(readFileSync(tsv, 'utf8'), tsv, { characters: false, heldOut: 0.1 });
    await expect(Trainer.resume(fakeEngine(), read, {}, data)).rejects.toThrow(
      /old\.tsv must be split as at the start of the run, with task\.splitBy rank, got hash/,
    );
    const { code, out: text } = await pushdown(['train', '--resume', out, ...ENGINE, '--steps', '4']);
    expect(code).toBe(0);
    expect(text).toMatch(/48 train, 6 validation, 6 test pairs\n/);
    expect(text).toMatch(/splits its data by rank/);
    const after = decodeCheckpoint(readFileSync(checkpoint));
    expect([after.config.task.splitBy, after.config.task.longestTarget]).toEqual(['rank', 4]);
  });

  test('--seeds resumes an older folder', async () => {
    const out = join(folder, 'old-seeds');
    const argv = ['train', 'data', '--data', file('old-seeds.tsv', lines(0, 60)), ...TINY, '--steps', '2'];
    await pushdown([...argv, '--set', 'splitBy=rank', '--seeds', '1', '--out', out]);
    const config = join(out, 'seed0', 'config.json');
    const { task, ...rest } = JSON.parse(readFileSync(config, 'utf8'));
    const { longestTarget: _, splitBy: __, ...before } = task;
    writeFileSync(config, JSON.stringify({ ...rest, task: before }));
    const { code, err, out: text } = await pushdown([...argv, '--seeds', '2', '--out', out]);
    expect([code, err]).toEqual([0, '']);
    expect(text).toMatch(/splits its data by rank/);
    const second = JSON.parse(readFileSync(join(out, 'seed1', 'config.json'), 'utf8'));
    expect(second.task.splitBy).toBe('rank');
  });
});

describe('symbols in another Unicode form', () => {
  const [composed, decomposed] = ['\u00e9', 'e\u0301'];
  const parse = (text: string, splitBy?: 'rank', characters = false) =>
    parseData(text, 'my.tsv', { characters, heldOut: 0, splitBy });

  test('are the same symbols, in a file and in a source', () => {
    const text = (e: string) => `${e} a\ta ${e}\na ${e} ${e}\t${e}`;
    expect(parse(text(decomposed))).toEqual(parse(text(composed)));
    expect(parse(text(decomposed)).sourceSymbols).toEqual(['a', composed]);
    const json = (e: string) => JSON.stringify({ source: [e, 'a'], target: `a ${e}` });
    const options = { characters: true, heldOut: 0 };
    expect(parseData(json(decomposed), 'my.jsonl', options)).toEqual(
      parseData(json(composed), 'my.jsonl', options),
    );
    for (const characters of [false, true]) {
      const data = parse(text(composed), undefined, characters);
      const { task } = setup(assign(withVocabulary(defaultsFor(data), data), [`characters=${characters}`]));
      expect(parseSource(task, `a ${decomposed}`)).toEqual(parseSource(task, `a ${composed}`));
    }
  });

  test('models that learned the other form accept both', () => {
    for (const characters of [false, true]) {
      const data = parse(`a ${decomposed}\ta`, 'rank', characters);
      const { task } = setup(assign(withVocabulary(defaultsFor(data), data), [`characters=${characters}`]));
      expect(parseSource(task, `a ${composed}`)).toEqual(parseSource(task, `a ${decomposed}`));
    }
    const old = parse(`a ${decomposed}\ta`, 'rank');
    expect(
      withVocabulary(withVocabulary(defaultsFor(old), old), parse(`${composed}\ta`)).task.sourceSymbols,
    ).toEqual(old.sourceSymbols);
  });

  test('error messages list a short alphabet, and suggest no unrelated symbol', () => {
    const data = parse('a b\tb');
    const { task } = setup(withVocabulary(defaultsFor(data), data));
    expect(() => parseSource(task, 'a è')).toThrow(
      'unknown symbol "è" at position 2 of the source. Known: a, b.',
    );
    const many = parse(Array.from({ length: 200 }, (_, i) => `s${i}\ta`).join('\n'));
    const { task: large } = setup(withVocabulary(defaultsFor(many), many));
    expect(() => parseSource(large, 'q')).toThrow(
      'unknown symbol "q" at position 1 of the source. Known: s0 to s99 (200 symbols, separated by spaces).',
    );
  });
});

describe('from another folder', () => {
  test('the data is found in a folder above the run; if it is not found, the message suggests --data', async () => {
    const home = join(folder, 'home');
    const elsewhere = join(folder, 'elsewhere');
    for (const path of [home, elsewhere]) mkdirSync(path);
    writeFileSync(join(home, 'mine.tsv'), lines(0, 40).join('\n'));
    writeFileSync(join(home, 'mine.json'), '{"task":{"name":"data","file":"mine.tsv"}}');
    const before = process.cwd();
    try {
      process.chdir(home);
      await train(join('runs', 'a'), 'mine.tsv');
      expect(existsSync(join(home, 'runs', 'a', 'checkpoint.safetensors'))).toBe(true);
      process.chdir(elsewhere);
      const run = join('..', 'home', 'runs', 'a');
      expect((await pushdown(['eval', run, ...ENGINE])).code).toBe(0);
      const { code, err } = await pushdown(['train', '--resume', run, ...ENGINE, '--steps', '3']);
      expect([code, err]).toEqual([0, '']);
      const configured = ['train', join(home, 'mine.json'), ...TINY, '--steps', '1', '--out', 'own'];
      expect((await pushdown(configured)).err).toBe('');
      for (const name of readdirSync(home).filter(entry => entry.endsWith('.tsv'))) {
        renameSync(join(home, name), join(elsewhere, 'moved.tsv'));
      }
      for (const argv of [
        ['eval', run],
        ['train', '--resume', run],
        ['train', join(home, 'mine.json')],
      ]) {
        expect((await pushdown([...argv, ...ENGINE])).err).toMatch(
          /cannot read the data file .*mine\.tsv: there is no such file.*\. Give --data <file>\.\n$/,
        );
      }
    } finally {
      process.chdir(before);
    }
  });
});
