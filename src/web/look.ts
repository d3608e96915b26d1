import { MASKED, ZERO_TARGET } from '../base/dims.ts';
import { Rng, STREAM } from '../base/rng.ts';
import type { Model } from '../engine/engine.ts';
import { answerOf, inputName, makeBatch, type Task, targetName } from '../tasks/task.ts';
import { type Profile, profileOf } from '../train/metrics.ts';

/** One sequence over its T steps, the right symbols fed in. */
export interface Steps {
  /** [T] names; in `target` and `output` a `·` where no symbol is asked for. */
  input: string[];
  target: string[];
  output: string[];
  /** [T] push and pop strength. */
  push: number[];
  pop: number[];
  /** [T][t+1] strengths of all rows after each step, oldest first. */
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

/** Sources of samples: the same for a seed and a longest source trained on. */
export const sampleSources = (task: Task, seed: number, longest: number): number[][] =>
  SAMPLE_LENGTHS.map((share, i) =>
    task.source(new Rng(seed, STREAM.sample, longest * 16 + i), Math.max(1, Math.round(share * longest))),
  );

/** A first source to show: short enough for a narrow screen. */
export const firstSource = (task: Task, seed: number, longest: number): number[] =>
  task.source(new Rng(seed, STREAM.sample, 0), Math.max(4, Math.min(6, longest)));

/** Looks at a model: `source` step by step, `samples` in short. */
export async function lookAt(
  model: Model,
  task: Task,
  step: number,
  source: readonly number[],
  samples: readonly (readonly number[])[],
): Promise<Look> {
  const sequences = [source, ...samples].map(one => task.sequence(one));
  const batch = makeBatch(sequences, 'symbol');
  const { B } = batch;
  const forward = await model.forward(batch, true);
  const [shown] = sequences;
  const asked = shown.target.map(target => target !== MASKED && target !== ZERO_TARGET);
  const column = (values: ArrayLike<number>) => asked.map((_, t) => values[t * B]);
  const predicted = column(forward.predicted);
  return {
    step,
    shown: {
      input: asked.map((_, t) => inputName(task, shown, t)),
      target: asked.map((is, t) => (is ? targetName(task, shown, t) : '·')),
      output: asked.map((is, t) => (is ? task.outputNames[predicted[t]] : '·')),
      push: column(forward.push),
      pop: column(forward.pop),
      strengths: asked.map((_, t) => [...forward.trace!.strengths[0][t]]),
    },
    samples: samples.map((sample, i) => {
      const b = i + 1;
      const expected = answerOf(sequences[b]);
      const from = task.answerAt(sample.length);
      return {
        source: sample.map(symbol => task.symbolNames[symbol]),
        expected: expected.map(symbol => task.outputNames[symbol]),
        predicted: expected.map((_, k) => task.outputNames[forward.predicted[(from + k) * B + b]]),
      };
    }),
    profile: profileOf([{ batch, forward }]),
  };
}
