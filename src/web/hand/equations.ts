import { memoryBackward, memoryForward } from '../../reference/memory.ts';
import { readWeights } from '../memory/weights.ts';

/** A memory operated by hand, on numbers instead of vectors, and the paper's three equations with these numbers in them. */

export type Kind = 'stack' | 'queue';

/** What a person sets: [T] push and pop strengths, and values. */
export interface Inputs {
  push: number[];
  pop: number[];
  value: number[];
}

/** What follows from it. */
export interface Outcome {
  /** [T] what is read. */
  read: number[];
  /** [T][t+1] strengths after each step, oldest row first, and how much of each row is read. */
  strengths: number[][];
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

/** [T] how much the read of step t changes with each input: gradients, as training follows them. */
export function slopesOf(kind: Kind, { push, pop, value }: Inputs, t: number): Inputs {
  const made = memoryForward(kind, [push, pop], value);
  const dRead = push.map((_, step) => Number(step === t));
  const { dPush, dPop, dValue } = memoryBackward(kind, [push, pop], value, made, dRead);
  return { push: [...dPush], pop: [...dPop], value: [...dValue] };
}

/** A line of an equation: the letters, the numbers in their place, and what they come to. */
export interface Line {
  letters: string;
  numbers: string;
  result: string;
}

/** Subscripts; rows and steps are counted from 1, as in the paper. */
const sub = (n: number): string => String(n).replace(/\d/g, digit => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)]);
/** `0.3`, `0.45`, `2.8`: two digits at most. */
export const plain = (value: number): string => String(Number(value.toFixed(2)) + 0);
const sum = (values: readonly number[]): string => (values.length ? values.map(plain).join(' + ') : '0');
/** In brackets where it is a sum. */
const bracketed = (values: readonly number[]): string =>
  values.length > 1 ? `(${sum(values)})` : sum(values);

/** The rows nearer to the end that is popped and read: above row i in a stack, below it in a queue. */
const nearer = (kind: Kind, values: readonly number[], i: number): number[] =>
  kind === 'stack' ? values.slice(i + 1) : values.slice(0, i);
const range = (kind: Kind, name: string, i: number): string =>
  `Σ ${name}[j] over j ${kind === 'stack' ? '>' : '<'} ${i + 1}`;

/** Equation 1: a new row for the value, the old rows as they were. */
export const pushLine = ({ value }: Inputs, t: number): Line => ({
  letters: `V${sub(t + 1)}[${t + 1}] = v${sub(t + 1)}`,
  numbers: '',
  result: plain(value[t]),
});

/** Equation 2 (4 of a queue), newest row first: what the pop leaves of the rows before, and the new row. */
export function strengthLines(kind: Kind, { push, pop }: Inputs, { strengths }: Outcome, t: number): Line[] {
  const now = `s${sub(t + 1)}`;
  const before = t > 0 ? strengths[t - 1] : [];
  const was = `s${sub(t)}`;
  const old = before.map((strength, i) => ({
    letters: `${now}[${i + 1}] = max(0, ${was}[${i + 1}] − max(0, u${sub(t + 1)} − ${range(kind, was, i)}))`,
    numbers: `max(0, ${plain(strength)} − max(0, ${plain(pop[t])} − ${bracketed(nearer(kind, before, i))}))`,
    result: plain(strengths[t][i]),
  }));
  return [
    { letters: `${now}[${t + 1}] = d${sub(t + 1)}`, numbers: '', result: plain(push[t]) },
    ...old.reverse(),
  ];
}

/** Equation 3 (5 of a queue): rows count from the end that is read, until their strengths make 1. */
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
