/**
 * The controllers' cells as data: all engines derive sizes, parameters and layouts from them. To add a controller, add
 * an entry here, and its equations in src/reference, shaders/cells and src/simd/assembly.
 */
export interface Cell {
  /** Names of the gates. Each gate is a block of H columns in the matrices of a checkpoint, in this order. */
  readonly gates: readonly string[];
  /** State carried from step to step. h also feeds the layer above and the heads. */
  readonly states: readonly StateName[];
  /** Whether h_{t-1} is an input, through W_hh. A feed-forward controller carries state in the memory only. */
  readonly recurrent: boolean;
  /** The gate whose bias is initialised to model.forgetBias. */
  readonly forgetGate?: number;
  readonly fast: FastCell;
}

export type StateName = 'h' | 'c';

/**
 * Layout of the gates in the fast engines: the row a of pre-activations is divided into blocks of H. Inputs, reads and
 * the layer below feed the blocks [0, x); h_{t-1} feeds the blocks [hFrom, hFrom + h).
 */
export interface FastCell {
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
   * For each gate in the order of checkpoints: its block among those fed by the inputs (x), and among those fed by h.
   */
  readonly order?: { readonly x: readonly number[]; readonly h: readonly number[] };
}

const plain = { all: 1, x: 1, hFrom: 0, kept: 0, direct: false };

/** The cells by controller. Lists shown to users have the order of these keys. */
export const CELLS = {
  rnn: { gates: ['h'], states: ['h'], recurrent: true, fast: { ...plain, h: 1 } },
  lstm: {
    gates: ['i', 'f', 'g', 'o'],
    states: ['h', 'c'],
    recurrent: true,
    forgetGate: 1,
    fast: { all: 4, x: 4, hFrom: 0, h: 4, kept: 4, direct: false },
  },
  'lstm-coupled': {
    gates: ['i', 'g', 'o'],
    states: ['h', 'c'],
    recurrent: true,
    fast: { all: 3, x: 3, hFrom: 0, h: 3, kept: 3, direct: false },
  },
  gru: {
    gates: ['z', 'r', 'n'],
    states: ['h'],
    recurrent: true,
    // n is split into two blocks, because r scales only one: (n without h, z, r, the part of n from h).
    fast: {
      ...{ all: 4, x: 3, hFrom: 1, h: 3, kept: 4, direct: true },
      order: { x: [1, 2, 0], h: [0, 1, 2] },
    },
  },
  feedforward: { gates: ['h'], states: ['h'], recurrent: false, fast: { ...plain, h: 0 } },
} as const satisfies Record<string, Cell>;

export type Controller = keyof typeof CELLS;
export const CONTROLLERS = Object.keys(CELLS) as [Controller, ...Controller[]];

/** The cell of a model's controller. */
export const cellOf = ({ controller }: { controller: Controller }): Cell => CELLS[controller];

/** Whether layers have a cell state c besides h. */
export const hasCell = (spec: { controller: Controller }): boolean => cellOf(spec).states.includes('c');

/** Whether a controller carries state from step to step. */
export const isRecurrent = (spec: { controller: Controller }): boolean => cellOf(spec).recurrent;
