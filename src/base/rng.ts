/**
 * Counter-based random numbers: threefry2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as
 * 1, 2, 3"). It uses u32 arithmetic only, so any engine can produce the same stream. Its state is a counter, so a
 * checkpoint needs only the seed and the step.
 */

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];

/** Two random u32 from a key of two u32 and a counter of two u32. */
export function threefry2x32(key0: number, key1: number, c0: number, c1: number): [number, number] {
  const keys = [key0, key1, 0x1bd11bda ^ key0 ^ key1];
  let x0 = (c0 + keys[0]) | 0;
  let x1 = (c1 + keys[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const r = ROTATIONS[round % 8];
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    if (round % 4 === 3) {
      const s = (round + 1) / 4;
      x0 = (x0 + keys[s % 3]) | 0;
      x1 = (x1 + keys[(s + 1) % 3] + s) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** Purpose of a stream. Streams of the same seed are independent. */
export const STREAM = { init: 1, batch: 2, noise: 3, evaluate: 4, sample: 5 } as const;

/** A stream of random numbers, identified by seed, purpose and index (for example the training step). */
export class Rng {
  #key: [number, number];
  #counter = 0;
  #spare: number | undefined;

  constructor(seed: number, stream: number, index = 0) {
    // Two applications of the cipher turn (seed, stream, index) into a key. Seeds may exceed 32 bits.
    const first = threefry2x32(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, stream, 0);
    this.#key = threefry2x32(first[0], first[1], index >>> 0, Math.floor(index / 2 ** 32) >>> 0);
  }

  /** A uniform u32. */
  bits(): number {
    if (this.#spare !== undefined) {
      const bits = this.#spare;
      this.#spare = undefined;
      return bits;
    }
    const n = this.#counter++;
    const [a, b] = threefry2x32(this.#key[0], this.#key[1], n >>> 0, Math.floor(n / 2 ** 32));
    this.#spare = b;
    return a;
  }

  /** Uniform in [0, 1), a multiple of 2⁻²⁴: exact in float32. */
  uniform(): number {
    return (this.bits() >>> 8) * 2 ** -24;
  }

  /** Uniform whole number in [low, high]. */
  int(low: number, high: number): number {
    return low + Math.floor((this.bits() / 2 ** 32) * (high - low + 1));
  }

  /** Standard normal (Box–Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}
