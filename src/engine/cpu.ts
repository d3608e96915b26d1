import { MOMENTS, type TrainConfig } from '../base/config.ts';
import { type Batch, MASKED, ZERO_TARGET } from '../base/dims.ts';
import { InputError } from '../base/errors.ts';
import { type ModelSpec, parameters, type Tensors } from '../base/parameters.ts';
import { targetVector } from '../reference/loss.ts';
import { modelBackward, modelForward, type Sequence } from '../reference/model.ts';
import { globalNorm, update } from '../reference/optim.ts';
import { stackBackward, stackForward } from '../reference/stack.ts';
import { checkBatch, checkMemoryInputs, checkMemoryShape, checkReadGradient, checkState } from './checks.ts';
import type {
  AdapterDescription,
  Engine,
  Forward,
  MemoryGradients,
  MemoryLayer,
  MemoryShape,
  Model,
  ModelState,
  StepReport,
} from './engine.ts';
import { Life } from './life.ts';

/** The reference as an engine: float64, one thread, computes at once. For tests, and where no GPU is. */
export function createCpuEngine(reason = 'asked for'): Engine {
  return new CpuEngine(reason);
}

/** The literal reference keeps T²/2 strengths a sequence: what would not fit into memory is refused beforehand. */
function checkSize(what: string, numbers: number, smaller: string): void {
  const [gib, most] = [(numbers * 8) / 2 ** 30, 2];
  if (gib > most) {
    throw new InputError(
      `${what} needs ${gib.toFixed(1)} GiB in the float64 reference, which takes at most ${most}: ` +
        `make ${smaller} smaller, or use the gpu engine.`,
    );
  }
}

class CpuEngine implements Engine {
  readonly name = 'cpu';
  readonly adapter: AdapterDescription;
  readonly #life = new Life('engine');

  constructor(reason: string) {
    this.adapter = { name: 'float64 reference', kind: 'cpu', reason };
  }

  async model(spec: ModelSpec, training: TrainConfig, state: ModelState): Promise<Model> {
    this.#life.check();
    return new CpuModel(spec, training, state, new Life('model', this.#life));
  }

  async memory(shape: MemoryShape): Promise<MemoryLayer> {
    this.#life.check();
    checkMemoryShape(shape);
    const { B, T, M } = shape;
    checkSize(`a memory of ${B} sequences of ${T} steps`, B * T * (T / 2 + 4 * M + 8), 'B or T');
    return new CpuMemory({ ...shape }, new Life('memory', this.#life));
  }

  destroy(): void {
    this.#life.end();
  }
}

class CpuModel implements Model {
  readonly spec: ModelSpec;
  readonly #training: TrainConfig;
  readonly #life: Life;
  #state: ModelState;
  #reports: StepReport[] = [];
  #activations = 0;

  constructor(spec: ModelSpec, training: TrainConfig, state: ModelState, life: Life) {
    this.spec = { ...spec };
    this.#training = { ...training };
    this.#life = life;
    this.#state = copyState(this.spec, this.#training, state);
  }

  get bytes(): number {
    const { parameters, mean, square } = this.#state;
    // Gradients are as large as the parameters.
    return 8 * (2 * count(parameters) + count(mean) + count(square) + this.#activations);
  }

  reserve(B: number, T: number, K: number): void {
    this.#life.check();
    const { hidden: H, deeper: P, width: M, outputs: V, inputs: D, autoencoder } = this.spec;
    const perStep = H + P + 2 * M + 2 * V + (autoencoder ? 4 * D : 0) + K + 16;
    checkSize(
      `a batch of ${B} sequences of ${T} steps`,
      B * T * (perStep + T / 2),
      'train.batch or task.maxLength',
    );
  }

  step(batch: Batch): void {
    this.#life.check();
    checkBatch(this.spec, batch);
    const state = this.#state;
    const { objective, sequences } = this.#run(batch);
    const gradients = modelBackward(this.spec, state.parameters, batch, sequences);
    const norm = globalNorm(gradients);
    const finite = Number.isFinite(objective) && Number.isFinite(norm);
    if (finite) update(this.#training, state, gradients, norm);
    // Counted in any case: the data of a step are a function of its number.
    state.step++;
    this.#reports.push({
      ...score(this.spec, batch, sequences),
      objective,
      gradientNorm: norm,
      finite,
    });
  }

  async reports(): Promise<StepReport[]> {
    this.#life.check();
    const reports = this.#reports;
    this.#reports = [];
    return reports;
  }

  async forward(given: Batch, trace = false): Promise<Forward> {
    this.#life.check();
    const { noise: _, ...batch } = given;
    checkBatch(this.spec, batch);
    const { objective, sequences } = this.#run(batch);
    const { B, T } = batch;
    const { outputs: V, width: M } = this.spec;
    const report = {
      ...score(this.spec, batch, sequences),
      objective,
      gradientNorm: 0,
      finite: Number.isFinite(objective),
    };
    const made: Forward = {
      report,
      predicted: new Uint32Array(T * B),
      push: new Float32Array(T * B),
      pop: new Float32Array(T * B),
    };
    if (trace) {
      made.trace = {
        output: new Float32Array(T * B * V),
        read: new Float32Array(T * B * M),
        strengths: sequences.map(({ steps }) => steps.map(({ s }) => Float32Array.from(s))),
      };
    }
    sequences.forEach(({ steps }, b) => {
      steps.forEach(({ d, u, output, r }, t) => {
        const n = t * B + b;
        made.predicted[n] = argmax(output);
        made.push[n] = d;
        made.pop[n] = u;
        made.trace?.output.set(output, n * V);
        made.trace?.read.set(r, n * M);
      });
    });
    return made;
  }

  async state(): Promise<ModelState> {
    this.#life.check();
    // Where the weights began is for whoever restarted them to keep.
    const { begun: _, ...state } = copyState(this.spec, this.#training, this.#state);
    return state;
  }

  load(state: ModelState): void {
    this.#life.check();
    this.#state = copyState(this.spec, this.#training, state);
  }

  destroy(): void {
    this.#life.end();
  }

  #run(batch: Batch): { objective: number; sequences: Sequence[] } {
    const made = modelForward(this.spec, this.#state.parameters, batch);
    this.#activations = Math.max(this.#activations, countActivations(made.sequences));
    return made;
  }
}

class CpuMemory implements MemoryLayer {
  readonly shape: MemoryShape;
  readonly #life: Life;
  /** Per sequence: inputs and strengths of the last forward. */
  #kept: { pop: Float32Array; value: Float32Array; strengths: Float64Array[] }[] = [];

  constructor(shape: MemoryShape, life: Life) {
    this.shape = shape;
    this.#life = life;
  }

  async forward(push: Float32Array, pop: Float32Array, value: Float32Array): Promise<Float32Array> {
    this.#life.check();
    checkMemoryInputs(this.shape, push, pop, value);
    const { B, T, M } = this.shape;
    const reads = new Float32Array(B * T * M);
    this.#kept = [];
    for (let b = 0; b < B; b++) {
      // Copies, for the caller may write to his arrays before the backward pass.
      const pops = pop.slice(b * T, (b + 1) * T);
      const values = value.slice(b * T * M, (b + 1) * T * M);
      const { read, strengths } = stackForward(push.subarray(b * T, (b + 1) * T), pops, values);
      reads.set(read, b * T * M);
      this.#kept.push({ pop: pops, value: values, strengths });
    }
    return reads;
  }

  async backward(dRead: Float32Array): Promise<MemoryGradients> {
    this.#checkForwarded('backward');
    checkReadGradient(this.shape, dRead);
    const { B, T, M } = this.shape;
    const made = {
      dPush: new Float32Array(B * T),
      dPop: new Float32Array(B * T),
      dValue: new Float32Array(B * T * M),
    };
    this.#kept.forEach(({ pop, value, strengths }, b) => {
      const dr = dRead.subarray(b * T * M, (b + 1) * T * M);
      const { dPush, dPop, dValue } = stackBackward(pop, value, strengths, dr);
      made.dPush.set(dPush, b * T);
      made.dPop.set(dPop, b * T);
      made.dValue.set(dValue, b * T * M);
    });
    return made;
  }

  async strengths(): Promise<Float32Array[][]> {
    this.#checkForwarded('strengths');
    return this.#kept.map(({ strengths }) => strengths.map(s => Float32Array.from(s)));
  }

  destroy(): void {
    this.#kept = [];
    this.#life.end();
  }

  #checkForwarded(call: string): void {
    this.#life.check();
    if (this.#kept.length === 0)
      throw new InputError(`${call}() needs a forward pass: call forward() first.`);
  }
}

/** A deep copy with the tensors of the table in its order, and zeros for moments not there yet. */
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
    ...(state.begun && { begun: state.begun }),
    parameters: copy(state.parameters),
    mean: has.mean ? copy(state.mean) : new Map(),
    square: has.square ? copy(state.square) : new Map(),
  };
}

const count = (tensors: Tensors): number =>
  [...tensors.values()].reduce((sum, { length }) => sum + length, 0);

function countActivations(sequences: readonly Sequence[]): number {
  let numbers = 0;
  for (const { steps } of sequences) {
    for (const { h, op, v, s, r, output, recall } of steps) {
      numbers += h.length + (op === h ? 0 : op.length) + v.length + s.length + r.length + output.length;
      if (recall) numbers += recall.fromH.output.length + recall.fromP.output.length;
    }
  }
  return numbers;
}

/** Index of the largest; the first of equals. */
function argmax(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** What StepReport tells of the outputs alone. A sequence without a symbol has no error: it counts as right. */
function score(
  spec: ModelSpec,
  batch: Batch,
  sequences: readonly Sequence[],
): Omit<StepReport, 'objective' | 'gradientNorm' | 'finite'> {
  const made = {
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
      made.targets++;
      made.loss += loss;
      if (spec.output !== 'softmax') {
        const y = targetVector(target, spec.outputs);
        for (let i = 0; i < y.length; i++) made.absoluteError += Math.abs(y[i] - output[i]);
      }
      if (target === ZERO_TARGET) return;
      if (argmax(output) === target) {
        if (correct === symbols) beforeError++;
        correct++;
      }
      symbols++;
    });
    made.symbols += symbols;
    made.correct += correct;
    made.coarse += correct === symbols ? 1 : 0;
    made.fine += symbols > 0 ? beforeError / symbols : 1;
  });
  return made;
}
