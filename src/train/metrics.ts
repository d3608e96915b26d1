import { type Batch, PHASE } from '../base/dims.ts';
import type { Forward, StepReport } from '../engine/engine.ts';

/** The sum of several StepReports. Steps that were not finite are only counted. Plain numbers, for checkpoints. */
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

export const emptySums = (): Sums => ({
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
  // The norm can overflow although the gradients are finite. The sums must stay finite: JSON has no infinity.
  if (Number.isFinite(report.gradientNorm)) sums.gradientNorm += report.gradientNorm;
}

/**
 * The metrics of a sequence of steps. NaN where the denominator is 0.
 *
 * Coarse and fine accuracy are as in the paper, which defines them for greedy decoding. Teacher forcing gives the same
 * numbers: up to the first error both feed the same symbols, and nothing after the first error counts.
 */
export interface Metrics {
  /** Per target: nats (softmax), or ½ squared error (tanh, sigmoid). */
  loss: number;
  /** The objective that is differentiated: mean over steps. */
  objective: number;
  /** Share of correct symbols. */
  accuracy: number;
  /** Share of sequences in which every symbol is correct, including the end symbol. */
  coarse: number;
  /** Mean over sequences of (correct symbols before the first error / symbols). */
  fine: number;
  /** Norm of the gradient before clipping: mean over steps. */
  gradientNorm: number;
  /** Σ |y − output| per sequence (Trask's tutorial reports the sum over 100 sequences). */
  absoluteError: number;
  /** Steps with a NaN or infinite loss or gradient, which were not applied. */
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

/**
 * The mean of each control, such as push and pop, over the steps of a phase and all ends of memories. A phase without
 * steps has no controls.
 */
export interface PhaseProfile {
  [control: string]: number | Record<string, number>[];
  steps: number;
  /** [E] the same means for each end. */
  ends: Record<string, number>[];
}

/** The mean of a control by name; NaN if the memory has no such control, or the phase no steps. */
export const meanOf = (profile: PhaseProfile, control: string): number => {
  const mean = profile[control];
  return typeof mean === 'number' ? mean : Number.NaN;
};

/**
 * Mean controls in each phase. A memory that is used as a stack has push ≈ 1 while reading, and pop ≈ 1 and push ≈ 0
 * while writing.
 */
export interface Profile {
  reading: PhaseProfile;
  writing: PhaseProfile;
}

/** Accumulates the profile of a model with E ends of memories over several batches. */
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

/** The profile of a model with E ends of memories on one batch. */
export function profileOf(batch: Batch, forward: Pick<Forward, 'controls'>, E: number): Profile {
  const sums = new ProfileSums(E);
  sums.add(batch, forward);
  return sums.profile;
}
