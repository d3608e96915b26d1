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

/** Ranges of up to `steps` time steps, in the order that they are gone over. */
export function rangesOf(
  T: number,
  steps: number,
  way: 'forward' | 'backward',
): { from: number; to: number }[] {
  const count = Math.max(1, Math.ceil(T / steps));
  const ranges = Array.from({ length: count }, (_, k) => ({
    from: k * steps,
    to: Math.min(T, (k + 1) * steps),
  }));
  return way === 'forward' ? ranges : ranges.reverse();
}
