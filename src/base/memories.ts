/**
 * The kinds of memory as data, from which all engines, checkpoints, the terminal and the page are derived. A kind has
 * an entry here, and its equations in src/reference, shaders/memories and src/simd/assembly: see CONTRIBUTING.md.
 */
export interface MemoryKind {
  /** Number of ends. At every step, each end takes one value and returns one read. */
  readonly ends: number;
  /** The controls of each end, apart from the value: numbers in (0, 1), each computed by a head of its own. */
  readonly controls: readonly Control[];
  /** Activation of the controls: σ of each logit, or a softmax over the controls of an end (their sum is then 1). */
  readonly activation: 'sigmoid' | 'softmax';
  /** Whether it has rows with strengths. Traces show them, in the paper's order (src/layout/strengths.ts). */
  readonly rows: boolean;
  /**
   * Entries that a fast engine (gpu, cpu) keeps for one memory of one sequence. A row is M4 vec4s. `depth` is the
   * number of cells; kinds with rows ignore it.
   */
  storage(M4: number, depth: number): MemoryStorage;
}

/** Numbers of entries of one memory of one sequence in the buffers of a batch. */
export interface MemoryStorage {
  /**
   * The state of a kind with rows (after a forward pass, that of the last step): entries of two words. Empty for a kind
   * with cells, whose state is in the undo log.
   */
  readonly slots: Entries;
  /** What the backward pass needs from every step: entries of four words. */
  readonly undoLog: Entries;
  /** The gradient of the state: entries of one word. */
  readonly dStrength: Entries;
}

/** perStep·T + fixed entries for T time steps. */
export interface Entries {
  readonly perStep: number;
  readonly fixed: number;
}

/** One control of an end, such as the push strength. */
export interface Control {
  /** Name of its arrays, such as `push`; the array of its gradient is `dPush`. */
  readonly name: string;
  /** Symbol in the paper, such as d; the parameters of its head are then W_d and b_d. */
  readonly symbol: string;
  /** Initial bias of its head. @param end 0 … E − 1, over all memories of the model */
  bias(model: HeadBiases, end: number): number;
}

/** The keys of ModelConfig that set the initial biases of heads. */
export interface HeadBiases {
  pushBias: number;
  popBias: number;
  bottomPushBias: number;
}

const push: Control = { name: 'push', symbol: 'd', bias: ({ pushBias }) => pushBias };
const pop: Control = { name: 'pop', symbol: 'u', bias: ({ popBias }) => popBias };

/** Rows with strengths. Every push takes one slot and one entry of the undo log. */
const rows = (ends: number, first: Control = push): MemoryKind => ({
  ends,
  controls: [first, pop],
  activation: 'sigmoid',
  rows: true,
  storage: () => {
    const each = { perStep: ends, fixed: 0 };
    return { slots: each, undoLog: each, dStrength: each };
  },
});

/** `depth` cells. At every step each cell becomes a mixture of itself and its neighbours, weighted by the controls. */
const cells = (controls: readonly Control[]): MemoryKind => ({
  ends: 1,
  controls,
  activation: 'softmax',
  rows: false,
  storage: (M4, depth) => ({
    slots: { perStep: 0, fixed: 0 },
    // All cells, after every step.
    undoLog: { perStep: depth * M4, fixed: 0 },
    // The gradients of all cells, at this step and at the next.
    dStrength: { perStep: 0, fixed: 8 * depth * M4 },
  }),
});

const KINDS = {
  stack: rows(1),
  queue: rows(1),
  // Each deque's ends are (top, bottom), so odd ends are bottoms. Push heads of bottoms may start with another bias.
  deque: rows(2, {
    ...push,
    bias: ({ pushBias, bottomPushBias }, end) => pushBias + (end % 2 === 1 ? bottomPushBias : 0),
  }),
  /** Joulin and Mikolov 2015: every cell becomes a mixture of itself, the cell above and the cell below. */
  superposition: cells([
    { name: 'push', symbol: 'push', bias: ({ pushBias }) => pushBias },
    { name: 'pop', symbol: 'pop', bias: ({ popBias }) => popBias },
    { name: 'stay', symbol: 'stay', bias: () => 0 },
  ]),
  /** Delétang et al. 2023: a ring of cells, and a head that writes, then moves. */
  tape: cells([
    { name: 'left', symbol: 'left', bias: ({ popBias }) => popBias },
    { name: 'right', symbol: 'right', bias: ({ pushBias }) => pushBias },
    { name: 'stay', symbol: 'stay', bias: () => 0 },
  ]),
} as const satisfies Record<string, MemoryKind>;

export type MemoryName = keyof typeof KINDS;
export const MEMORY_NAMES = Object.keys(KINDS) as [MemoryName, ...MemoryName[]];

const NONE: MemoryKind = { ...rows(0), controls: [], rows: false };

/** The kind of this name. `none` has no ends and no controls. */
export const memoryKind = (name: MemoryName | 'none'): MemoryKind => (name === 'none' ? NONE : KINDS[name]);

/** Numbers of entries of one memory of one sequence of T steps. A row is M4 vec4s. */
export function entriesOf(
  name: MemoryName | 'none',
  M4: number,
  T: number,
  depth: number,
): Record<keyof MemoryStorage, number> {
  const { slots, undoLog, dStrength } = memoryKind(name).storage(M4, depth);
  const count = ({ perStep, fixed }: Entries): number => perStep * T + fixed;
  return { slots: count(slots), undoLog: count(undoLog), dStrength: count(dStrength) };
}

/** Number of ends of one memory; 0 for `none`. A deque's ends are (top, bottom). */
export const endsOf = (name: MemoryName | 'none'): number => memoryKind(name).ends;

/** E, the number of ends of all memories of a model. Each end has controls and a value. */
export const endsOfModel = (model: { memory: MemoryName | 'none'; memories: number }): number =>
  model.memories * endsOf(model.memory);

/**
 * Number of rows read from one memory per step: one per end; from a superposition stack or a tape, `reads` cells
 * (from the top, or from under the head rightwards).
 */
export const readsOf = (name: MemoryName | 'none', reads = 1): number =>
  endsOf(name) * (memoryKind(name).rows ? 1 : reads);

/** Q, the number of rows read from all memories of a model per step. */
export const readsOfModel = (model: {
  memory: MemoryName | 'none';
  memories: number;
  reads: number;
}): number => model.memories * readsOf(model.memory, model.reads);

/**
 * Default number of cells of a superposition stack or a tape: more than the 32 symbols of the longest sources that the
 * preset `reverse` is evaluated on. Delétang et al. use 30.
 */
export const DEPTH = 40;

/**
 * Distance, in floats, between the controls of consecutive ends in the row s, which holds the values and controls of a
 * step in the fast engines. For a softmax, each end has its own vec4.
 */
export const controlStride = (name: MemoryName | 'none'): number => {
  const { activation, controls } = memoryKind(name);
  return activation === 'softmax' ? 4 : controls.length;
};

/** Number of controls per end. */
export const controlCount = (name: MemoryName | 'none'): number => memoryKind(name).controls.length;

/** Name of the gradient of an array: `dPush` for `push`. */
export const gradientName = (name: string): string => `d${name[0].toUpperCase()}${name.slice(1)}`;
