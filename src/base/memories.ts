/**
 * The kinds of memory as data: what all engines, checkpoints, the terminal and the page derive from it. A kind is an entry
 * here and its equations in src/reference, shaders/memories and src/simd/assembly: see CONTRIBUTING.
 */
export interface MemoryKind {
  /** Ends: where it takes a value and gives a read. */
  readonly ends: number;
  /** What the controller says to each end at a step, beside the value: numbers in (0, 1), of a head each. */
  readonly controls: readonly Control[];
  /** What makes them of their heads: σ of each, or a softmax over those of an end, whose sum is then 1. */
  readonly activation: 'sigmoid' | 'softmax';
  /** Whether it has rows with strengths, which a trace shows; in the paper's order by `strengthsOf` in src/layout. */
  readonly rows: boolean;
  /** What each fast engine keeps of a memory of one sequence, rows being M4 vec4s; `depth` of kinds with so many cells. */
  storage(M4: number, depth: number): Storage;
}

/** Entries of a memory in the buffers of a batch. */
export interface Storage {
  /** Of two words: the state, after a forward pass that of the last step. */
  readonly slots: Entries;
  /** Of four words: what the backward pass needs of every step. */
  readonly undoLog: Entries;
  /** Numbers: the gradient of the state. */
  readonly dStrength: Entries;
}

/** A number of entries that grows with the time steps. */
export interface Entries {
  readonly perStep: number;
  readonly once: number;
}

export interface Control {
  /** As arrays of it are called: `push`, and `dPush` its gradient. */
  readonly name: string;
  /** As the paper writes it; its head is W_ and b_ with this. */
  readonly symbol: string;
  /** Where the bias of its head begins. */
  bias(model: HeadBiases, end: number): number;
}

/** Keys of a configuration's model. */
export interface HeadBiases {
  pushBias: number;
  popBias: number;
  bottomPushBias: number;
}

const push: Control = { name: 'push', symbol: 'd', bias: ({ pushBias }) => pushBias };
const pop: Control = { name: 'pop', symbol: 'u', bias: ({ popBias }) => popBias };

/** A deque of rows with strengths, one slot and one entry of the log for every push. */
const rows = (ends: number, first: Control = push): MemoryKind => ({
  ends,
  controls: [first, pop],
  activation: 'sigmoid',
  rows: true,
  storage: () => {
    const each = { perStep: ends, once: 0 };
    return { slots: each, undoLog: each, dStrength: each };
  },
});

/** `depth` cells, each a mixture of its neighbours and itself by the shares of the actions. */
const cells = (controls: readonly Control[]): MemoryKind => ({
  ends: 1,
  controls,
  activation: 'softmax',
  rows: false,
  storage: (M4, depth) => ({
    slots: { perStep: 0, once: 0 },
    // All cells after every step.
    undoLog: { perStep: depth * M4, once: 0 },
    // What arrives at all cells, of this step and of the one after.
    dStrength: { perStep: 0, once: 8 * depth * M4 },
  }),
});

const KINDS = {
  stack: rows(1),
  queue: rows(1),
  // Its ends are (top, bottom), and may start apart.
  deque: rows(2, {
    ...push,
    bias: ({ pushBias, bottomPushBias }, end) => pushBias + (end % 2 === 1 ? bottomPushBias : 0),
  }),
  /** Joulin and Mikolov 2015: every cell is a mixture of itself, the one above and the one below. */
  superposition: cells([
    { name: 'push', symbol: 'push', bias: ({ pushBias }) => pushBias },
    { name: 'pop', symbol: 'pop', bias: ({ popBias }) => popBias },
    { name: 'stay', symbol: 'stay', bias: () => 0 },
  ]),
  /** Delétang et al. 2023: a ring of cells and a head that writes, then moves. */
  tape: cells([
    { name: 'left', symbol: 'left', bias: ({ popBias }) => popBias },
    { name: 'right', symbol: 'right', bias: ({ pushBias }) => pushBias },
    { name: 'stay', symbol: 'stay', bias: () => 0 },
  ]),
} as const satisfies Record<string, MemoryKind>;

export type MemoryName = keyof typeof KINDS;
export const MEMORY_NAMES = Object.keys(KINDS) as [MemoryName, ...MemoryName[]];

const NONE: MemoryKind = { ...rows(0), controls: [], rows: false };

/** The kind by its name; of a model without a memory one that has nothing. */
export const memoryKind = (name: MemoryName | 'none'): MemoryKind => (name === 'none' ? NONE : KINDS[name]);

/** Entries of a memory of one sequence of T steps, whose rows have M4 vec4s. */
export function entriesOf(
  name: MemoryName | 'none',
  M4: number,
  T: number,
  depth: number,
): Record<keyof Storage, number> {
  const { slots, undoLog, dStrength } = memoryKind(name).storage(M4, depth);
  const of = ({ perStep, once }: Entries): number => perStep * T + once;
  return { slots: of(slots), undoLog: of(undoLog), dStrength: of(dStrength) };
}

/** Ends of one memory: where it is pushed to, popped and read. A deque's are (top, bottom). */
export const endsOf = (name: MemoryName | 'none'): number => memoryKind(name).ends;

/** E, the ends of all memories of a model: each has its controls and a value. */
export const endsOfModel = (model: { memory: MemoryName | 'none'; memories: number }): number =>
  model.memories * endsOf(model.memory);

/**
 * Rows that one memory shows at a step: one at each end; of a superposition stack or a tape `reads` cells, from the top or from under
 * the head on.
 */
export const readsOf = (name: MemoryName | 'none', reads = 1): number =>
  endsOf(name) * (memoryKind(name).rows ? 1 : reads);

/** Q, the rows that all memories of a model show at a step. */
export const readsOfModel = (model: {
  memory: MemoryName | 'none';
  memories: number;
  reads: number;
}): number => model.memories * readsOf(model.memory, model.reads);

/**
 * Cells of a superposition stack or a tape, where nothing else is said: more than the longest sequences that our small reversals are
 * evaluated on need. Delétang et al. have 30.
 */
export const DEPTH = 40;

/**
 * From the controls of one end to those of the next, in the row of heads of the fast engines: a softmax is over one vec4.
 */
export const controlStride = (name: MemoryName | 'none'): number => {
  const { activation, controls } = memoryKind(name);
  return activation === 'softmax' ? 4 : controls.length;
};

/** Controls of one end. */
export const controlCount = (name: MemoryName | 'none'): number => memoryKind(name).controls.length;

/** `dPush`: the gradient of an array by its name. */
export const gradientName = (name: string): string => `d${name[0].toUpperCase()}${name.slice(1)}`;
