import type { StateName } from '../../src/base/cells.ts';

/**
 * The cell of a controller (equations in src/base/parameters.ts), for one number or one vec4 of each gate. Both
 * functions return statements that use the given names and declare new ones. Wrap the statements in a block.
 */
export interface CellCode {
  /** Declares hNext (and cNext if c is a state), and kept0 … for the backward pass. */
  forward(names: CellNames): string;
  /**
   * Declares da0 … (gradients of the pre-activations); dcBefore (gradient of c_{t-1}) if c is a state; and dhDirect if
   * part of dh_t is passed to dh_{t-1} directly, not through W_hh.
   */
  backward(names: CellBackwardNames): string;
}

export interface CellNames {
  /** Pre-activations, by block of GateLayout (src/base/cells.ts). */
  a: (block: number) => string;
  /** State of step t−1. */
  before: (state: StateName) => string;
  /** Functions: `safeTanh` and `sigmoid`, or their vec4 versions. */
  tanh: string;
  sigmoid: string;
}

export interface CellBackwardNames {
  /** Gradients of the states of step t: of h from all sources, of c from step t+1. */
  d: (state: StateName) => string;
  /** Kept activations, by block; states of step t (`now`) and of step t−1 (`before`). */
  kept: (block: number) => string;
  now: (state: StateName) => string;
  before: (state: StateName) => string;
  tanh: string;
}
