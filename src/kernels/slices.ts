/**
 * How work over many time steps is cut, so that no submission takes the device for longer than a moment: systems reset a
 * GPU that does not answer for a second or two, and a page is drawn by the same one. Slices change no number.
 */

/** What a submission may take, in ms. */
const BUDGET_MS = 100;
/** Steps of a slice before anything has been measured: few enough for a slow device and a wide model. */
const FIRST_STEPS = 256;
/** After the first, every so many submissions are measured: to wait for each would cost more than it tells. */
const MEASURE_EVERY = 16;

/** The number of time steps of a slice, by what slices have taken. */
export class SliceSteps {
  #steps: number;
  readonly #fixed: boolean;
  #count = 0;

  /** @param fixed a number that stays, for tests */
  constructor(fixed?: number) {
    this.#steps = fixed ?? FIRST_STEPS;
    this.#fixed = fixed !== undefined;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Whether what is submitted next is to be measured. */
  get due(): boolean {
    return !this.#fixed && this.#count++ % MEASURE_EVERY === 0;
  }

  /** @param ms that T steps took @param ways 1 for an evaluation, 2 for a training step */
  took(ms: number, T: number, ways: number): void {
    if (this.#fixed || !(ms > 0)) return;
    const perStep = ms / (ways * T);
    // Growing slowly: what was measured may have been short sequences of a batch.
    this.#steps = Math.max(1, Math.min(Math.floor(BUDGET_MS / perStep), 4 * this.#steps));
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
