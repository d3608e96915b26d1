import type { StateName } from '../../src/base/cells.ts';

/**
 * The cell of a controller (equations in src/base/parameters.ts), on numbers or vec4s of each gate. Both functions
 * return statements that use the given names and declare new ones. Put them into a block of their own.
 */
export interface CellCode {
  /** Declares hNext (and cNext if c is a state), and kept0 … for the backward pass. */
  forward(names: CellNames): string;
  /**
   * Declares da0 … (gradients of the gates' sums); dcBefore (gradient of c of the step before) if c is a state;
   * dhDirect if part of dh reaches h of the step before without going through a matrix.
   */
  backward(names: CellBackwardNames): string;
}

export interface CellNames {
  /** Sum of gate g, in the order of src/base/cells.ts. */
  a: (gate: number) => string;
  /** State of the step before. */
  before: (state: StateName) => string;
  /** Functions: `safeTanh` and `sigmoid`, or their vec4 versions. */
  tanh: string;
  sigmoid: string;
}

export interface CellBackwardNames {
  /** Gradients: of h from all sources, of c from the step after. */
  d: (state: StateName) => string;
  /** Kept activations, states of this step, and states of the step before. */
  kept: (gate: number) => string;
  now: (state: StateName) => string;
  before: (state: StateName) => string;
  tanh: string;
}
