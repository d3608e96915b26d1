import { type Batch, PHASE } from '../base/dims.ts';
import type { Forward, StepReport } from '../engine/engine.ts';

/** StepReports added up; steps that were not finite are only counted. Plain numbers: a checkpoint has them. */
export interface Sums {
  steps: number;
  badSteps: number;
  sequences: number;
  targets: number;
  symbols: number;
  correct: number;
  coarse: number;
  fine: number;
  loss: number;
  objective: number;
  absoluteError: number;
  gradientNorm: number;
}

export const noSums = (): Sums => ({
  steps: 0,
  badSteps: 0,
  sequences: 0,
  targets: 0,
  symbols: 0,
  correct: 0,
  coarse: 0,
  fine: 0,
  loss: 0,
  objective: 0,
  absoluteError: 0,
  gradientNorm: 0,
});

export function addReport(sums: Sums, report: StepReport): void {
  if (!report.finite) {
    sums.badSteps++;
    return;
  }
  sums.steps++;
  sums.sequences += report.sequences;
  sums.targets += report.targets;
  sums.symbols += report.symbols;
  sums.correct += report.correct;
  sums.coarse += report.coarse;
  sums.fine += report.fine;
  sums.loss += report.loss;
  sums.objective += report.objective;
  sums.absoluteError += report.absoluteError;
  // A norm can overflow where its gradients did not; the sums are to stay numbers that JSON has.
  if (Number.isFinite(report.gradientNorm)) sums.gradientNorm += report.gradientNorm;
}

/**
 * The metrics of a run of steps. NaN where there was nothing to divide by.
 *
 * Coarse and fine are the paper's, told there of greedy decoding. Teacher forcing gives the same numbers: up
 * to the first error both feed the same symbols, and nothing after it counts.
 */
export interface Metrics {
  /** Per target: nats (softmax), or ½ squared error. */
  loss: number;
  /** Mean over steps of what the gradients are of. */
  objective: number;
  /** Share of symbols that are right. */
  accuracy: number;
  /** Share of sequences wholly right, the end symbol included. */
  coarse: number;
  /** Mean over sequences of (right symbols before the first error / symbols). */
  fine: number;
  /** Mean over steps, before clipping. */
  gradientNorm: number;
  /** Σ |y − output| per sequence (the tutorial's measure, which sums 100 of them). */
  absoluteError: number;
  /** Steps whose loss or gradients were NaN or infinite, and which were left out. */
  badSteps: number;
}

export const metricsOf = (sums: Sums): Metrics => ({
  loss: sums.loss / sums.targets,
  objective: sums.objective / sums.steps,
  accuracy: sums.correct / sums.symbols,
  coarse: sums.coarse / sums.sequences,
  fine: sums.fine / sums.sequences,
  gradientNorm: sums.gradientNorm / sums.steps,
  absoluteError: sums.absoluteError / sums.sequences,
  badSteps: sums.badSteps,
});

/** Means of each control, such as push and pop, over the steps of a phase and all ends of memories; NaN where there are none. */
export interface PhaseProfile {
  [control: string]: number | Record<string, number>[];
  steps: number;
  /** [E] the same of every end; where there is one only it says no more. */
  ends: Record<string, number>[];
}

/** The mean of a control by its name; NaN where the memory has no such control. */
export const meanOf = (profile: PhaseProfile, control: string): number => {
  const mean = profile[control];
  return typeof mean === 'number' ? mean : Number.NaN;
};

/** A stack that is used as one pushes ≈ 1 while reading, and pops ≈ 1 and pushes ≈ 0 while writing. */
export interface Profile {
  reading: PhaseProfile;
  writing: PhaseProfile;
}

/** Accumulates how a model with E ends of memories uses them, batch by batch. */
export class ProfileSums {
  readonly #E: number;
  readonly #phases: Map<number, { steps: number; ends: Record<string, number>[] }>;

  constructor(E: number) {
    this.#E = E;
    this.#phases = new Map(
      [PHASE.reading, PHASE.writing].map(phase => [
        phase,
        { steps: 0, ends: Array.from({ length: E }, () => ({})) },
      ]),
    );
  }

  add(batch: Batch, { controls }: Pick<Forward, 'controls'>): void {
    const arrays = Object.entries(controls);
    batch.phase.forEach((phase, n) => {
      const sums = this.#phases.get(phase);
      if (!sums) return;
      sums.steps++;
      sums.ends.forEach((sum, e) => {
        for (const [name, all] of arrays) sum[name] = (sum[name] ?? 0) + all[n * this.#E + e];
      });
    });
  }

  get profile(): Profile {
    return { reading: this.#meansOf(PHASE.reading), writing: this.#meansOf(PHASE.writing) };
  }

  #meansOf(phase: number): PhaseProfile {
    const { steps, ends: sums } = this.#phases.get(phase)!;
    const names = Object.keys(sums[0] ?? {});
    const ends = sums.map(sum => Object.fromEntries(names.map(name => [name, sum[name] / steps])));
    const mean = (name: string): number => ends.reduce((sum, end) => sum + end[name], 0) / this.#E;
    return { ...Object.fromEntries(names.map(name => [name, mean(name)])), steps, ends };
  }
}

/** How a model with E ends of memories uses them in one evaluated batch. */
export function profileOf(batch: Batch, forward: Pick<Forward, 'controls'>, E: number): Profile {
  const sums = new ProfileSums(E);
  sums.add(batch, forward);
  return sums.profile;
}
