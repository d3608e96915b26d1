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
   * The largest difference, relative to the largest number of its tensor. For models it includes the absolute
   * difference that float32 is allowed, so it is at most `BOUND` if and only if the engines agree.
   */
  difference: number;
  /** The tensor with this difference. */
  tensor: string;
  agrees: boolean;
  /** What kept the check from running to its end: the difference is then NaN. */
  problem?: string;
}

/**
 * Models that together use every controller, every memory, and Adam and RMSProp. Small: the time goes into compiling.
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

/** One engine on the device, and what its results are named after. */
export interface Subject {
  /** `fused` or `stepwise`; '' for an engine without plans. */
  plan: string;
  engine: Engine;
}

interface NamedCheck {
  name: string;
  run(): Promise<Check>;
}

/** All checks of these engines. Memories first: they take the least time, and models are made of them. */
export function checksOf(subjects: readonly Subject[], reference: Engine): NamedCheck[] {
  const memories = MEMORY_NAMES.map(kind => ({
    name: `memory ${kind}`,
    run: () => checkMemory(subjects[0].engine, reference, kind),
  }));
  const models = Object.entries(MODELS).flatMap(([model, sets]) =>
    subjects.map(({ plan, engine }) => {
      const name = plan ? `${model}, ${plan}` : model;
      return { name, run: () => checkModel(name, engine, reference, sets) };
    }),
  );
  return [...memories, ...models];
}

/** Runs a check. A failure of its kernels is a result. @throws DeviceLost, after which no check can run */
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
  // The actions of a memory with cells are shares.
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
  return judged(`memory ${kind}`, differences, 0);
}

async function checkModel(
  name: string,
  engine: Engine,
  reference: Engine,
  sets: readonly string[],
): Promise<Check> {
  const config = assign(preset('reverse'), [...SMALL, ...sets]);
  const { spec } = setup(config);
  const state = initialState(spec, config.train);
  const checkpoint = { config, engine: '', state, run: startRun(config) };
  const { forward, gradients, loss, floor } = await verifyStep(engine, reference, checkpoint);
  const objective = compare('loss', [loss.engine], [loss.reference]);
  const worst = [judged(name, forward, 0), judged(name, [...gradients, objective], floor)];
  return worst[0].difference > worst[1].difference ? worst[0] : worst[1];
}

/** @param floor the absolute difference that is allowed in addition */
function judged(name: string, differences: readonly Difference[], floor: number): Check {
  let [difference, tensor] = [0, ''];
  for (const { tensor: of, largest, difference: found } of differences) {
    const relative = found === 0 ? 0 : found / (largest + floor / BOUND);
    if (!(relative <= difference)) [difference, tensor] = [relative, of];
  }
  return { name, difference, tensor, agrees: difference <= BOUND };
}
