import type { StateName } from '../../src/base/cells.ts';

/**
 * The cell of a controller (equations in src/base/parameters.ts), for a number or a vec4 of each gate. Both functions return
 * statements that read names of the shader and declare others, to be put into a block of their own.
 */
export interface CellCode {
  /** Declares hNext (and cNext, where c is a state), and kept0 … where the backward pass wants them. */
  forward(names: CellNames): string;
  /**
   * Declares da0 … of every gate's sum; where c is a state dcBefore, of c of the step before; where something of dh reaches h
   * of the step before past all matrices, that as dhDirect.
   */
  backward(names: CellBackwardNames): string;
}

export interface CellNames {
  /** Sums of gate g, in the order of src/base/cells.ts. */
  a: (gate: number) => string;
  /** Of the step before. */
  before: (state: StateName) => string;
  /** `safeTanh` and `sigmoid`, or those of vec4s. */
  tanh: string;
  sigmoid: string;
}

export interface CellBackwardNames {
  /** Gradients: of h from everywhere, of c from the step after. */
  d: (state: StateName) => string;
  /** Kept activations; states of this step, and of the step before. */
  kept: (gate: number) => string;
  now: (state: StateName) => string;
  before: (state: StateName) => string;
  tanh: string;
}
