/** Whole training steps: small models, dominated by launches, and the paper's models, dominated by matrix products. */
import { DeviceError } from '../../src/base/errors.ts';
import { endsOfModel } from '../../src/base/memories.ts';
import { parameters } from '../../src/base/parameters.ts';
import { createCpuEngine } from '../../src/engine/cpu.ts';
import type { Engine, ModelState } from '../../src/engine/engine.ts';
import { runWorkCase } from '../compare.ts';
import { type TrainingName, type TrainingProblem, trainingProblem } from '../problems.ts';
import type { Workload } from '../work.ts';
import type { Case, Floor, Outputs } from './case.ts';

/** Maximum number of steps in flight: a model on a GPU can hold the reports of about a thousand steps. */
const MAX_STEPS = 512;
/**
 * Relative to a tensor's largest change. If a parameter of 1 changes by 1e-4, float32 has three digits of the change.
 */
const UPDATE_TOLERANCE = 1e-2;
/** Why TensorFlow.js and jax-js are not measured: they would need several gigabytes, or minutes per pass. */
const LARGE = 'minutes per pass: run with --full';

/** The paper's models use batches of 10; a batch of 128 suits a GPU. */
export const trainingCases = (): Case[] => [
  trainingCase('tutorial', 128, {}),
  trainingCase('page', 32, {}),
  trainingCase('paper-130', 10, {}),
  trainingCase('paper-258', 10, { peers: ['PyTorch', 'PyTorch, CUDA graph'] }),
  trainingCase('paper-258', 10, { full: true }),
  trainingCase('paper-130', 128, { full: true }),
  trainingCase('paper-258', 128, { full: true }),
];

/** The cases with one thread, to show the effect of threads on the CPU. */
export const oneThreadCases = (): Case[] => [
  trainingCase('tutorial', 128, { peers: [], threads: 1 }),
  trainingCase('page', 32, { peers: [], threads: 1 }),
  trainingCase('paper-130', 10, { peers: [], threads: 1 }),
];

/**
 * @param peers names of the peers to measure; absent: all @param threads 1: on a separate CPU engine with one thread
 */
function trainingCase(
  name: TrainingName,
  B: number,
  { full = false, peers, threads }: { full?: boolean; peers?: string[]; threads?: 1 },
): Case {
  const all = full && !peers && B === 10 ? ', all peers' : '';
  return {
    name: `training: ${name} B=${B}${all}${threads ? ', one thread' : ''}`,
    full,
    run: bench => {
      const problem = trainingProblem(name, B);
      return runWorkCase(
        {
          open: async ({ engine }) => openTraining(threads ? await createCpuEngine() : engine, problem),
          floor: () => trainingFloor(problem),
          compared: outputs => updates(problem, outputs),
          tolerance: UPDATE_TOLERANCE,
          peer: peer =>
            !peers || peers.includes(peer.name)
              ? peer.training(problem)
              : threads
                ? 'measured in the case with all threads'
                : LARGE,
        },
        bench,
      );
    },
  };
}

/**
 * The change of each parameter, and the objective. After a small step,
 * parameters agree even if a gradient is wrong, so their changes are compared.
 */
function updates({ parameters }: TrainingProblem, outputs: Outputs): Outputs {
  return new Map(
    [...outputs].map(([name, after]) => {
      const before = parameters.get(name);
      return [name, before ? after.map((value, i) => value - before[i]) : after];
    }),
  );
}

/** A model with its batch. A pass is one step, including the upload of its batch. */
export async function openTraining(engine: Engine, problem: TrainingProblem): Promise<Workload> {
  const { config, spec, batch, parameters } = problem;
  const state: ModelState = { step: 0, parameters, firstMoment: new Map(), secondMoment: new Map() };
  const model = await engine.model(spec, config.train, state);
  const settle = async (): Promise<void> => {
    for (const { finite, objective } of await model.reports()) {
      if (!finite) throw new DeviceError(`${problem.name}: a step was not finite (objective ${objective}).`);
    }
  };
  try {
    model.reserve(batch.B, batch.T, batch.K);
  } catch (error) {
    model.destroy();
    throw error;
  }
  return {
    how: model.plan,
    maxPasses: MAX_STEPS,
    bytes: model.bytes,
    enqueue: steps => {
      let sliced: Promise<unknown> | undefined;
      for (let k = 0; k < steps; k++) sliced = model.step(batch);
      return sliced;
    },
    settle,
    outputs: async () => {
      model.load(state);
      model.step(batch);
      const [{ objective }] = await model.reports();
      const { parameters } = await model.state();
      const outputs = new Map([['objective', Float32Array.of(objective)]]);
      for (const [name, values] of parameters) outputs.set(name, Float32Array.from(values));
      return outputs;
    },
    destroy: () => model.destroy(),
  };
}

/**
 * For each time step of each sequence, which uses every matrix W [i,o] once:
 *   W·x, dW += dy·x, dx = dy·W                               3 · 2·i·o  (a look-up: K rows, added forward and back)
 *   the memory, if a read takes one row: as in memory.ts     3 · 2·M per end
 * Bytes that must be transferred between buffers and processor: parameters in and out, the batch in. What
 * the backward pass needs (h of every layer, value and read of every end) is written once and read once.
 */
function trainingFloor({ spec, batch }: TrainingProblem): Floor {
  const steps = batch.lengths.reduce((sum, length) => sum + length, 0);
  let multiplied = 0;
  let added = 0;
  let numbers = 0;
  for (const { name, shape } of parameters(spec)) {
    const [rows, columns] = shape;
    numbers += rows * columns;
    const lookedUp = name === 'W_e' || (!spec.embedding && name.startsWith('W_xh'));
    if (lookedUp) added += batch.K * columns;
    else if (rows > 1) multiplied += rows * columns;
    else added += columns;
  }
  const memory = endsOfModel(spec) * spec.width;
  return {
    flops: steps * (6 * multiplied + 2 * added + 6 * memory),
    bytes: 8 * numbers + steps * (4 * (batch.K + 1) + 8 * (spec.layers * spec.hidden + 2 * memory)),
  };
}
