import { kind } from './memory';
import * as mixture from './mixture';
import * as rows from './rows';

const SUPERPOSITION = 3;
const TAPE = 4;

/**
 * The kinds of memory, by their number. Of the memory that is selected: `begin` makes it ready for step t, `forward` takes a
 * step, `backward` goes back over it.
 */

// @ts-ignore: decorator
@inline
export function begin(t: i32): void {
  if (kind < SUPERPOSITION) rows.begin(t);
}

/** Controls of every end, one after the other, at most four. r of all ends -> reads. */
// @ts-ignore: decorator
@inline
export function forward(t: i32, a: f32, b: f32, c: f32, d: f32, reads: usize): void {
  if (kind == SUPERPOSITION) mixture.forward(false, t, a, b, c, reads);
  else if (kind == TAPE) mixture.forward(true, t, a, b, c, reads);
  else rows.forward(t, a, b, c, d, reads);
}

/** The same controls; their gradients are left in g0 … g3. */
// @ts-ignore: decorator
@inline
export function backward(t: i32, a: f32, b: f32, c: f32, _d: f32, dReads: usize): void {
  if (kind == SUPERPOSITION) mixture.backward(false, t, a, b, c, dReads);
  else if (kind == TAPE) mixture.backward(true, t, a, b, c, dReads);
  else rows.backward(t, dReads);
}
