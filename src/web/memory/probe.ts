import { MASKED, ZERO_TARGET } from '../../base/dims.ts';
import { endsOf, endsOfModel, type MemoryName, memoryKind, readsOf } from '../../base/memories.ts';
import { Rng, STREAM } from '../../base/rng.ts';
import type { Forward, Model } from '../../engine/engine.ts';
import {
  hasLength,
  inputName,
  makeBatch,
  type Pair,
  type Sequence,
  type Task,
  targetName,
} from '../../tasks/task.ts';
import { type Profile, profileOf } from '../../train/metrics.ts';
import { readWeights } from './weights.ts';

/** A possible output symbol and its value: its probability with softmax, else the output itself. */
export interface Likely {
  name: string;
  value: number;
}

/** One sequence over its T steps, with the correct symbols as inputs. */
export interface SequenceSteps {
  /** [T] names of symbols. In `target` and `output`, `·` where no output is expected. */
  input: string[];
  target: string[];
  output: string[];
  /** [T] the most likely outputs in order, then the correct one if it is not among them. */
  likely: Likely[][];
  memories: MemorySteps[];
}

/** One memory over the sequence. The ends of a deque are its top and its bottom. */
export interface MemorySteps {
  kind: MemoryName;
  ends: {
    /** [T] the values of each control, by name, such as push and pop. */
    controls: Record<string, number[]>;
    /** [T][M] the reads; those of several cells are concatenated. */
    read: number[][];
    /** [T][rows] the weight of each row in the read; rows as in `strengths`. */
    weights: number[][];
  }[];
  /**
   * [T][rows] after each step: t+1 rows, oldest first; for a deque 2(t+1) rows, from bottom to top. These are
   * strengths, or, for kinds without strengths, the share of each value that is left in all cells.
   */
  strengths: number[][];
}

export interface Sample {
  source: string[];
  expected: string[];
  predicted: string[];
}

/**
 * What a model does after a training step, from one forward pass: one sequence step by step, sample predictions, and
 * the push/pop profile of all of them.
 */
export interface ModelProbe {
  /** Training steps done. */
  step: number;
  shown: SequenceSteps;
  samples: Sample[];
  /** Mean controls, such as push and pop, over the shown sequence and the samples. */
  profile: Profile;
}

/** Lengths of the samples, as shares of the longest trained length. */
const SAMPLE_LENGTHS = [0.5, 1, 1, 2, 2];
/** Number of outputs to list per step. */
const MAX_LIKELY = 5;

/** Returns the sample pairs, which depend only on the seed and the longest trained length. */
export const samplePairs = (task: Task, seed: number, longest: number): Pair[] =>
  SAMPLE_LENGTHS.map((share, i) => {
    const length = Math.max(1, Math.round(share * longest));
    return pairNear(task, new Rng(seed, STREAM.sample, longest * 16 + i), length);
  });

/** Returns the first source to show, short enough for a narrow screen. */
export const firstSource = (task: Task, seed: number, longest: number): readonly number[] =>
  pairNear(task, new Rng(seed, STREAM.sample, 0), Math.max(4, Math.min(6, longest))).source;

/** Only lengths that differ from the requested one by less than this are tried. */
const MAX_OFFSET = 100;

/**
 * Returns a pair with a source of `length` symbols, or of the nearest length that the task has. If the task can list
 * its pairs, the nearest one is found at any distance.
 */
export function pairNear(task: Task, rng: Rng, length: number): Pair {
  for (let off = 0; off < MAX_OFFSET; off++) {
    const near = [length + off, length - off].find(length => length > 0 && hasLength(task, length));
    if (near) return task.pair(rng, near, near);
  }
  if (!task.pairs) return task.pair(rng, length, length);
  const distance = ({ source }: Pair): number => Math.abs(source.length - length);
  return task
    .pairs(1, Number.MAX_SAFE_INTEGER, 'train')
    .reduce((best, pair) => (distance(pair) < distance(best) ? pair : best));
}

/** The module that computes what the cells of a superposition stack or a tape hold. */
type SharesModule = typeof import('./shares.ts');

/**
 * Runs a model on `source` and on `samples`. If the source does not determine its target, only the prompt is run.
 */
export async function probeModel(
  model: Model,
  task: Task,
  step: number,
  source: readonly number[],
  samples: readonly Pair[],
): Promise<ModelProbe> {
  const target = task.targetOf?.(source);
  const shown = target ? task.sequence({ source, target }) : task.prompt(source, []);
  const batch = makeBatch([shown, ...samples.map(task.sequence)], 'symbol');
  const forward = await model.forward(batch, true);
  const { memory } = model.spec;
  // Loaded on demand: most pages never show a memory with cells.
  const shares = memory === 'none' || memoryKind(memory).rows ? undefined : await import('./shares.ts');
  return {
    step,
    shown: stepsOf(model, task, shown, forward, batch.B, shares),
    samples: samples.map(({ source, target }, i) => {
      const b = i + 1;
      const expected = task.end === undefined ? target : [...target, task.end];
      const from = task.targetStart(source.length);
      return {
        source: source.map(symbol => task.symbolNames[symbol]),
        expected: expected.map(symbol => task.outputNames[symbol]),
        predicted: expected.map((_, k) => task.outputNames[forward.predicted[(from + k) * batch.B + b]]),
      };
    }),
    profile: profileOf(batch, forward, endsOfModel(model.spec)),
  };
}

/** Returns the steps of the first sequence in a batch of B. */
function stepsOf(
  model: Model,
  task: Task,
  shown: Sequence,
  forward: Forward,
  B: number,
  shares: SharesModule | undefined,
): SequenceSteps {
  const expected = shown.target.map(target => target !== MASKED && target !== ZERO_TARGET);
  const { memory, memories } = model.spec;
  return {
    input: expected.map((_, t) => inputName(task, shown, t)),
    target: expected.map((isExpected, t) => (isExpected ? targetName(task, shown, t) : '·')),
    output: expected.map((isExpected, t) => (isExpected ? task.outputNames[forward.predicted[t * B]] : '·')),
    likely: shown.target.map((target, t) => likelyAt(task, forward, t * B, target)),
    memories:
      memory === 'none'
        ? []
        : Array.from({ length: memories }, (_, m) =>
            memoryOf(model, memory, m, forward, B, expected.length, shares),
          ),
  };
}

/** Returns the steps of memory m for the first sequence in a batch of B. */
function memoryOf(
  { spec }: Model,
  kind: MemoryName,
  m: number,
  forward: Forward,
  B: number,
  T: number,
  shares: SharesModule | undefined,
): MemorySteps {
  const [E, perMemory] = [endsOfModel(spec), endsOf(kind)];
  // How many numbers one end reads per step.
  const width = (readsOf(kind, spec.reads) / perMemory) * spec.width;
  const { read, strengths } = forward.trace!;
  const steps = Array.from({ length: T }, (_, t) => t);
  const ends = Array.from({ length: perMemory }, (_, end) => {
    const e = m * perMemory + end;
    // Index of this end at step t of the first sequence in arrays of [T,B,E].
    const at = (t: number): number => t * B * E + e;
    return {
      controls: Object.fromEntries(
        Object.entries(forward.controls).map(([name, all]) => [name, steps.map(t => all[at(t)])]),
      ),
      read: steps.map(t => [...read.subarray(at(t) * width, (at(t) + 1) * width)]),
    };
  });
  if (shares) {
    const { left, read } = shares.sharesOf(kind, Object.values(ends[0].controls), spec.depth, spec.reads);
    return { kind, ends: ends.map(end => ({ ...end, weights: read })), strengths: left };
  }
  const rows = steps.map(t => [...(strengths[m]?.[0][t] ?? [])]);
  const weights = (end: number): number[][] => rows.map(row => readWeights(kind, end, row));
  return { kind, ends: ends.map((values, end) => ({ ...values, weights: weights(end) })), strengths: rows };
}

/** Returns the most likely outputs of row n of [T·B]. */
function likelyAt(task: Task, forward: Forward, n: number, target: number): Likely[] {
  const V = task.outputs;
  const values = forward.trace!.output.subarray(n * V, (n + 1) * V);
  const best: number[] = [];
  values.forEach((value, v) => {
    if (best.length === MAX_LIKELY && value <= values[best[MAX_LIKELY - 1]]) return;
    const place = best.findIndex(other => values[other] < value);
    best.splice(place < 0 ? best.length : place, 0, v);
    best.length = Math.min(best.length, MAX_LIKELY);
  });
  if (target < V && !best.includes(target)) best.push(target);
  return best.map(v => ({ name: task.outputNames[v], value: values[v] }));
}
