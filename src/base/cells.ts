/**
 * The controllers' cells as data: all engines derive sizes, parameters and layouts from them. To add a controller, add
 * an entry here, and its equations in src/reference, shaders/cells and src/simd/assembly.
 */
export interface Cell {
  /**
   * Names of the blocks of pre-activations: gates and candidates. Each is H columns of the matrices in a checkpoint, in
   * this order.
   */
  readonly gates: readonly string[];
  /** States of a layer, carried to the next step if `recurrent`. h also feeds the layer above and the heads. */
  readonly states: readonly StateName[];
  /** Whether h_{t-1} is an input, through W_hh. A feed-forward controller carries state in the memory only. */
  readonly recurrent: boolean;
  /** The gate whose bias is initialised to model.forgetBias. */
  readonly forgetGate?: number;
  readonly layout: GateLayout;
}

export type StateName = 'h' | 'c';

/**
 * Layout of a cell's gates in the engines `gpu` and `cpu`: the pre-activations `a` of a step are one row, divided into
 * blocks of H columns. Inputs, reads and the layer below feed the blocks [0, x); h_{t-1} feeds the blocks
 * [hFrom, hFrom + h).
 */
export interface GateLayout {
  /** Number of blocks. */
  readonly all: number;
  readonly x: number;
  readonly hFrom: number;
  readonly h: number;
  /** Number of blocks of activations kept for the backward pass; 0 if h is enough. */
  readonly kept: number;
  /** Whether part of dh_t is passed to dh_{t-1} directly, not through W_hh. */
  readonly direct: boolean;
  /**
   * For each gate in the order of `gates`: its block among those fed by the inputs (x), and among those fed by h.
   * Absent: the same order.
   */
  readonly order?: { readonly x: readonly number[]; readonly h: readonly number[] };
}

const plain = { all: 1, x: 1, hFrom: 0, kept: 0, direct: false };

/** The cells by controller. Lists shown to users have the order of these keys. */
export const CELLS = {
  rnn: { gates: ['h'], states: ['h'], recurrent: true, layout: { ...plain, h: 1 } },
  lstm: {
    gates: ['i', 'f', 'g', 'o'],
    states: ['h', 'c'],
    recurrent: true,
    forgetGate: 1,
    layout: { all: 4, x: 4, hFrom: 0, h: 4, kept: 4, direct: false },
  },
  // The input gate is coupled to the forget gate: f = 1 − i.
  'lstm-coupled': {
    gates: ['i', 'g', 'o'],
    states: ['h', 'c'],
    recurrent: true,
    layout: { all: 3, x: 3, hFrom: 0, h: 3, kept: 3, direct: false },
  },
  gru: {
    gates: ['z', 'r', 'n'],
    states: ['h'],
    recurrent: true,
    // n is split into two blocks, because r scales only one: (n without h, z, r, the part of n from h).
    layout: {
      ...{ all: 4, x: 3, hFrom: 1, h: 3, kept: 4, direct: true },
      order: { x: [1, 2, 0], h: [0, 1, 2] },
    },
  },
  feedforward: { gates: ['h'], states: ['h'], recurrent: false, layout: { ...plain, h: 0 } },
} as const satisfies Record<string, Cell>;

export type Controller = keyof typeof CELLS;
export const CONTROLLERS = Object.keys(CELLS) as [Controller, ...Controller[]];

/** The cell of a model's controller. */
export const cellOf = ({ controller }: { controller: Controller }): Cell => CELLS[controller];

/** Whether layers have a cell state c besides h. */
export const hasCellState = (spec: { controller: Controller }): boolean => cellOf(spec).states.includes('c');

/** Whether a controller carries state from step to step. */
export const isRecurrent = (spec: { controller: Controller }): boolean => cellOf(spec).recurrent;
