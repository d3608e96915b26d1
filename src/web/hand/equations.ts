import { memoryBackward, memoryForward } from '../../reference/memory.ts';
import { readWeights } from '../memory/weights.ts';

/**
 * A stack or queue operated by hand, with numbers as values, and the paper's equations (1 to 3; for a queue 1, 4 and 5)
 * with these numbers.
 */

export type Kind = 'stack' | 'queue';

/** The inputs that the user sets: [T] push strengths, pop strengths and values. */
export interface Inputs {
  push: number[];
  pop: number[];
  value: number[];
}

/** The reads and strengths that follow from the inputs. */
export interface Outcome {
  /** [T] the reads. */
  read: number[];
  /** [T][t+1] strengths after each step, oldest row first. */
  strengths: number[][];
  /** [T][t+1] the weight of each row in the read. */
  weights: number[][];
}

export function outcomeOf(kind: Kind, { push, pop, value }: Inputs): Outcome {
  const { read, strengths } = memoryForward(kind, [push, pop], value);
  return {
    read: [...read],
    strengths: strengths.map(row => [...row]),
    weights: strengths.map(row => readWeights(kind, 0, [...row])),
  };
}

/** [T] the derivatives of the read of step t with respect to each input. */
export function slopesOf(kind: Kind, { push, pop, value }: Inputs, t: number): Inputs {
  const forward = memoryForward(kind, [push, pop], value);
  const dRead = push.map((_, step) => Number(step === t));
  const { dPush, dPop, dValue } = memoryBackward(kind, [push, pop], value, forward, dRead);
  return { push: [...dPush], pop: [...dPop], value: [...dValue] };
}

/** An equation in symbols, with the numbers filled in, and its result. */
export interface Line {
  letters: string;
  numbers: string;
  result: string;
}

/** Subscripts; rows and steps are counted from 1, as in the paper. */
const sub = (n: number): string => String(n).replace(/\d/g, digit => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)]);
/** `0.3`, `0.45`, `2.8`: at most two decimals. */
export const plain = (value: number): string => String(Number(value.toFixed(2)) + 0);
const sum = (values: readonly number[]): string => (values.length ? values.map(plain).join(' + ') : '0');
/** The sum of the values, in brackets if it has several terms. */
const bracketed = (values: readonly number[]): string =>
  values.length > 1 ? `(${sum(values)})` : sum(values);

/** The entries of rows nearer than row i to the end that is popped and read: in a stack above it, in a queue below. */
const nearer = (kind: Kind, values: readonly number[], i: number): number[] =>
  kind === 'stack' ? values.slice(i + 1) : values.slice(0, i);
const range = (kind: Kind, name: string, i: number): string =>
  `Σ ${name}[j] over j ${kind === 'stack' ? '>' : '<'} ${i + 1}`;

/** Equation 1: a new row for the value; the old rows are unchanged. */
export const pushLine = ({ value }: Inputs, t: number): Line => ({
  letters: `V${sub(t + 1)}[${t + 1}] = v${sub(t + 1)}`,
  numbers: '',
  result: plain(value[t]),
});

/** Equation 2 (queue: 4), newest row first: the new row, and what the pop leaves of the old rows. */
export function strengthLines(kind: Kind, { push, pop }: Inputs, { strengths }: Outcome, t: number): Line[] {
  const now = `s${sub(t + 1)}`;
  const previous = t > 0 ? strengths[t - 1] : [];
  const before = `s${sub(t)}`;
  const old = previous.map((strength, i) => ({
    letters: `${now}[${i + 1}] = max(0, ${before}[${i + 1}] − max(0, u${sub(t + 1)} − ${range(kind, before, i)}))`,
    numbers: `max(0, ${plain(strength)} − max(0, ${plain(pop[t])} − ${bracketed(nearer(kind, previous, i))}))`,
    result: plain(strengths[t][i]),
  }));
  return [
    { letters: `${now}[${t + 1}] = d${sub(t + 1)}`, numbers: '', result: plain(push[t]) },
    ...old.reverse(),
  ];
}

/** Equation 3 (queue: 5): the top rows (queue: the oldest) are read until their strengths sum to 1. */
export function readLines(kind: Kind, { value }: Inputs, outcome: Outcome, t: number): Line[] {
  const [strengths, weights] = [outcome.strengths[t], outcome.weights[t]];
  const now = `s${sub(t + 1)}`;
  const rows = strengths.map((strength, i) => ({
    letters: `weight of row ${i + 1} = min(${now}[${i + 1}], max(0, 1 − ${range(kind, now, i)}))`,
    numbers: `min(${plain(strength)}, max(0, 1 − ${bracketed(nearer(kind, strengths, i))}))`,
    result: plain(weights[i]),
  }));
  const terms = weights.map((weight, i) => `${plain(weight)} · ${plain(value[i])}`);
  return [
    ...rows.reverse(),
    {
      letters: `r${sub(t + 1)} = Σ weight · V[i]`,
      numbers: terms.reverse().join(' + '),
      result: plain(outcome.read[t]),
    },
  ];
}
