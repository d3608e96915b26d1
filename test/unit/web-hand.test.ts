import { describe, expect, test } from 'vitest';
import {
  outcomeOf,
  plain,
  pushLine,
  readLines,
  slopesOf,
  strengthLines,
} from '../../src/web/hand/equations.ts';
import { EXAMPLES } from '../../src/web/hand/examples.ts';

/** The memory operated by hand: it starts with Figure 1 of the paper, and shows the equations with their numbers. */

const example = (id: string) => EXAMPLES.find(example => example.id === id)!;
const figure = example('figure').inputs;

const numbers = (lines: { numbers: string; result: string }[]): string[] =>
  lines.map(({ numbers, result }) => `${numbers} = ${result}`);

describe('Figure 1', () => {
  const outcome = outcomeOf('stack', figure);

  test("strengths and reads are the paper's", () => {
    expect(outcome.strengths.map(row => row.map(plain))).toEqual([
      ['0.8'],
      ['0.7', '0.5'],
      ['0.3', '0', '0.9'],
    ]);
    expect(outcome.weights[2].map(plain)).toEqual(['0.1', '0', '0.9']);
    expect(outcome.read.map(plain)).toEqual(['0.8', '1.5', '2.8']);
  });

  test('the equations contain its numbers', () => {
    expect(pushLine(figure, 2)).toEqual({ letters: 'V₃[3] = v₃', numbers: '', result: '3' });
    const strengths = strengthLines('stack', figure, outcome, 2);
    expect(numbers(strengths)).toEqual([
      ' = 0.9',
      'max(0, 0.5 − max(0, 0.9 − 0)) = 0',
      'max(0, 0.7 − max(0, 0.9 − 0.5)) = 0.3',
    ]);
    expect(strengths[2].letters).toBe('s₃[1] = max(0, s₂[1] − max(0, u₃ − Σ s₂[j] over j > 1))');
    expect(numbers(readLines('stack', figure, outcome, 2))).toEqual([
      'min(0.9, max(0, 1 − 0)) = 0.9',
      'min(0, max(0, 1 − 0.9)) = 0',
      'min(0.3, max(0, 1 − (0 + 0.9))) = 0.1',
      '0.9 · 3 + 0 · 2 + 0.1 · 1 = 2.8',
    ]);
  });

  test('slopes are the gradients of one read', () => {
    // r₃ = d₃·v₃ + (1 − d₃)·v₁: the slope is 3 − 1 for d₃, and 0 for d₁ and d₂, which do not occur in it.
    const slopes = slopesOf('stack', figure, 2);
    expect(slopes.push.map(plain)).toEqual(['0', '0', '2']);
    expect(slopes.value.map(plain)).toEqual(['0.1', '0', '0.9']);
  });
});

test('a queue reads and pops from the oldest row, and its equations sum over j < i', () => {
  const { inputs } = example('copy');
  const outcome = outcomeOf('queue', inputs);
  expect(outcome.read.map(plain)).toEqual(['1', '1', '1', '2', '3']);
  const [, ...old] = strengthLines('queue', inputs, outcome, 3);
  expect(old.at(-1)!.letters).toContain('over j < 1');
  expect(outcomeOf('stack', example('reverse').inputs).read.map(plain)).toEqual(['1', '2', '3', '2', '1']);
});

test('the numbers shown are the numbers computed, in every example at every step', () => {
  const value = (text: string): number =>
    new Function('min', 'max', `return ${text.replaceAll('−', '-').replaceAll('·', '*')}`)(
      Math.min,
      Math.max,
    );
  for (const { kind, inputs } of EXAMPLES) {
    const outcome = outcomeOf(kind, inputs);
    for (let t = 0; t < inputs.push.length; t++) {
      const lines = [...strengthLines(kind, inputs, outcome, t), ...readLines(kind, inputs, outcome, t)];
      for (const line of lines) {
        if (line.numbers) expect(value(line.numbers), line.numbers).toBeCloseTo(Number(line.result), 1);
      }
    }
  }
});
