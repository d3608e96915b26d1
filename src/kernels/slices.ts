/**
 * Cuts work over many time steps into slices, so that no submission occupies the device for long: operating systems
 * reset a GPU that does not respond for a second or two, and the same GPU draws the page. Slicing does not change any
 * result.
 */

/** Time budget of a submission, in ms. */
const BUDGET_MS = 100;
/**
 * Slice size before the first measurement: 256 steps of 64 sequences, few enough for a slow device. Large models get
 * smaller slices of at most 1e8 multiplications, fewer than a slow device (2·10⁹ per second) does in BUDGET_MS.
 */
const FIRST = { steps: 256, B: 64, products: 1e8 };
/** One submission out of this number is timed, because timing means waiting for the device. */
const MEASURE_EVERY = 16;

/** Chooses the number of time steps of a slice from measured times. */
export class SliceSteps {
  /** Steps of a slice of `#B` sequences. */
  #steps: number;
  #B = FIRST.B;
  readonly #fixed: boolean;
  /** Submissions since the last one that was timed. */
  #untimed = Number.POSITIVE_INFINITY;

  /**
   * @param products multiplications per time step of one sequence, approximately, over all passes
   * @param fixed a constant number of steps, for tests
   */
  constructor(products: number, fixed?: number) {
    const first = Math.floor(FIRST.products / (FIRST.B * products));
    this.#steps = fixed ?? Math.max(1, Math.min(FIRST.steps, first));
    this.#fixed = fixed !== undefined;
  }

  /**
   * Steps of a slice of B sequences. A larger batch gets fewer steps. A smaller batch does not get more, because its
   * steps may not be faster.
   */
  steps(B: number): number {
    if (this.#fixed) return this.#steps;
    return Math.max(1, Math.floor(this.#steps / Math.max(1, B / this.#B)));
  }

  /** Whether the next submission should be timed if the device is idle. */
  get due(): boolean {
    return !this.#fixed && this.#untimed >= MEASURE_EVERY - 1;
  }

  /** Records a submission. @param timed whether took() will be called for it */
  submitted(timed: boolean): void {
    this.#untimed = timed ? 0 : this.#untimed + 1;
  }

  /**
   * Records that T steps of B sequences took `ms`.
   * @param passes number of passes: 1 for an evaluation, 2 for a training step
   */
  took(ms: number, { T, B, passes }: { T: number; B: number; passes: number }): void {
    if (this.#fixed || !(ms > 0)) return;
    const perStep = ms / (passes * T);
    // Grow at most fourfold: the measured batch may have had mostly short sequences.
    this.#steps = Math.max(1, Math.min(Math.floor(BUDGET_MS / perStep), 4 * this.steps(B)));
    this.#B = B;
  }
}

/** Cost of time step t relative to a usual step, at least 1: more if it walks over many rows of a memory. */
export type StepCost = (t: number) => number;

/** Maximum number of rows that a usual step of a memory walks over. */
const USUAL_ROWS = 32;

/** Cost of a step of a memory layer that visits this number of rows. */
export const stepCostOfRows = (rows: number): number => Math.max(1, rows / USUAL_ROWS);

/**
 * Costs of the steps of a model, whose strengths are not known in advance. Step t may walk over all t rows of every
 * end, with three multiplications for each of the M numbers of a row, over both passes.
 * @param products as for SliceSteps
 */
export const stepCostOfModel = (products: number, ends: number, M: number): StepCost => {
  const perRow = (3 * ends * M) / products;
  return t => 1 + perRow * t;
};

/** Whether T steps together cost at most `steps` usual steps. */
export function withinSteps(T: number, steps: number, stepCost: StepCost = () => 1): boolean {
  let sum = 0;
  for (let t = 0; t < T && sum <= steps; t++) sum += stepCost(t);
  return sum <= steps;
}

/**
 * Ranges [from, to) of time steps in the order of the pass. Each costs at most `steps` usual steps, or is a single
 * more costly step.
 */
export function rangesOf(
  T: number,
  steps: number,
  pass: 'forward' | 'backward',
  stepCost: StepCost = () => 1,
): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  let from = 0;
  let sum = 0;
  for (let t = 0; t < T; t++) {
    const cost = stepCost(t);
    if (t > from && sum + cost > steps) {
      ranges.push({ from, to: t });
      from = t;
      sum = 0;
    }
    sum += cost;
  }
  ranges.push({ from, to: T });
  return pass === 'forward' ? ranges : ranges.reverse();
}
