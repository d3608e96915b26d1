import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MASKED, NO_INPUT, PHASE, ZERO_TARGET } from '../../src/base/dims.ts';
import { InputError } from '../../src/base/errors.ts';
import { Rng, STREAM } from '../../src/base/rng.ts';
import { makeTask, taskNames } from '../../src/tasks/registry.ts';
import {
  answerOf,
  formatSymbols,
  inputName,
  makeBatch,
  parseSource,
  sample,
  targetName,
} from '../../src/tasks/task.ts';

const task = (name: string, symbols: number) => makeTask({ name, symbols, minLength: 1, maxLength: 5 });

/** The worked examples of a file's docstring: tables of rows `source`, `input`, `target`, `phase`. */
function examplesOf(file: string): Record<string, string[]>[] {
  const text = readFileSync(new URL(`../../src/tasks/${file}`, import.meta.url), 'utf8');
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

describe.each([
  { file: 'reverse.ts', symbols: 3, name: 'reverse', count: 1 },
  { file: 'tutorial.ts', symbols: 2, name: '', count: 2 },
])('worked examples of $file', ({ file, symbols, name, count }) => {
  const examples = examplesOf(file);
  test('are there', () => expect(examples).toHaveLength(count));
  test.each(examples)('%o', example => {
    const made = task(example.task?.[0] ?? name, symbols);
    const sequence = made.sequence(parseSource(made, example.source.join(' ')));
    const steps = sequence.target.map((_, t) => t);
    expect(steps.map(t => inputName(made, sequence, t))).toEqual(example.input);
    expect(steps.map(t => targetName(made, sequence, t))).toEqual(example.target);
    expect(steps.map(t => '.rw'[sequence.phase[t]])).toEqual(example.phase);
    expect(sequence.sourceLength).toBe(example.source.length);
  });
});

describe.each(taskNames)('task %s', name => {
  const made = task(name, 5);
  test('keeps to its sizes', () => {
    for (const length of [1, 2, 7]) {
      const sequence = sample(made, new Rng(1, STREAM.sample, length), length);
      const T = sequence.target.length;
      expect(sequence.ids).toHaveLength(T * made.activeInputs);
      expect(sequence.phase).toHaveLength(T);
      expect(sequence.ids.every(id => id < made.inputs || id === NO_INPUT)).toBe(true);
      expect(sequence.target.every(o => o < made.outputs || o === MASKED || o === ZERO_TARGET)).toBe(true);
      expect(sequence.target[made.answerAt(length)]).toBe(answerOf(sequence)[0]);
    }
    expect(made.inputNames).toHaveLength(made.inputs);
    expect(made.outputNames).toHaveLength(made.outputs);
  });

  test('a prompt has the inputs of the sequence and no target', () => {
    const source = [0, 1, 2];
    const whole = made.sequence(source);
    const prompt = made.prompt(source, [2, 1, 0]);
    expect({ ...prompt, target: whole.target }).toEqual(whole);
    expect(new Set(prompt.target)).toEqual(new Set([MASKED]));
  });

  test('its answer is the reverse', () => {
    const answer = answerOf(made.sequence(parseSource(made, 'a b c c')));
    expect(formatSymbols(made.outputNames, answer).replace(' </s>', '')).toBe('c c b a');
  });
});

test('sources are read with or without spaces, and unknown symbols are named', () => {
  const reverse = task('reverse', 4);
  expect(parseSource(reverse, ' a b  d ')).toEqual([0, 1, 3]);
  expect(parseSource(reverse, 'abd')).toEqual([0, 1, 3]);
  expect(() => parseSource(reverse, 'a b x')).toThrow(/unknown symbol "x" at place 3 of the source/);
  expect(() => parseSource(reverse, '  ')).toThrow(InputError);
  const large = task('reverse', 128);
  expect(parseSource(large, 's1 s128')).toEqual([0, 127]);
  expect(() => parseSource(large, 's129')).toThrow(/Known: s1 to s128/);
});

test('an unknown task is an input error with the nearest name', () => {
  expect(() => task('revrse', 4)).toThrow(/unknown task "revrse". Did you mean "reverse"\?/);
});

describe('makeBatch', () => {
  const tutorial = task('tutorial-part5', 2);
  const sequences = [tutorial.sequence([0]), tutorial.sequence([1, 0])];

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

  test('weighs by symbol, batch or source', () => {
    expect([...makeBatch(sequences, 'symbol').weight]).toEqual([Math.fround(1 / 6), Math.fround(1 / 6)]);
    expect([...makeBatch(sequences, 'batch').weight]).toEqual([1, 1]);
    expect([...makeBatch(sequences, 'source').weight]).toEqual([1 / 2, 1 / 4]);
    expect([...makeBatch([tutorial.prompt([0], [])], 'symbol').weight]).toEqual([0]);
  });
});
