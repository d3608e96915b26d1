import type { Config } from '../base/config.ts';
import { DeviceLost, messageOf } from '../base/errors.ts';
import { Rng } from '../base/rng.ts';
import { type Spread, spread } from '../base/spread.ts';
import type { Engine } from '../engine/engine.ts';
import { trainingBatch } from '../train/model.ts';
import { preset } from '../train/presets.ts';
import { initialState, setup } from '../train/setup.ts';

/** The time of one training step, or of one forward and backward pass of a memory, in ms. */
export interface Timing {
  name: string;
  ms?: Spread;
  /** Why nothing was measured. */
  problem?: string;
}

interface Timed {
  name: string;
  /** Prepares the work, then calls `measure` with it. */
  run(engine: Engine, measure: (work: () => Promise<void>) => Promise<Spread>): Promise<Spread>;
}

const trainingSteps = (name: string, config: Config): Timed => ({
  name: `training step, ${name}`,
  async run(engine, measure) {
    const { task, spec } = setup(config);
    const model = await engine.model(spec, config.train, initialState(spec, config.train));
    const batch = trainingBatch(task, config, 0, config.task.maxLength);
    try {
      return await measure(async () => {
        await model.step(batch);
        await model.reports();
      });
    } finally {
      model.destroy();
    }
  },
});

const memory = (B: number, T: number, M: number): Timed => ({
  name: `stack alone, forward and backward, B = ${B}, T = ${T}, M = ${M}`,
  async run(engine, measure) {
    const rng = new Rng(1, 0);
    const numbers = (count: number): Float32Array =>
      Float32Array.from({ length: count }, () => rng.uniform());
    const [push, pop, value, dRead] = [B * T, B * T, B * T * M, B * T * M].map(numbers);
    const stack = await engine.memory({ kind: 'stack', B, T, M });
    try {
      return await measure(async () => {
        await stack.forward(push, pop, value);
        await stack.backward(dRead);
      });
    } finally {
      stack.destroy();
    }
  },
});

/** What is timed, from the smallest to the largest. */
export const TIMED: readonly Timed[] = [
  trainingSteps('tutorial-part5', preset('tutorial-part5')),
  trainingSteps('reverse', preset('reverse')),
  memory(128, 128, 32),
  memory(8, 4096, 32),
  trainingSteps('paper/reverse/stack', preset('paper/reverse/stack')),
];

const MIN_SAMPLES = 3;
const MAX_SAMPLES = 50;

/**
 * Times one case for about `seconds`, but MIN_SAMPLES to MAX_SAMPLES times, after a first pass that compiles the
 * kernels. A failure is returned as `problem`. @throws DeviceLost
 */
export async function timeCase(engine: Engine, { name, run }: Timed, seconds: number): Promise<Timing> {
  const measure = async (work: () => Promise<void>): Promise<Spread> => {
    await work();
    const samples: number[] = [];
    const end = performance.now() + 1000 * seconds;
    while (samples.length < MIN_SAMPLES || (samples.length < MAX_SAMPLES && performance.now() < end)) {
      const start = performance.now();
      await work();
      samples.push(performance.now() - start);
    }
    return spread(samples);
  };
  try {
    return { name, ms: await run(engine, measure) };
  } catch (error) {
    if (error instanceof DeviceLost) throw error;
    return { name, problem: messageOf(error) };
  }
}
