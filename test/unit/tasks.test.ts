import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { makeConfig } from '../../src/base/config.ts';
import { MASKED, NO_INPUT, PHASE, ZERO_TARGET } from '../../src/base/dims.ts';
import { InputError } from '../../src/base/errors.ts';
import { Rng, STREAM } from '../../src/base/rng.ts';
import { makeTask, taskNames } from '../../src/tasks/registry.ts';
import {
  formatOutputs,
  formatSource,
  hasLength,
  inputName,
  makeBatch,
  parseSource,
  type Sequence,
  targetName,
} from '../../src/tasks/task.ts';

/** The correct outputs of a sequence, in order. */
const answerOf = (sequence: Sequence): number[] =>
  sequence.target.filter(target => target !== MASKED && target !== ZERO_TARGET);

const taskOf = (name: string, symbols: number) =>
  makeTask(makeConfig({ task: { name, symbols, minLength: 1, maxLength: 5 } }).task);

/** The number of symbols in the examples of a file, if not 3 (or 2, see TWO_SYMBOLS). */
const SYMBOLS: Record<string, number> = { 'svo-sov': 128, gender: 8, dyck: 2, 'bucket-sort': 5, tutorial: 2 };
/** More files whose examples have two symbols. */
const TWO_SYMBOLS = [
  'lm-dyck',
  'dyck-words',
  'reverse-string',
  'stack-manipulation',
  'duplicate-string',
  'odds-first',
  'missing-duplicate',
];
/** The number of examples in a file, if not 1. */
const COUNT: Record<string, number> = { tutorial: 2 };
const FILES = [
  ...new Set(taskNames.filter(name => name !== 'data').map(name => name.replace(/-part\d/, ''))),
];

/** The worked examples in the docstring of a file: tables with the rows `task` to `phase`. */
function examplesOf(file: string): Record<string, string[]>[] {
  const text = readFileSync(new URL(`../../src/tasks/${file}.ts`, import.meta.url), 'utf8');
  const examples: Record<string, string[]>[] = [];
  let table: Record<string, string[]> = {};
  for (const [, row, cells] of text.matchAll(/^ \* {3}(task|source|input|target|phase) +(.+)$/gm)) {
    table[row] = cells.trim().split(/\s+/);
    if (row === 'phase') {
      examples.push(table);
      table = {};
    }
  }
  return examples;
}

describe.each(FILES)('worked examples of %s', file => {
  const examples = examplesOf(file);
  const symbols = SYMBOLS[file] ?? (TWO_SYMBOLS.includes(file) ? 2 : 3);
  test('exist', () => expect(examples).toHaveLength(COUNT[file] ?? 1));
  test.each(examples)('%o', example => {
    const task = taskOf(example.task[0], symbols);
    const source = parseSource(task, example.source.join(' '));
    const sequence = task.sequence({ source, target: task.targetOf!(source)! });
    const steps = sequence.target.map((_, t) => t);
    expect(steps.map(t => inputName(task, sequence, t))).toEqual(example.input);
    expect(steps.map(t => targetName(task, sequence, t))).toEqual(example.target);
    expect(steps.map(t => '.rw'[sequence.phase[t]])).toEqual(example.phase);
    expect(sequence.sourceLength).toBe(example.source.length);
  });
});

describe.each(taskNames.filter(name => name !== 'data'))('task %s', name => {
  const task = taskOf(name, 5);
  const lengths = [1, 2, 3, 6, 7, 30].filter(length => hasLength(task, length));

  test('has the sizes that it declares', () => {
    for (const length of lengths) {
      const pair = task.pair(new Rng(1, STREAM.sample, length), length, length);
      expect(pair.source).toHaveLength(length);
      const sequence = task.sequence(pair);
      const T = sequence.target.length;
      expect(T).toBeLessThanOrEqual(task.steps(length));
      expect(sequence.ids).toHaveLength(T * task.activeInputs);
      expect(sequence.phase).toHaveLength(T);
      expect(sequence.sourceLength).toBe(length);
      expect(sequence.ids.every(id => id < task.inputs || id === NO_INPUT)).toBe(true);
      expect(sequence.target.every(o => o < task.outputs || o === MASKED || o === ZERO_TARGET)).toBe(true);
      const end = task.end === undefined ? [] : [task.end];
      expect(answerOf(sequence)).toEqual([...pair.target, ...end]);
      expect(sequence.target[task.targetStart(length)]).toBe(answerOf(sequence)[0]);
    }
    expect(lengths.length).toBeGreaterThan(1);
    expect(task.inputNames).toHaveLength(task.inputs);
    expect(task.outputNames).toHaveLength(task.outputs);
    expect(parseSource(task, task.example).length).toBeGreaterThan(0);
  });

  test('a prompt has the inputs of the sequence and no target', () => {
    for (const length of lengths) {
      const pair = task.pair(new Rng(2, STREAM.sample, length), length, length);
      const whole = task.sequence(pair);
      const prompt = task.prompt(pair.source, pair.target);
      expect({ ...prompt, target: whole.target }).toEqual(whole);
      expect(new Set(prompt.target)).toEqual(new Set([MASKED]));
      if (task.end === undefined) expect(task.targetLength!(pair.source)).toBe(pair.target.length);
    }
  });

  test('the source determines the target', () => {
    for (let i = 0; i < 50; i++) {
      const { source, target } = task.pair(new Rng(i, STREAM.sample), 1, 12);
      expect(source.length).toBeLessThanOrEqual(12);
      expect(task.targetOf!(source)).toEqual(target);
    }
  });

  test('pairs depend on the random stream alone, and have every possible length', () => {
    const pairs = (seed: number) => {
      const rng = new Rng(seed, STREAM.batch);
      return Array.from({ length: 400 }, () => task.pair(rng, 1, 7));
    };
    expect(pairs(3)).toEqual(pairs(3));
    const drawn = new Set(pairs(4).map(({ source }) => source.length));
    const possible = [1, 2, 3, 4, 5, 6, 7].filter(length => hasLength(task, length));
    expect([...drawn].sort()).toEqual(possible);
  });

  test('a length without sources is reported', () => {
    for (const length of [1, 2, 3, 4]) {
      const get = () => task.pair(new Rng(1, 1), length, length);
      if (hasLength(task, length)) expect(get().source).toHaveLength(length);
      else
        expect(get).toThrow(
          new RegExp(`task ${name} has no sources of length ${length}: .*; widen the range`),
        );
    }
  });
});

describe('tasks of the paper', () => {
  test('read and written symbols are separate inputs', () => {
    const copy = taskOf('copy', 3);
    expect(copy.inputs).toBe(2 * 3 + 2);
    const { ids } = copy.sequence({ source: [0, 1], target: [0, 1] });
    expect(ids).toEqual([3, 0, 1, 4, 5, 6]);
  });

  test('bigram draws even lengths uniformly, and refuses a single odd length', () => {
    const bigram = taskOf('bigram', 4);
    const rng = new Rng(5, 1);
    const counts = new Map<number, number>();
    for (let i = 0; i < 3000; i++) {
      const { length } = bigram.pair(rng, 3, 9).source;
      counts.set(length, (counts.get(length) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([4, 6, 8]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
    expect(() => bigram.pair(rng, 7, 7)).toThrow(/no sources of length 7: .* multiples of 2/);
    expect(bigram.targetOf!([0, 1, 2])).toBeUndefined();
  });
});

describe('tasks of the Chomsky hierarchy', () => {
  /** The authors' examples, and sources without an answer, also of other tasks. */
  test.each([
    ['stack-manipulation', '0 1 1 0 push1 pop pop', '1 1 0 end'],
    ['stack-manipulation', '1 1 0 pop pop pop pop', 'end'],
    ['stack-manipulation', '1 pop 1', undefined],
    ['odds-first', '00110101', '0 1 0 0 0 1 1 1'],
    ['odds-first', '110', '1 0 1'],
    ['missing-duplicate', '01100_10', '1'],
    ['missing-duplicate', '1011_1.', '0'],
    ['missing-duplicate', '10_111', undefined],
    ['missing-duplicate', '1010', undefined],
    ['modular-arithmetic', '-4', '1'],
    ['modular-arithmetic', '(-3)', '2'],
    ['modular-arithmetic', '((1+2)*(4-(-1)))', '0'],
    ['modular-arithmetic', '((2*3)--2)', '3'],
    ['modular-arithmetic', '1+2', undefined],
    ['modular-arithmetic', '((1+2)', undefined],
    ['modular-arithmetic', '(1+2))', undefined],
    ['modular-arithmetic', '(--1)', undefined],
    ['modular-arithmetic', '(1+)', undefined],
    ['modular-arithmetic', '()', undefined],
    ['solve-equation', 'x=3', '3'],
    ['solve-equation', '((1-x)+2)=4', '4'],
    ['solve-equation', '(x-x)=1', undefined],
    ['solve-equation', '(x-x)=0', undefined],
    ['solve-equation', '(1+2)=3', undefined],
    ['even-pairs', '001110', '0'],
    ['even-pairs', '0101001', '1'],
    ['even-pairs', '1', '0'],
    ['parity-check', '1010100', '1'],
    ['parity-check', '01111', '0'],
    ['cycle-navigation', 'right left stay left left', '3'],
    ['cycle-navigation', 'right right right left', '2'],
    ['modular-arithmetic-simple', '1+2*3', '2'],
    ['modular-arithmetic-simple', '1-1-1', '4'],
    ['modular-arithmetic-simple', '0*1+4*3-2', '0'],
    ['modular-arithmetic-simple', '2-3*4*2', '3'],
    ['modular-arithmetic-simple', '12', undefined],
    ['modular-arithmetic-simple', '+', undefined],
    ['modular-arithmetic-simple', '1+', undefined],
    ['binary-addition', '001+01101', '0 1 0 1 1 end'],
    ['binary-addition', '1001+000001', '1 0 0 1 0 1 end'],
    ['binary-addition', '1', '1 end'],
    ['binary-addition', '01', '0 1 end'],
    ['binary-addition', '011', undefined],
    ['binary-addition', '+1', undefined],
    ['binary-addition', '1+', undefined],
    ['binary-addition', '1+1+1', undefined],
    ['binary-multiplication', '001*01101', '0 0 0 1 1 0 1 end'],
    ['binary-multiplication', '1001*000001', '0 0 0 0 0 1 0 0 1 end'],
    ['binary-multiplication', '1', 'end'],
    ['binary-multiplication', '01', '0 end'],
    ['compute-sqrt', '100101', '1 1 0'],
    ['compute-sqrt', '111', '1 0'],
    ['compute-sqrt', '1', '1'],
    ['compute-sqrt', '00000', '0 0 0'],
    ['dyck', '([)]', undefined],
    ['dyck', ')', undefined],
    ['svo-sov', 'si1 vi1', undefined],
    ['svo-sov', 'si1 rpi si1 vi1 oi1', undefined],
    ['gender', 'the we1', undefined],
    ['gender', 'a', undefined],
  ])('%s: %s → %s', (name, line, expected) => {
    const task = taskOf(name, 2);
    const source = parseSource(task, line);
    const answer = task.targetOf!(source);
    expect(answer && formatOutputs(task, answer)).toBe(expected);
    // Even without a correct answer, the source has a prompt that a model can answer.
    expect(task.prompt(source, []).target.length).toBeGreaterThanOrEqual(source.length);
  });

  test('square roots of numbers of 500 bits are exact', () => {
    const task = taskOf('compute-sqrt', 2);
    for (let length = 480; length <= 500; length++) {
      const { source, target } = task.pair(new Rng(length, 1), length, length);
      const [square, root] = [source, target].map(bits => BigInt(`0b${bits.join('')}`));
      expect(root * root <= square && square < (root + 1n) * (root + 1n)).toBe(true);
      expect(target).toHaveLength(Math.ceil(length / 2));
    }
  });

  test('the two numbers of an addition have every possible number of bits, and neither is 0', () => {
    const rng = new Rng(1, 1);
    const firsts = new Set<number>();
    for (let i = 0; i < 400; i++) {
      const { source } = taskOf('binary-addition', 2).pair(rng, 6, 6);
      const at = source.indexOf(2);
      firsts.add(at);
      expect(source.slice(0, at)).toContain(1);
      expect(source.slice(at + 1)).toContain(1);
    }
    expect([...firsts].sort()).toEqual([1, 2, 3, 4]);
  });

  test('expressions have every length, and any depth of nesting', () => {
    const task = taskOf('modular-arithmetic', 1);
    for (let length = 1; length < 60; length++) {
      expect(task.pair(new Rng(length, 1), length, length).source).toHaveLength(length);
    }
    expect(task.targetOf!(parseSource(task, `${'('.repeat(1e5)}3${')'.repeat(1e5)}`))).toEqual([3]);
  });

  test('complete Dyck words are drawn with the probabilities of the grammar', () => {
    const task = taskOf('dyck-words', 1);
    // Words of 2 and 4 symbols. S derives the empty word with probability e = 2 − √3.
    // It derives () by ( S ) with an empty S, or by S S with one empty S, and so on.
    const e = 2 - Math.sqrt(3);
    const two = e / 2 / (1 - e / 2);
    const nested = two / 2 / (1 - e / 2);
    const beside = (two * two) / 4 / (1 - e / 2);
    const rng = new Rng(1, 1);
    const counts = new Map<string, number>();
    for (let i = 0; i < 4000; i++) {
      const word = formatSource(task, task.pair(rng, 1, 4).source).replaceAll(' ', '');
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const total = two + nested + beside;
    for (const [word, p] of [
      ['()', two],
      ['(())', nested],
      ['()()', beside],
    ] as const) {
      expect(Math.abs(counts.get(word)! - (4000 * p) / total), word).toBeLessThan(130);
    }
    expect(counts.size).toBe(3);
    expect(task.targetOf!(parseSource(task, '(()'))).toEqual([0, 0, 0]);
  });

  test('about half of the brackets of a long Dyck word close', () => {
    const task = taskOf('dyck', 2);
    const { source, target } = task.pair(new Rng(3, 1), 2000, 2000);
    const closing = source.filter(bracket => bracket >= 2).length;
    expect(closing).toBeGreaterThan(900);
    expect(closing).toBeLessThanOrEqual(1000);
    expect(target).toContain(2);
  });
});

test('sources are parsed with or without spaces, and unknown symbols are reported', () => {
  const reverse = taskOf('reverse', 4);
  expect(parseSource(reverse, ' a b  d ')).toEqual([0, 1, 3]);
  expect(parseSource(reverse, 'abd')).toEqual([0, 1, 3]);
  expect(() => parseSource(reverse, 'a b x')).toThrow(/unknown symbol "x" at position 3 of the source/);
  expect(() => parseSource(reverse, '  ')).toThrow(InputError);
  const large = taskOf('reverse', 128);
  expect(parseSource(large, 's1 s128')).toEqual([0, 127]);
  expect(() => parseSource(large, 's129')).toThrow(/Known: s1 to s128 \(128 symbols, separated by spaces\)/);
});

test('an unknown task is an input error that suggests the nearest name', () => {
  expect(() => taskOf('revrse', 4)).toThrow(/unknown task "revrse". Did you mean "reverse"\?/);
});

describe('makeBatch', () => {
  const tutorial = taskOf('tutorial-part5', 2);
  const sequences = [[0], [1, 0]].map(source => tutorial.sequence({ source, target: [] }));

  test('is time-major and padded', () => {
    const batch = makeBatch(sequences, 'batch');
    expect(batch).toMatchObject({ B: 2, T: 4, K: 2 });
    expect([...batch.lengths]).toEqual([2, 4]);
    expect([...batch.sourceLengths]).toEqual([1, 2]);
    const [X, Z, M] = [NO_INPUT, ZERO_TARGET, MASKED];
    expect([...batch.ids]).toEqual([0, 1, 0, 2, X, X, 0, 1, X, X, X, X, X, X, X, X]);
    expect([...batch.target]).toEqual([Z, Z, 1, Z, M, 1, M, 2]);
    const { none, reading } = PHASE;
    expect([...batch.phase]).toEqual([reading, reading, none, reading, none, none, none, none]);
  });

  test('weighs sequences by symbol, batch or source', () => {
    expect([...makeBatch(sequences, 'symbol').weight]).toEqual([Math.fround(1 / 6), Math.fround(1 / 6)]);
    expect([...makeBatch(sequences, 'batch').weight]).toEqual([1, 1]);
    expect([...makeBatch(sequences, 'source').weight]).toEqual([1 / 2, 1 / 4]);
    expect([...makeBatch([tutorial.prompt([0], [])], 'symbol').weight]).toEqual([0]);
  });
});
