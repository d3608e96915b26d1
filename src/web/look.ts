import { MASKED, ZERO_TARGET } from '../base/dims.ts';
import { endsOfModel } from '../base/parameters.ts';
import { Rng, STREAM } from '../base/rng.ts';
import type { Model } from '../engine/engine.ts';
import { hasLength, inputName, makeBatch, type Pair, type Task, targetName } from '../tasks/task.ts';
import { type Profile, profileOf } from '../train/metrics.ts';

/** One sequence over its T steps, the right symbols fed in. */
export interface Steps {
  /** [T] names; in `target` and `output` a `·` where no symbol is asked for. */
  input: string[];
  target: string[];
  output: string[];
  /** [T] push and pop strength of the first end of the first memory; 0 where there is none. */
  push: number[];
  pop: number[];
  /** [T][t+1] strengths of its rows after each step, oldest first (a deque's: those pushed at the top). */
  strengths: number[][];
}

export interface Sample {
  source: string[];
  expected: string[];
  predicted: string[];
}

/** What a model does now, all from one forward pass: a sequence step by step, samples, their profile. */
export interface Look {
  /** Training steps done. */
  step: number;
  shown: Steps;
  samples: Sample[];
  /** Of the samples. */
  profile: Profile;
}

/** Samples: of half the longest trained, of the longest, and of twice that. */
const SAMPLE_LENGTHS = [0.5, 1, 1, 2, 2];

/** Samples: the same for a seed and a longest source trained on. */
export const samplePairs = (task: Task, seed: number, longest: number): Pair[] =>
  SAMPLE_LENGTHS.map((share, i) => {
    const length = Math.max(1, Math.round(share * longest));
    return pairNear(task, new Rng(seed, STREAM.sample, longest * 16 + i), length);
  });

/** A first source to show: short enough for a narrow screen. */
export const firstSource = (task: Task, seed: number, longest: number): readonly number[] =>
  pairNear(task, new Rng(seed, STREAM.sample, 0), Math.max(4, Math.min(6, longest))).source;

/** A pair with a source of L symbols; where the task has none, of the nearest number above or below. */
function pairNear(task: Task, rng: Rng, length: number): Pair {
  for (let off = 0; off < 100; off++) {
    const near = [length + off, length - off].find(one => one > 0 && hasLength(task, one));
    if (near) return task.pair(rng, near, near);
  }
  return task.pair(rng, length, length);
}

/** Looks at a model: `source` step by step (without its target where the source does not tell it), `samples` in short. */
export async function lookAt(
  model: Model,
  task: Task,
  step: number,
  source: readonly number[],
  samples: readonly Pair[],
): Promise<Look> {
  const target = task.answer?.(source);
  const shown = target ? task.sequence({ source, target }) : task.prompt(source, []);
  const batch = makeBatch([shown, ...samples.map(task.sequence)], 'symbol');
  const { B } = batch;
  const E = endsOfModel(model.spec);
  const forward = await model.forward(batch, true);
  const asked = shown.target.map(target => target !== MASKED && target !== ZERO_TARGET);
  const predicted = asked.map((_, t) => forward.predicted[t * B]);
  const strength = (values: ArrayLike<number>) => asked.map((_, t) => (E ? values[t * B * E] : 0));
  return {
    step,
    shown: {
      input: asked.map((_, t) => inputName(task, shown, t)),
      target: asked.map((is, t) => (is ? targetName(task, shown, t) : '·')),
      output: asked.map((is, t) => (is ? task.outputNames[predicted[t]] : '·')),
      push: strength(forward.push),
      pop: strength(forward.pop),
      strengths: asked.map((_, t) => [...(forward.trace!.strengths[0]?.[0][t].slice(-1 - t) ?? [])]),
    },
    samples: samples.map(({ source, target }, i) => {
      const b = i + 1;
      const expected = task.end === undefined ? target : [...target, task.end];
      const from = task.answerAt(source.length);
      return {
        source: source.map(symbol => task.symbolNames[symbol]),
        expected: expected.map(symbol => task.outputNames[symbol]),
        predicted: expected.map((_, k) => task.outputNames[forward.predicted[(from + k) * B + b]]),
      };
    }),
    profile: profileOf([{ batch, forward }], E),
  };
}
