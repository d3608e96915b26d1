import { PHASE } from '../base/dims.ts';
import { Rng, STREAM } from '../base/rng.ts';
import type { Model } from '../engine/engine.ts';
import {
  answerOf,
  formatSymbols,
  inputName,
  makeBatch,
  type Sequence,
  sample,
  type Task,
  targetName,
} from '../tasks/task.ts';
import { addReport, type Metrics, metricsOf, noSums, type Profile, profileOf } from './metrics.ts';

/** What a model does on fresh sequences of one source length. */
export interface Evaluation extends Metrics {
  length: number;
  sequences: number;
  profile: Profile;
  /** The first few, in words. Each symbol was predicted with the right ones before it fed in. */
  samples: { source: string; expected: string; predicted: string }[];
}

export interface EvaluateOptions {
  /** L of every source. */
  length: number;
  sequences: number;
  seed: number;
  /** Which of the seed's evaluation sets; by default that of the length. */
  index?: number;
}

const SAMPLES = 4;

/** Sequences at a time: many, but long ones in smaller batches, so that memory stays within bounds. */
export const batchFor = (T: number): number => Math.max(1, Math.min(256, Math.floor(65_536 / T)));

/** Calls `work` on slices of `items`, one after the other. */
async function inBatches<T>(
  items: readonly T[],
  size: number,
  work: (slice: readonly T[]) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < items.length; from += size) await work(items.slice(from, from + size));
}

/** Evaluates on fresh sequences; their number at a time does not change what they are. */
export async function evaluate(model: Model, task: Task, options: EvaluateOptions): Promise<Evaluation> {
  const { length, sequences, seed, index = length } = options;
  const rng = new Rng(seed, STREAM.evaluate, index);
  const all = Array.from({ length: sequences }, () => sample(task, rng, length));
  const sums = noSums();
  const evaluated: Parameters<typeof profileOf>[0][number][] = [];
  const samples: Evaluation['samples'] = [];
  await inBatches(all, batchFor(all[0]?.target.length ?? 1), async slice => {
    const batch = makeBatch(slice, 'symbol');
    const forward = await model.forward(batch);
    addReport(sums, forward.report);
    evaluated.push({ batch, forward });
    for (let b = 0; b < slice.length && samples.length < SAMPLES; b++) {
      const expected = answerOf(slice[b]);
      const at = (i: number) => (task.answerAt(length) + i) * batch.B + b;
      const predicted = expected.map((_, i) => forward.predicted[at(i)]);
      samples.push({
        source: sourceOf(task, slice[b]),
        expected: formatSymbols(task.outputNames, expected),
        predicted: formatSymbols(task.outputNames, predicted),
      });
    }
  });
  return { length, sequences, ...metricsOf(sums), profile: profileOf(evaluated), samples };
}

/** The source within a sequence: the symbols among the inputs of its reading steps. */
function sourceOf(task: Task, { ids, phase }: Sequence): string {
  const symbols = new Set(task.symbolNames);
  const K = task.activeInputs;
  return ids
    .filter((_, n) => phase[Math.floor(n / K)] === PHASE.reading)
    .map(id => task.inputNames[id])
    .filter(name => symbols.has(name))
    .join(' ');
}

/** Evaluates at each of a list of source lengths: how far beyond the trained ones does it carry? */
export async function evaluateLengths(
  model: Model,
  task: Task,
  lengths: readonly number[],
  options: Omit<EvaluateOptions, 'length' | 'index'>,
): Promise<Evaluation[]> {
  const evaluations: Evaluation[] = [];
  for (const length of lengths) evaluations.push(await evaluate(model, task, { ...options, length }));
  return evaluations;
}

export interface Prediction {
  /** Outputs, without the end symbol. */
  outputs: number[];
  text: string;
  /** False: it was cut off before the end symbol came. */
  ended: boolean;
}

/**
 * Greedy decoding. Where the task feeds outputs back, the whole batch is run again for every symbol, until
 * each sequence has given its end symbol or 2·L + 8 others; else one pass gives all L of them.
 */
export async function predict(model: Model, task: Task, sources: readonly number[][]): Promise<Prediction[]> {
  const predictions = sources.map(
    (): Prediction => ({ outputs: [], text: '', ended: task.end === undefined }),
  );
  const longest = sources.reduce((most, source) => Math.max(most, source.length), 1);
  const order = sources.map((_, index) => index);
  await inBatches(order, batchFor(3 * longest + 10), async slice => {
    let active = slice;
    while (active.length) {
      const prompts = active.map(index => task.prompt(sources[index], predictions[index].outputs));
      const { predicted } = await model.forward(makeBatch(prompts, 'symbol'));
      const outputAt = (t: number, b: number) => predicted[t * active.length + b];
      if (task.end === undefined) {
        active.forEach((index, b) => {
          const from = task.answerAt(sources[index].length);
          predictions[index].outputs = sources[index].map((_, i) => outputAt(from + i, b));
        });
        break;
      }
      const { end } = task;
      active = active.filter((index, b) => {
        const { outputs } = predictions[index];
        const output = outputAt(prompts[b].target.length - 1, b);
        if (output === end) predictions[index].ended = true;
        else outputs.push(output);
        return output !== end && outputs.length < 2 * sources[index].length + 8;
      });
    }
  });
  for (const prediction of predictions) {
    prediction.text = formatSymbols(task.outputNames, prediction.outputs);
  }
  return predictions;
}

/** One step of a traced run. */
export interface TraceStep {
  input: string;
  /** The right output in a run with the right symbols fed in, else `·`. */
  target: string;
  phase: 'none' | 'reading' | 'writing';
  push: number;
  pop: number;
  /** Strengths of all rows after the step, oldest first. */
  strengths: number[];
  /** [M] what was read. */
  read: number[];
  /** The most likely output, and its value there (with softmax, its probability). */
  output: string;
  probability: number;
}

/** What happens at every step while the model decodes a source by itself. */
export async function trace(model: Model, task: Task, source: readonly number[]): Promise<TraceStep[]> {
  const [{ outputs }] = await predict(model, task, [[...source]]);
  const right = task.sequence(source);
  const same = task.end === undefined || outputs.join() === answerOf(right).slice(0, -1).join();
  const sequence = same ? right : task.prompt(source, outputs);
  const forward = await model.forward(makeBatch([sequence], 'symbol'), true);
  const { output, read, strengths } = forward.trace!;
  const { outputs: V, width: M } = model.spec;
  const phases = ['none', 'reading', 'writing'] as const;
  return sequence.target.map((_, t) => ({
    input: inputName(task, sequence, t),
    target: targetName(task, sequence, t),
    phase: phases[sequence.phase[t]],
    push: forward.push[t],
    pop: forward.pop[t],
    strengths: [...strengths[0][t]],
    read: [...read.subarray(t * M, (t + 1) * M)],
    output: task.outputNames[forward.predicted[t]],
    probability: output[t * V + forward.predicted[t]],
  }));
}
