import { cellOf } from '../base/cells.ts';
import { MOMENTS, type TrainConfig } from '../base/config.ts';
import { type Batch, MASKED, ZERO_TARGET } from '../base/dims.ts';
import { controlCount, endsOfModel, memoryKind, readsOfModel } from '../base/memories.ts';
import { type ModelSpec, parameters, type Tensors } from '../base/parameters.ts';
import { targetVector } from '../reference/loss.ts';
import { strengthsOf } from '../reference/memories.ts';
import { modelBackward, modelForward, type SequenceActivations } from '../reference/model.ts';
import { globalNorm, update } from '../reference/optim.ts';
import { checkBatch, checkState, checkStepped } from './checks.ts';
import type {
  AdapterDescription,
  Engine,
  Forward,
  MemoryLayer,
  MemoryShape,
  Model,
  ModelState,
  StepReport,
} from './engine.ts';
import { Lifetime } from './lifetime.ts';
import { checkSize, ReferenceMemory } from './reference-memory.ts';

/**
 * Creates an engine that computes with the float64 reference, synchronously and on one thread. It is slow and meant for
 * tests; `auto` tries it last.
 * @param reason why this engine was chosen, shown beside its name
 */
export function createReferenceEngine(reason = 'requested'): Engine {
  return new ReferenceEngine(reason);
}

class ReferenceEngine implements Engine {
  readonly name = 'reference';
  readonly adapter: AdapterDescription;
  readonly #lifetime = new Lifetime('engine');

  constructor(reason: string) {
    this.adapter = { name: 'float64 reference', kind: 'cpu', reason };
  }

  async model(spec: ModelSpec, training: TrainConfig, state: ModelState): Promise<Model> {
    this.#lifetime.check();
    return new ReferenceModel(spec, training, state, new Lifetime('model', this.#lifetime));
  }

  async memory(shape: MemoryShape): Promise<MemoryLayer> {
    this.#lifetime.check();
    return new ReferenceMemory(shape, new Lifetime('memory', this.#lifetime));
  }

  destroy(): void {
    this.#lifetime.end();
  }
}

class ReferenceModel implements Model {
  readonly spec: ModelSpec;
  readonly plan = 'literal';
  readonly #training: TrainConfig;
  readonly #lifetime: Lifetime;
  #state: ModelState;
  #reports: StepReport[] = [];
  /** Gradients of the last training step, before clipping. */
  #gradients: Tensors | undefined;
  #activations = 0;

  constructor(spec: ModelSpec, training: TrainConfig, state: ModelState, lifetime: Lifetime) {
    this.spec = { ...spec };
    this.#training = { ...training };
    this.#lifetime = lifetime;
    this.#state = copyState(this.spec, this.#training, state);
  }

  get bytes(): number {
    const { parameters, firstMoment, secondMoment } = this.#state;
    // The gradients have the size of the parameters.
    return 8 * (2 * count(parameters) + count(firstMoment) + count(secondMoment) + this.#activations);
  }

  reserve(B: number, T: number, K: number): void {
    this.#lifetime.check();
    const { spec } = this;
    const { hidden: H, projection: P, width: M, outputs: V, inputs: D } = spec;
    const E = endsOfModel(spec);
    const layers = spec.layers * (cellOf(spec).gates.length + 3) * H;
    const reconstruction = spec.autoencoder ? 4 * D : 0;
    const perStep =
      layers +
      P +
      spec.readout +
      spec.embedding +
      E * (M + controlCount(spec.memory)) +
      readsOfModel(spec) * M +
      2 * V +
      reconstruction +
      K +
      16;
    // Per end, T/2 strengths and T/2 references to rows (the mean over t); for a kind without rows, its cells.
    const rows = E * (memoryKind(spec.memory).rows ? T : spec.depth * M);
    checkSize(
      `a batch of ${B} sequences of ${T} steps`,
      B * T * (perStep + rows),
      'train.batch or task.maxLength',
    );
  }

  step(batch: Batch): undefined {
    this.#lifetime.check();
    checkBatch(this.spec, batch);
    const state = this.#state;
    const { objective, sequences } = this.#run(batch);
    const gradients = modelBackward(this.spec, state.parameters, batch, sequences);
    // Copied because the update clips gradients in place.
    this.#gradients = this.#training.clip === 'none' ? gradients : copyTensors(gradients);
    const norm = globalNorm(gradients);
    const finite = Number.isFinite(objective) && Number.isFinite(norm);
    if (finite) update(this.#training, state, gradients, norm);
    // A step that is not finite also counts, because the data of a step depends on its number.
    state.step++;
    this.#reports.push({
      ...metricsOf(this.spec, batch, sequences),
      objective,
      gradientNorm: norm,
      finite,
    });
  }

  async reports(): Promise<StepReport[]> {
    this.#lifetime.check();
    const reports = this.#reports;
    this.#reports = [];
    return reports;
  }

  async gradients(): Promise<Tensors> {
    this.#lifetime.check();
    checkStepped(this.#gradients !== undefined);
    return copyTensors(this.#gradients!);
  }

  async forward(given: Batch, trace = false): Promise<Forward> {
    this.#lifetime.check();
    const { noise: _, ...batch } = given;
    checkBatch(this.spec, batch);
    const { objective, sequences } = this.#run(batch);
    const { B, T } = batch;
    const { outputs: V, width: M, memory, memories } = this.spec;
    const [E, Q] = [endsOfModel(this.spec), readsOfModel(this.spec)];
    const kind = memoryKind(memory);
    const names = kind.controls.map(({ name }) => name);
    const report = {
      ...metricsOf(this.spec, batch, sequences),
      objective,
      gradientNorm: 0,
      finite: Number.isFinite(objective),
    };
    const forward: Forward = {
      report,
      predicted: new Uint32Array(T * B),
      controls: Object.fromEntries(names.map(name => [name, new Float32Array(T * B * E)])),
    };
    if (trace) {
      forward.trace = {
        output: new Float32Array(T * B * V),
        read: new Float32Array(T * B * Q * M),
        strengths: Array.from({ length: kind.rows ? memories : 0 }, (_, k) =>
          sequences.map(({ steps }) =>
            steps.map(({ memories }) => Float32Array.from(strengthsOf(this.spec, memories)[k])),
          ),
        ),
      };
    }
    sequences.forEach(({ steps }, b) => {
      steps.forEach(({ controls, output, r }, t) => {
        const n = t * B + b;
        forward.predicted[n] = argmax(output);
        names.forEach((name, c) => {
          forward.controls[name].set(controls[c], n * E);
        });
        forward.trace?.output.set(output, n * V);
        forward.trace?.read.set(r, n * Q * M);
      });
    });
    return forward;
  }

  async state(): Promise<ModelState> {
    this.#lifetime.check();
    // The caller keeps `initialisedAt`, because it decides when to restart with new weights.
    const { initialisedAt: _, ...state } = copyState(this.spec, this.#training, this.#state);
    return state;
  }

  load(state: ModelState): void {
    this.#lifetime.check();
    this.#state = copyState(this.spec, this.#training, state);
  }

  destroy(): void {
    this.#lifetime.end();
  }

  #run(batch: Batch): { objective: number; sequences: SequenceActivations[] } {
    const result = modelForward(this.spec, this.#state.parameters, batch);
    this.#activations = Math.max(this.#activations, countActivations(this.spec, result.sequences));
    return result;
  }
}

/** A deep copy with the tensors in the order of the parameter table, and zeros for missing moments. */
function copyState(spec: ModelSpec, training: TrainConfig, state: ModelState): ModelState {
  checkState(spec, state);
  const table = parameters(spec);
  const copy = (from: Tensors): Tensors =>
    new Map(
      table.map(({ name, shape }) => [
        name,
        from.get(name)?.slice() ?? new Float64Array(shape[0] * shape[1]),
      ]),
    );
  const has = MOMENTS[training.optimiser];
  return {
    step: state.step,
    ...(state.initialisedAt && { initialisedAt: state.initialisedAt }),
    parameters: copy(state.parameters),
    firstMoment: has.firstMoment ? copy(state.firstMoment) : new Map(),
    secondMoment: has.secondMoment ? copy(state.secondMoment) : new Map(),
  };
}

const copyTensors = (tensors: Tensors): Tensors =>
  new Map([...tensors].map(([name, values]) => [name, values.slice()]));

const count = (tensors: Tensors): number =>
  [...tensors.values()].reduce((sum, { length }) => sum + length, 0);

function countActivations(spec: ModelSpec, sequences: readonly SequenceActivations[]): number {
  let numbers = 0;
  const add = (array?: ArrayLike<unknown>): void => {
    numbers += array?.length ?? 0;
  };
  for (const { steps } of sequences) {
    for (const { layers, op, controls, v, memories, r, o, output, reconstruction: x } of steps) {
      for (const { h, c, gates, hn } of layers) for (const x of [h, c, gates, hn]) add(x);
      if (op !== layers[layers.length - 1].h) add(op);
      // The strengths, and the same number of references to rows.
      for (const s of strengthsOf(spec, memories)) for (let k = 0; k < 2; k++) add(s);
      if (!memoryKind(spec.memory).rows) numbers += memories.length * spec.depth * spec.width;
      for (const array of [...controls, v, r, o, output, x?.fromH.output, x?.fromP.output]) add(array);
    }
  }
  return numbers;
}

/** Index of the largest value; the first one if several are equal. */
function argmax(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/**
 * The part of StepReport that depends on the outputs only. A sequence without symbols counts as correct.
 */
function metricsOf(
  spec: ModelSpec,
  batch: Batch,
  sequences: readonly SequenceActivations[],
): Omit<StepReport, 'objective' | 'gradientNorm' | 'finite'> {
  const sums = {
    loss: 0,
    targets: 0,
    symbols: 0,
    correct: 0,
    sequences: batch.B,
    coarse: 0,
    fine: 0,
    absoluteError: 0,
  };
  sequences.forEach(({ steps }, b) => {
    let symbols = 0;
    let correct = 0;
    let beforeError = 0;
    steps.forEach(({ output, loss }, t) => {
      const target = batch.target[t * batch.B + b];
      if (target === MASKED) return;
      sums.targets++;
      sums.loss += loss;
      if (spec.output !== 'softmax') {
        const y = targetVector(target, spec.outputs);
        for (let i = 0; i < y.length; i++) sums.absoluteError += Math.abs(y[i] - output[i]);
      }
      if (target === ZERO_TARGET) return;
      if (argmax(output) === target) {
        if (correct === symbols) beforeError++;
        correct++;
      }
      symbols++;
    });
    sums.symbols += symbols;
    sums.correct += correct;
    sums.coarse += correct === symbols ? 1 : 0;
    sums.fine += symbols > 0 ? beforeError / symbols : 1;
  });
  return sums;
}
