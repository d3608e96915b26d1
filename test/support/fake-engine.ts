import type { Batch } from '../../src/base/dims.ts';
import { MASKED, ZERO_TARGET } from '../../src/base/dims.ts';
import { endsOf, endsOfModel } from '../../src/base/memories.ts';
import type { ModelSpec, Tensors } from '../../src/base/parameters.ts';
import type { Engine, Forward, Model, ModelState, StepReport } from '../../src/engine/engine.ts';

/** The behaviour of the fake engine by training step; all optional. */
export interface Behaviour {
  /** Whether step k is finite. */
  finite?: (step: number) => boolean;
  /** Absolute error per sequence at step k; by default 1. */
  error?: (step: number) => number;
  /** Loss per target at step k; by default 0.5. */
  loss?: (step: number) => number;
  /** Coarse accuracy in an evaluation after step k; by default 0. */
  coarse?: (step: number) => number;
  /** The prediction at step t of sequence b; by default the target, or 0. */
  predict?: (batch: Batch, t: number, b: number) => number;
}

const clone = (state: ModelState): ModelState => structuredClone(state);

/**
 * A model for tests of the training loop, not of learning. Its "training" mixes every number of a batch
 * into the weights, so two runs end with equal weights only if they saw the same batches in the same order.
 */
export class FakeModel implements Model {
  readonly spec: ModelSpec;
  readonly plan = 'fake';
  readonly bytes = 0;
  /** The number of reports returned by each call of reports(). */
  readonly reportCounts: number[] = [];
  batches: Batch[] = [];
  #state: ModelState;
  #behaviour: Behaviour;
  #reports: StepReport[] = [];

  constructor(spec: ModelSpec, state: ModelState, behaviour: Behaviour) {
    this.spec = spec;
    this.#state = clone(state);
    this.#behaviour = behaviour;
  }

  reserve(): void {}

  step(batch: Batch): undefined {
    this.batches.push(batch);
    const step = ++this.#state.step;
    const finite = this.#behaviour.finite?.(step) ?? true;
    let hash = step;
    for (const id of [...batch.ids, ...batch.target]) hash = (Math.imul(hash, 31) + id) | 0;
    for (const x of [...batch.weight, ...(batch.noise ?? [])]) hash = (Math.imul(hash, 31) + x * 1e6) | 0;
    if (finite) {
      for (const tensors of [this.#state.parameters, this.#state.firstMoment, this.#state.secondMoment]) {
        for (const values of tensors.values()) {
          for (let i = 0; i < values.length; i++)
            values[i] = Math.fround(0.9 * values[i] + 1e-9 * (hash ^ i));
        }
      }
    }
    const counts = report(batch, 0);
    const loss = (this.#behaviour.loss?.(step) ?? 0.5) * counts.targets;
    this.#reports.push({ ...counts, loss, finite, absoluteError: this.#error(step) * batch.B });
  }

  async gradients(): Promise<Tensors> {
    return this.#state.parameters;
  }

  async reports(): Promise<StepReport[]> {
    const reports = this.#reports;
    this.reportCounts.push(reports.length);
    this.#reports = [];
    return reports;
  }

  async forward(batch: Batch, traced = false): Promise<Forward> {
    const { B, T, target } = batch;
    const { outputs: V, width: M, memory, memories } = this.spec;
    const E = endsOfModel(this.spec);
    const rows = (t: number): number => endsOf(memory) * (t + 1);
    const inPhase = (phase: number) =>
      Float32Array.from({ length: T * B * E }, (_, n) => (batch.phase[Math.floor(n / E)] === phase ? 1 : 0));
    const predict = this.#behaviour.predict ?? ((_, t, b) => (target[t * B + b] < V ? target[t * B + b] : 0));
    const predicted = Uint32Array.from({ length: T * B }, (_, n) => predict(batch, Math.floor(n / B), n % B));
    const output = new Float32Array(T * B * V);
    predicted.forEach((o, n) => {
      output[n * V + o] = 0.75;
    });
    return {
      report: report(batch, this.#behaviour.coarse?.(this.#state.step) ?? 0),
      predicted,
      controls: memory === 'none' ? {} : { push: inPhase(1), pop: inPhase(2) },
      trace: traced
        ? {
            output,
            read: new Float32Array(T * B * E * M),
            strengths: Array.from({ length: memory === 'none' ? 0 : memories }, () =>
              Array.from({ length: B }, () => Array.from({ length: T }, (_, t) => new Float32Array(rows(t)))),
            ),
          }
        : undefined,
    };
  }

  async state(): Promise<ModelState> {
    return clone(this.#state);
  }

  load(state: ModelState): void {
    this.#state = clone(state);
  }

  destroy(): void {}

  #error(step: number): number {
    return this.#behaviour.error?.(step) ?? 1;
  }
}

function report(batch: Batch, coarse: number): StepReport {
  const targets = batch.target.filter(target => target !== MASKED);
  const symbols = targets.filter(target => target !== ZERO_TARGET).length;
  return {
    objective: 1,
    loss: targets.length / 2,
    targets: targets.length,
    symbols,
    correct: symbols / 4,
    sequences: batch.B,
    coarse: coarse * batch.B,
    fine: batch.B / 8,
    absoluteError: 0,
    gradientNorm: 2,
    finite: true,
  };
}

export interface FakeEngine extends Engine {
  models: FakeModel[];
}

export function fakeEngine(behaviour: Behaviour = {}): FakeEngine {
  const models: FakeModel[] = [];
  return {
    name: 'cpu',
    adapter: { name: 'fake', kind: 'cpu', reason: 'a test' },
    models,
    model: async (spec, _training, state) => {
      const model = new FakeModel(spec, state, behaviour);
      models.push(model);
      return model;
    },
    memory: () => Promise.reject(new Error('the fake engine has no memory')),
    destroy() {},
  };
}
