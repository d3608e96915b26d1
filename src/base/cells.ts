/**
 * The cells of controllers as data: what all engines derive sizes, parameters and places from. A controller is an entry here,
 * its equations in src/reference, shaders/cells and src/simd/assembly.
 */
export interface Cell {
  /** Gates: columns of its matrices, in blocks of H, as checkpoints have them. */
  readonly gates: readonly string[];
  /** The layer's state from step to step; h also goes to the layer above and to the heads. */
  readonly states: readonly StateName[];
  /** Whether h of the step before comes in, through W_hh: a feed-forward controller remembers by its memory alone. */
  readonly recurrent: boolean;
  /** The gate whose bias begins at model.forgetBias. */
  readonly forgetGate?: number;
  readonly fast: FastCell;
}

export type StateName = 'h' | 'c';

/**
 * Gates as the fast engines have them, each a block of H of the row a. Inputs, reads and the layer below act on the blocks
 * [0, x), h of the step before on [hFrom, hFrom + h).
 */
export interface FastCell {
  readonly all: number;
  readonly x: number;
  readonly hFrom: number;
  readonly h: number;
  /** Blocks of the cell's activations that the backward pass wants; 0 where h tells them. */
  readonly kept: number;
  /** Whether something of dh reaches h of the step before past all matrices. */
  readonly direct: boolean;
  /** Which of its blocks each gate of a checkpoint is: of what inputs act on, and of what h acts on. */
  readonly order?: { readonly x: readonly number[]; readonly h: readonly number[] };
}

const plain = { all: 1, x: 1, hFrom: 0, kept: 0, direct: false };

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
    // n has its two parts apart: (n without h, z, r, n of h alone).
    fast: {
      ...{ all: 4, x: 3, hFrom: 1, h: 3, kept: 4, direct: true },
      order: { x: [1, 2, 0], h: [0, 1, 2] },
    },
  },
  feedforward: { gates: ['h'], states: ['h'], recurrent: false, fast: { ...plain, h: 0 } },
} as const satisfies Record<string, Cell>;

export type Controller = keyof typeof CELLS;
export const CONTROLLERS = Object.keys(CELLS) as [Controller, ...Controller[]];

export const cellOf = ({ controller }: { controller: Controller }): Cell => CELLS[controller];

/** Whether layers have a cell c beside h. */
export const hasCell = (spec: { controller: Controller }): boolean => cellOf(spec).states.includes('c');

/** Whether a controller hands a state on from step to step. */
export const isRecurrent = (spec: { controller: Controller }): boolean => cellOf(spec).recurrent;
