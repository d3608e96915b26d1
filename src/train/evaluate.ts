import type { Config } from '../base/config.ts';
import { InputError } from '../base/errors.ts';
import { endsOfModel, readsOfModel } from '../base/memories.ts';
import { Rng, STREAM } from '../base/rng.ts';
import type { Model } from '../engine/engine.ts';
import { lowerBound } from '../tasks/language.ts';
import {
  formatOutputs,
  formatSource,
  inputName,
  lengthAtMost,
  makeBatch,
  type Pair,
  type Split,
  type Task,
  targetName,
} from '../tasks/task.ts';
import { addReport, emptySums, type Metrics, metricsOf, type Profile, ProfileSums } from './metrics.ts';

/** Results of a model on the sequences of one evaluation. */
export interface Evaluation extends Metrics {
  /** Range of source lengths: shortest … length. */
  shortest: number;
  length: number;
  sequences: number;
  /** For language modelling: the lower bound of the loss on these strings, in nats per symbol (see lowerBound). */
  bound?: number;
  /** Mean controls in the reading and the writing phase. */
  profile: Profile;
  /**
   * The first few sequences as text. In tasks with feedback, each symbol was predicted from the correct symbols before
   * it (teacher forcing).
   */
  samples: { source: string; expected: string; predicted: string }[];
}

export interface EvaluateOptions {
  /** L, the length of the sources, or the maximum length. */
  length: number;
  /** Minimum length; by default `length`. */
  shortest?: number;
  sequences: number;
  seed: number;
  /** Selects one of the seed's evaluation sets; by default the length, so every length has its own. */
  index?: number;
  /** Part of your own data; by default `test`. The whole part is used if it has no more than `sequences` pairs. */
  split?: Split;
}

const SAMPLES = 4;

/** Sequences per batch, given their time steps: up to 256, fewer for long sequences, to bound memory. */
export const batchFor = (T: number): number => Math.max(1, Math.min(256, Math.floor(65_536 / T)));

/** Calls `work` on consecutive slices of `items`, one at a time. */
async function inBatches<T>(
  items: readonly T[],
  size: number,
  work: (slice: readonly T[]) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < items.length; from += size) await work(items.slice(from, from + size));
}

/** The pairs to evaluate on: new ones, or those of a part of your own data. */
function evaluationPairs(task: Task, options: EvaluateOptions): readonly Pair[] {
  const { length, shortest = length, sequences, seed, index = length, split = 'test' } = options;
  if (shortest > length) {
    throw new InputError(
      `the shortest length to evaluate (${shortest}) must not exceed the longest (${length}).`,
    );
  }
  if (task.pairs) return task.pairs(shortest, length, split).slice(0, sequences);
  const rng = new Rng(seed, STREAM.evaluate, index);
  return Array.from({ length: sequences }, () => task.pair(rng, shortest, length, split));
}

/**
 * Evaluates a model on sequences of one length or a range of lengths. The batch size does not affect the sequences.
 * @throws InputError if the task has none of these lengths
 */
export async function evaluate(model: Model, task: Task, options: EvaluateOptions): Promise<Evaluation> {
  const pairs = evaluationPairs(task, options);
  const sums = emptySums();
  const profile = new ProfileSums(endsOfModel(model.spec));
  const samples: Evaluation['samples'] = [];
  // The requested range may exceed that of your own data. For generated sequences it is reported as requested.
  const lengths = pairs.map(({ source }) => source.length);
  const [shortest, length] = task.pairs
    ? [lengths.reduce((a, b) => Math.min(a, b)), lengths.reduce((a, b) => Math.max(a, b))]
    : [options.shortest ?? options.length, options.length];
  await inBatches(pairs, batchFor(task.steps(length)), async slice => {
    const batch = makeBatch(slice.map(task.sequence), 'symbol');
    const forward = await model.forward(batch);
    addReport(sums, forward.report);
    // If any result of a batch is not finite, all of its sequences count as wrong in coarse and fine accuracy. Loss
    // and symbol accuracy leave the batch out.
    if (!forward.report.finite) sums.sequences += slice.length;
    profile.add(batch, forward);
    for (let b = 0; b < slice.length && samples.length < SAMPLES; b++) {
      const { source, target } = slice[b];
      const expected = task.end === undefined ? target : [...target, task.end];
      const at = (i: number) => (task.targetStart(source.length) + i) * batch.B + b;
      samples.push({
        source: formatSource(task, source),
        expected: formatOutputs(task, expected),
        predicted: formatOutputs(
          task,
          expected.map((_, i) => forward.predicted[at(i)]),
        ),
      });
    }
  });
  const sequences = pairs.length;
  const strings = pairs.map(({ source }) => source);
  const bound = lowerBound(task, strings, shortest, length);
  return {
    shortest,
    length,
    sequences,
    ...metricsOf(sums),
    ...(bound !== undefined && { bound }),
    profile: profile.profile,
    samples,
  };
}

/** Evaluates a model at each of several source lengths, to measure how far it generalises beyond training. */
export async function evaluateLengths(
  model: Model,
  task: Task,
  lengths: readonly number[],
  options: Omit<EvaluateOptions, 'length' | 'shortest' | 'index'>,
): Promise<Evaluation[]> {
  const evaluations: Evaluation[] = [];
  for (const length of lengths) evaluations.push(await evaluate(model, task, { ...options, length }));
  return evaluations;
}

/**
 * Evaluates a finished run, trained on sources of up to `longest` symbols: at that length and at twice that length. If
 * `evaluateFrom` is set: over the trained lengths and over the evaluated lengths. For your own data: on the
 * test part, over all its lengths. `sequences` is the number for each of these evaluations.
 */
export async function evaluateResult(
  model: Model,
  task: Task,
  { task: { minLength }, train: { seed, evaluateFrom, evaluateLength } }: Config,
  longest: number,
  sequences: number,
): Promise<Evaluation[]> {
  const ranges = task.pairs
    ? [[1, Number.MAX_SAFE_INTEGER]]
    : evaluateFrom
      ? [
          [minLength, longest],
          [evaluateFrom, evaluateLength || 2 * longest],
        ]
      : [longest, 2 * longest].map(length => [lengthAtMost(task, length), lengthAtMost(task, length)]);
  const evaluations: Evaluation[] = [];
  for (const [shortest, length] of ranges) {
    evaluations.push(await evaluate(model, task, { shortest, length, sequences, seed }));
  }
  return evaluations;
}

export interface Prediction {
  /** Output symbols, without the end symbol. */
  outputs: number[];
  text: string;
  /** False if the answer was cut off at `limit` symbols, before the end symbol. */
  ended: boolean;
  limit: number;
}

/**
 * The default maximum number of symbols in an answer to a source of L symbols: 2·L + 8, or the length of the longest
 * target with its end symbol if that is more.
 */
const limitOf = (task: Task, length: number): number =>
  Math.max(2 * length + 8, task.answerLimit?.(length) ?? task.steps(length) - length - 1);

/**
 * Greedy decoding. If the task feeds outputs back, the whole batch is run again for every symbol, until each sequence
 * has produced its end symbol or reached its limit. Otherwise one pass produces the whole answer.
 * @param maxLength maximum number of symbols in an answer (default: see limitOf); ignored without feedback of outputs
 */
export async function predict(
  model: Model,
  task: Task,
  sources: readonly (readonly number[])[],
  maxLength?: number,
): Promise<Prediction[]> {
  const limitFor = (length: number): number => maxLength ?? limitOf(task, length);
  const predictions = sources.map(
    (source): Prediction => ({
      outputs: [],
      text: '',
      ended: task.end === undefined,
      limit: limitFor(source.length),
    }),
  );
  const longest = sources.reduce((longest, source) => Math.max(longest, source.length), 1);
  const order = sources.map((_, index) => index);
  await inBatches(order, batchFor(longest + 2 + limitFor(longest)), async slice => {
    let active = slice;
    while (active.length) {
      const prompts = active.map(index => task.prompt(sources[index], predictions[index].outputs));
      const { predicted } = await model.forward(makeBatch(prompts, 'symbol'));
      const outputAt = (t: number, b: number) => predicted[t * active.length + b];
      if (task.end === undefined) {
        active.forEach((index, b) => {
          const source = sources[index];
          const from = task.targetStart(source.length);
          const length = task.targetLength?.(source) ?? source.length;
          predictions[index].outputs = Array.from({ length }, (_, i) => outputAt(from + i, b));
        });
        break;
      }
      const { end } = task;
      active = active.filter((index, b) => {
        const { outputs } = predictions[index];
        const output = outputAt(prompts[b].target.length - 1, b);
        // After the last allowed symbol, the next output may still be the end symbol.
        const continues = output !== end && outputs.length < predictions[index].limit;
        if (output === end) predictions[index].ended = true;
        else if (continues) outputs.push(output);
        return continues;
      });
    }
  });
  for (const prediction of predictions) prediction.text = formatOutputs(task, prediction.outputs);
  return predictions;
}

/** One step of a traced sequence; E is the number of ends of the model's memories. */
export interface TraceStep {
  input: string;
  /** The correct output, if the step has one, it is known and the correct symbols were fed in; else `·`. */
  target: string;
  phase: 'none' | 'reading' | 'writing';
  /** [E] values of each control by name, such as push and pop. A deque's ends are its top, then its bottom. */
  controls: Record<string, number[]>;
  /** For each memory, the strengths of all rows after the step: oldest first; for a deque, from bottom to top. */
  strengths: number[][];
  /** [Q·M] the read vectors; Q is the number of reads of the model's memories. */
  read: number[];
  /** The most likely output, and its value (with softmax, its probability). */
  output: string;
  probability: number;
}

/**
 * Records every step while the model decodes a source without being given the target.
 * @param known the outputs, if predict() has computed them already
 */
export async function trace(
  model: Model,
  task: Task,
  source: readonly number[],
  known?: readonly number[],
): Promise<TraceStep[]> {
  const outputs = known ?? (await predict(model, task, [source]))[0].outputs;
  const target = task.targetOf?.(source);
  // If outputs are fed back, the model saw the correct sequence only if its outputs are correct.
  const isCorrect = target && (task.end === undefined || outputs.join() === target.join());
  const sequence = isCorrect ? task.sequence({ source, target }) : task.prompt(source, outputs);
  const forward = await model.forward(makeBatch([sequence], 'symbol'), true);
  const { output, read, strengths } = forward.trace!;
  const { outputs: V, width: M } = model.spec;
  const [E, Q] = [endsOfModel(model.spec), readsOfModel(model.spec)];
  const phases = ['none', 'reading', 'writing'] as const;
  return sequence.target.map((_, t) => ({
    input: inputName(task, sequence, t),
    target: targetName(task, sequence, t),
    phase: phases[sequence.phase[t]],
    controls: Object.fromEntries(
      Object.entries(forward.controls).map(([name, all]) => [name, [...all.subarray(t * E, (t + 1) * E)]]),
    ),
    strengths: strengths.map(([steps]) => [...steps[t]]),
    read: [...read.subarray(t * Q * M, (t + 1) * Q * M)],
    output: task.outputNames[forward.predicted[t]],
    probability: output[t * V + forward.predicted[t]],
  }));
}
