/**
 * How work over many time steps is cut, so that no submission takes the device for longer than a moment: systems reset a
 * GPU that does not answer for a second or two, and a page is drawn by the same one. Slices change no number.
 */

/** What a submission may take, in ms. */
const BUDGET_MS = 100;
/**
 * Before anything has been measured: time steps of a slice of so many sequences, few enough for a slow device; numbers that
 * such a step may multiply are fewer than a slow device does in a slice's time, 2·10⁹ a second.
 */
const FIRST = { steps: 256, B: 64, products: 1e8 };
/** One in so many submissions is timed: to wait for each would cost more than it tells. */
const MEASURE_EVERY = 16;

/** The number of time steps of a slice, by what slices have taken. */
export class SliceSteps {
  /** Of `#B` sequences. */
  #steps: number;
  #B = FIRST.B;
  readonly #fixed: boolean;
  /** Submissions since the last that was timed. */
  #untimed = Number.POSITIVE_INFINITY;

  /**
   * @param products that a time step of one sequence takes, both ways, about
   * @param fixed a number of steps that stays, for tests
   */
  constructor(products: number, fixed?: number) {
    const first = Math.floor(FIRST.products / (FIRST.B * products));
    this.#steps = fixed ?? Math.max(1, Math.min(FIRST.steps, first));
    this.#fixed = fixed !== undefined;
  }

  /** For B sequences: more take more time, fewer not surely less. */
  steps(B: number): number {
    if (this.#fixed) return this.#steps;
    return Math.max(1, Math.floor(this.#steps / Math.max(1, B / this.#B)));
  }

  /** Whether the next submission should be timed, if nothing else keeps the device busy. */
  get due(): boolean {
    return !this.#fixed && this.#untimed >= MEASURE_EVERY - 1;
  }

  /** Counts what was submitted. @param timed took() follows */
  submitted(timed: boolean): void {
    this.#untimed = timed ? 0 : this.#untimed + 1;
  }

  /** @param ms that T steps of B sequences took @param ways 1 for an evaluation, 2 for a training step */
  took(ms: number, { T, B, ways }: { T: number; B: number; ways: number }): void {
    if (this.#fixed || !(ms > 0)) return;
    const perStep = ms / (ways * T);
    // Growing slowly: what was measured may have been short sequences of a batch.
    this.#steps = Math.max(1, Math.min(Math.floor(BUDGET_MS / perStep), 4 * this.steps(B)));
    this.#B = B;
  }
}

/** How many usual steps step t counts for, at least 1: it may have to walk over many rows of a memory. */
export type StepWeight = (t: number) => number;

/** Rows that a usual step of a memory walks over, at most. */
const USUAL_ROWS = 32;

/** The weight of a step that visits so many rows of a memory on its own. */
export const weightOfRows = (rows: number): number => Math.max(1, rows / USUAL_ROWS);

/**
 * Weights of a model's steps before anything is known of its strengths: step t may walk over all t rows of every end, of M
 * numbers each, which it multiplies three times, both ways.
 * @param products of a step's weights, as for SliceSteps
 */
export const weightsOfModel = (products: number, ends: number, M: number): StepWeight => {
  const perRow = (3 * ends * M) / products;
  return t => 1 + perRow * t;
};

/** Whether T steps are together no more than `steps` usual ones. */
export function withinSteps(T: number, steps: number, weight: StepWeight = () => 1): boolean {
  let sum = 0;
  for (let t = 0; t < T && sum <= steps; t++) sum += weight(t);
  return sum <= steps;
}

/** Ranges of time steps that are together up to `steps` usual ones, or one step, in the order that they are gone over. */
export function rangesOf(
  T: number,
  steps: number,
  way: 'forward' | 'backward',
  weight: StepWeight = () => 1,
): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  let from = 0;
  let sum = 0;
  for (let t = 0; t < T; t++) {
    const own = weight(t);
    if (t > from && sum + own > steps) {
      ranges.push({ from, to: t });
      from = t;
      sum = 0;
    }
    sum += own;
  }
  ranges.push({ from, to: T });
  return way === 'forward' ? ranges : ranges.reverse();
}
