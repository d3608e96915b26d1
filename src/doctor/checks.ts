import { assign } from '../base/config.ts';
import { DeviceLost, messageOf } from '../base/errors.ts';
import { endsOf, MEMORY_NAMES, type MemoryName, memoryKind } from '../base/memories.ts';
import { Rng } from '../base/rng.ts';
import type { Engine } from '../engine/engine.ts';
import { preset } from '../train/presets.ts';
import { startRun } from '../train/run-state.ts';
import { initialState, setup } from '../train/setup.ts';
import { BOUND, compare, type Difference, verifyStep } from '../train/verify.ts';

/** A comparison of an engine with the float64 reference. */
export interface Check {
  name: string;
  /**
   * The largest difference, relative to the largest number of its tensor. For the loss and the gradients of models, the
   * divisor also allows for float32 rounding: the difference is at most `BOUND` if and only if the engines agree.
   */
  difference: number;
  /** The tensor with this difference. */
  tensor: string;
  agrees: boolean;
  /** Why the check could not be completed: the difference is then NaN. */
  problem?: string;
}

/**
 * Models that together use every controller, every memory, and Adam and RMSProp. They are small, so that the checks
 * take little time besides compiling.
 */
const MODELS: Readonly<Record<string, readonly string[]>> = {
  'RNN, stack': [],
  'LSTM of 2 layers, 2 deques': ['controller=lstm', 'layers=2', 'memory=deque', 'memories=2', 'embedding=5'],
  'GRU, queue': ['controller=gru', 'memory=queue', 'projection=6', 'optimiser=rmsprop'],
  'coupled LSTM, superposition stack': ['controller=lstm-coupled', 'memory=superposition', 'depth=8'],
  'feed-forward, tape': ['controller=feedforward', 'memory=tape', 'depth=8', 'readout=6'],
  'LSTM alone': ['controller=lstm', 'memory=none'],
};
const SMALL = ['hidden=8', 'width=4', 'symbols=3', 'minLength=2', 'maxLength=6', 'batch=6'];

/** An engine to check. */
export interface Subject {
  /** Plan of its kernels, for the names of the checks: `fused` or `stepwise`; '' for an engine without plans. */
  plan: string;
  engine: Engine;
}

interface NamedCheck {
  name: string;
  run(): Promise<Check>;
}

/** All checks of these engines. Memories come first: they take the least time, and models contain them. */
export function checksOf(subjects: readonly Subject[], reference: Engine): NamedCheck[] {
  const memories = MEMORY_NAMES.map(kind => ({
    name: `memory ${kind}`,
    run: () => checkMemory(subjects[0].engine, reference, kind),
  }));
  const models = Object.entries(MODELS).flatMap(([model, settings]) =>
    subjects.map(({ plan, engine }) => {
      const name = plan ? `${model}, ${plan}` : model;
      return { name, run: () => checkModel(name, engine, reference, settings) };
    }),
  );
  return [...memories, ...models];
}

/** Runs a check. If it throws, returns the error as its result. @throws DeviceLost, after which no check can run */
export async function outcomeOf({ name, run }: NamedCheck): Promise<Check> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DeviceLost) throw error;
    return { name, difference: Number.NaN, tensor: '', agrees: false, problem: messageOf(error) };
  }
}

/** Forward and backward pass of a memory alone, on random controls and values. */
async function checkMemory(engine: Engine, reference: Engine, kind: MemoryName): Promise<Check> {
  const [B, T, M] = [3, 40, 8];
  const rng = new Rng(0, 0, MEMORY_NAMES.indexOf(kind));
  const { controls, rows } = memoryKind(kind);
  const n = B * T * endsOf(kind);
  const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => rng.uniform());
  const strengths = controls.map(() => numbers(n));
  // The controls of a memory with cells are a softmax: they must sum to 1.
  if (!rows) {
    for (let i = 0; i < n; i++) {
      const sum = strengths.reduce((all, control) => all + control[i], 0);
      for (const control of strengths) control[i] /= sum;
    }
  }
  const value = numbers(n * M);
  const dRead = numbers(n * M);
  const results = await Promise.all(
    [engine, reference].map(async each => {
      const memory = await each.memory({ kind, B, T, M });
      try {
        const read = await memory.forward(...strengths, value);
        return { read, ...(await memory.backward(dRead)) } as Record<string, Float32Array>;
      } finally {
        memory.destroy();
      }
    }),
  );
  const [actual, expected] = results;
  const differences = Object.keys(expected).map(name => compare(name, actual[name], expected[name]));
  return toCheck(`memory ${kind}`, differences, 0);
}

async function checkModel(
  name: string,
  engine: Engine,
  reference: Engine,
  settings: readonly string[],
): Promise<Check> {
  const config = assign(preset('reverse'), [...SMALL, ...settings]);
  const { spec } = setup(config);
  const state = initialState(spec, config.train);
  const checkpoint = { config, engine: '', state, run: startRun(config) };
  const { forward, gradients, loss, floor } = await verifyStep(engine, reference, checkpoint);
  const objective = compare('loss', [loss.engine], [loss.reference]);
  const checks = [toCheck(name, forward, 0), toCheck(name, [...gradients, objective], floor)];
  return isWorse(checks[0].difference, checks[1].difference) ? checks[0] : checks[1];
}

/** NaN is worse than any number. */
const isWorse = (a: number, b: number): boolean => Number.isNaN(a) || a > b;

/** The check of the tensor that differs most. @param floor absolute difference allowed besides the relative BOUND */
function toCheck(name: string, differences: readonly Difference[], floor: number): Check {
  let [difference, tensor] = [0, ''];
  for (const { tensor: tensorName, largest, difference: absolute } of differences) {
    const relative = absolute === 0 ? 0 : absolute / (largest + floor / BOUND);
    if (isWorse(relative, difference)) [difference, tensor] = [relative, tensorName];
  }
  return { name, difference, tensor, agrees: difference <= BOUND };
}
