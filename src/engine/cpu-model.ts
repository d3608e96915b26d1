import { MOMENTS, type TrainConfig } from '../base/config.ts';
import type { Batch } from '../base/dims.ts';
import type { ModelSpec, Tensors } from '../base/parameters.ts';
import { type Layout, layoutOf } from '../layout/layout.ts';
import { pack, pushBiasesAt, unpack } from '../layout/pack.ts';
import { allStrengths } from '../layout/strengths.ts';
import { groupsOf } from '../simd/groups.ts';
import { Arena } from '../simd/module.ts';
import { Passes } from '../simd/passes.ts';
import { checkBatchSize } from '../simd/room.ts';
import { Weights } from '../simd/weights.ts';
import { checkBatch, checkState, checkStepped } from './checks.ts';
import type { Forward, Model, ModelState, StepReport } from './engine.ts';
import type { Life } from './life.ts';
import { noReport, scoreGroup } from './scores.ts';

const RULES = { sgd: 0, rmsprop: 1, adam: 2, adamw: 2 } as const;

/** A model on the kernels of src/simd. Whatever is asked for is computed at once. */
export class CpuModel implements Model {
  readonly spec: ModelSpec;
  readonly plan = 'simd';
  readonly #layout: Layout;
  readonly #training: TrainConfig;
  readonly #life: Life;
  readonly #arena: Arena;
  readonly #weights: Weights;
  readonly #passes: Passes;
  #step = 0;
  #begun = 0;
  #stepped = false;
  #reports: StepReport[] = [];

  constructor(
    module: WebAssembly.Module,
    spec: ModelSpec,
    training: TrainConfig,
    state: ModelState,
    life: Life,
  ) {
    this.#layout = layoutOf(spec);
    this.spec = this.#layout.spec;
    this.#training = { ...training };
    this.#life = life;
    this.#arena = new Arena(module);
    this.#weights = new Weights(this.#arena, this.#layout);
    this.#passes = new Passes(this.#arena, this.#layout, this.#weights);
    this.load(state);
  }

  get bytes(): number {
    return this.#arena.bytes;
  }

  reserve(B: number, T: number, K: number): void {
    this.#life.check();
    checkBatchSize(this.#layout, B, T, K);
    this.#passes.reserve(B, T, K);
  }

  step(batch: Batch): undefined {
    this.#life.check();
    checkBatch(this.spec, batch);
    this.reserve(batch.B, batch.T, batch.K);
    const weights = this.#weights;
    const passes = this.#passes;
    const report = noReport(batch.B);
    weights.prepare();
    weights.clearGradient();
    for (const group of groupsOf(batch)) {
      passes.load(batch, group);
      passes.forward();
      scoreGroup(report, batch, group, passes.outcomes(), passes.recalled());
      passes.backward();
      weights.addGradient();
    }
    weights.finishGradient();
    const norm = weights.norm();
    report.gradientNorm = norm;
    report.finite = Number.isFinite(report.objective) && Number.isFinite(norm);
    if (report.finite) this.#update(norm);
    // Counted in any case: the data of a step are a function of its number.
    this.#step++;
    this.#stepped = true;
    this.#reports.push(report);
  }

  async reports(): Promise<StepReport[]> {
    this.#life.check();
    const reports = this.#reports;
    this.#reports = [];
    return reports;
  }

  async gradients(): Promise<Tensors> {
    this.#life.check();
    checkStepped(this.#stepped);
    return unpack(this.#layout, this.#weights.numbers('gradient'));
  }

  async forward(given: Batch, trace = false): Promise<Forward> {
    this.#life.check();
    const { noise: _, ...batch } = given;
    checkBatch(this.spec, batch);
    this.reserve(batch.B, batch.T, batch.K);
    const { B, T } = batch;
    const { outputs: V, width: M, memory: kind, memories } = this.spec;
    const { E, M4, R4, S4, V4 } = this.#layout;
    const made: Forward = {
      report: noReport(B),
      predicted: new Uint32Array(T * B),
      push: new Float32Array(T * B * E),
      pop: new Float32Array(T * B * E),
    };
    if (trace) {
      made.trace = {
        output: new Float32Array(T * B * V),
        read: new Float32Array(T * B * E * M),
        strengths: kind === 'none' ? [] : Array.from({ length: memories }, () => new Array(B)),
      };
    }
    this.#weights.prepare();
    const passes = this.#passes;
    for (const group of groupsOf(batch)) {
      passes.load(batch, group);
      passes.forward();
      const outcomes = passes.outcomes();
      scoreGroup(made.report, batch, group, outcomes, passes.recalled());
      const [s, y, r] = [passes.rows('s'), passes.rows('y'), passes.rows('r', 1)];
      for (let t = 0; t < group.T; t++) {
        for (let slot = 0; slot < group.active[t]; slot++) {
          const [row, n] = [group.first[t] + slot, t * B + group.order[slot]];
          made.predicted[n] = outcomes[4 * row + 2];
          for (let e = 0; e < E; e++) {
            const at = 4 * (row * S4 + R4) + 2 * e;
            made.push[n * E + e] = s[at];
            made.pop[n * E + e] = s[at + 1];
            if (!made.trace) continue;
            const from = 4 * (row * R4 + e * M4);
            made.trace.read.set(r.subarray(from, from + M), (n * E + e) * M);
          }
          made.trace?.output.set(y.subarray(4 * row * V4, 4 * row * V4 + V), n * V);
        }
      }
      if (!made.trace || kind === 'none') continue;
      const shape = { kind, form: 'block' as const, B: group.order.length, T: group.T, memories };
      const strengths = allStrengths(shape, ...passes.states(), group.lengths);
      for (let k = 0; k < memories; k++) {
        for (const [slot, b] of group.order.entries()) made.trace.strengths[k][b] = strengths[k][slot];
      }
    }
    made.report.finite = Number.isFinite(made.report.objective);
    return made;
  }

  async state(): Promise<ModelState> {
    this.#life.check();
    const of = (name: 'parameters' | 'mean' | 'square'): Tensors =>
      unpack(this.#layout, this.#weights.numbers(name));
    const has = MOMENTS[this.#training.optimiser];
    return {
      step: this.#step,
      parameters: of('parameters'),
      mean: has.mean ? of('mean') : new Map(),
      square: has.square ? of('square') : new Map(),
    };
  }

  load(state: ModelState): void {
    this.#life.check();
    checkState(this.spec, state);
    for (const name of ['parameters', 'mean', 'square'] as const)
      this.#weights.numbers(name).set(pack(this.#layout, state[name]));
    this.#weights.changed();
    this.#step = state.step;
    this.#begun = state.begun ?? 0;
    // What older steps would report belongs to the state that is gone.
    this.#reports = [];
  }

  destroy(): void {
    this.#life.end();
  }

  #update(norm: number): void {
    const { optimiser, rate, beta1, beta2, epsilon, clip, clipAt, weightDecay, pushBiasGrowth } =
      this.#training;
    const t = this.#step - this.#begun + 1;
    const { weights4, trained4 } = this.#layout;
    const { parameters, gradient, mean, square } = this.#weights.at;
    const { update } = this.#arena.kernels;
    const scale = clip === 'norm' ? Math.min(1, clipAt / Math.max(norm, 1e-30)) : 1;
    const range = (from4: number, to4: number, decay: number): void =>
      update(
        RULES[optimiser],
        to4 - from4,
        parameters + 16 * from4,
        gradient + 16 * from4,
        mean + 16 * from4,
        square + 16 * from4,
        scale,
        clip === 'value' ? clipAt : 0,
        rate,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        epsilon,
        1 / (1 - beta1 ** t),
        1 / (1 - beta2 ** t),
        decay,
      );
    // The matrices decay; biases and starting states have no reason to be small.
    range(0, weights4, optimiser === 'adamw' ? 1 - rate * weightDecay : 1);
    range(weights4, trained4, 1);
    if (pushBiasGrowth > 0) {
      const numbers = this.#weights.numbers('parameters');
      for (const at of pushBiasesAt(this.#layout)) {
        // Until σ is 1 anyway: growth is exponential and would overflow.
        if (Math.abs(numbers[at]) < 30) numbers[at] *= 1 + pushBiasGrowth;
      }
    }
    this.#weights.changed();
  }
}
