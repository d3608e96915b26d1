import { Rng } from '../../src/base/rng.ts';
import { stackStep } from '../../src/reference/stack.ts';

/**
 * How far a stack is from its nearest tie: the smallest difference between two arguments of a max or min that
 * could change which one is taken. Rows of strength 0 are left out: whatever is taken there comes to 0.
 */

/** Of popping u (equation 2). previous [t] */
export function popMargin(previous: Float64Array, u: number): number {
  let margin = Infinity;
  let above = 0;
  for (let i = previous.length - 1; i >= 0; i--) {
    if (previous[i] === 0) continue;
    const reach = u - above;
    margin = Math.min(margin, Math.abs(reach), Math.abs(previous[i] - Math.max(0, reach)));
    above += previous[i];
  }
  return margin;
}

/** Of reading (equation 3). strengths [n] */
export function readMargin(strengths: Float64Array): number {
  let margin = Infinity;
  let above = 0;
  for (let i = strengths.length - 1; i >= 0; i--) {
    if (strengths[i] === 0) continue;
    const room = 1 - above;
    margin = Math.min(margin, Math.abs(room), Math.abs(strengths[i] - Math.max(0, room)));
    above += strengths[i];
  }
  return margin;
}

/** Of a whole sequence. push [T], pop [T] */
export function stackMargin(push: ArrayLike<number>, pop: ArrayLike<number>): number {
  let margin = Infinity;
  let previous: Float64Array = new Float64Array(0);
  for (let t = 0; t < push.length; t++) {
    margin = Math.min(margin, popMargin(previous, pop[t]));
    previous = stackStep(previous, push[t], pop[t]);
    margin = Math.min(margin, readMargin(previous));
  }
  return margin;
}

/** The first draw that is far enough from any tie for central differences to be those of one smooth piece. */
export function drawAwayFromTies<Draw>(
  draw: (rng: Rng) => Draw,
  marginOf: (drawn: Draw) => number,
  { seed = 1, least = 1e-3, tries = 2000 } = {},
): Draw {
  for (let attempt = 0; attempt < tries; attempt++) {
    const drawn = draw(new Rng(seed, 100, attempt));
    if (marginOf(drawn) >= least) return drawn;
  }
  throw new Error(`none of ${tries} draws was ${least} away from a tie: draw fewer or larger strengths.`);
}

/** n numbers uniform in [low, high). */
export const uniforms = (rng: Rng, n: number, low: number, high: number): Float64Array =>
  Float64Array.from({ length: n }, () => low + (high - low) * rng.uniform());
