import { kind } from './memory';
import * as mixture from './mixture';
import * as rows from './rows';

const SUPERPOSITION = 3;
const TAPE = 4;

/**
 * Calls the functions of a kind of memory by its number, for the selected memory (memory.ts): `begin` prepares it for
 * step t, `forward` computes a step, `backward` is the backward pass of a step.
 */

// @ts-ignore: decorator
@inline
export function begin(t: i32): void {
  if (kind < SUPERPOSITION) rows.begin(t);
}

/** a … d: the controls of the first end, then those of the second, at most four. Stores r of all ends at `reads`. */
// @ts-ignore: decorator
@inline
export function forward(t: i32, a: f32, b: f32, c: f32, d: f32, reads: usize): void {
  if (kind == SUPERPOSITION) mixture.forward(false, t, a, b, c, reads);
  else if (kind == TAPE) mixture.forward(true, t, a, b, c, reads);
  else rows.forward(t, a, b, c, d, reads);
}

/** Backward pass of forward(), with the same controls. Leaves their gradients in g0 … g3. */
// @ts-ignore: decorator
@inline
export function backward(t: i32, a: f32, b: f32, c: f32, _d: f32, dReads: usize): void {
  if (kind == SUPERPOSITION) mixture.backward(false, t, a, b, c, dReads);
  else if (kind == TAPE) mixture.backward(true, t, a, b, c, dReads);
  else rows.backward(t, dReads);
}
