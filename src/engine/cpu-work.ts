import type { Batch } from '../base/dims.ts';
import { DEPTH, endsOf, entriesOf, type MemoryStorage, memoryKind, readsOf } from '../base/memories.ts';
import type { ModelSpec } from '../base/parameters.ts';
import { type Layout, layoutOf } from '../layout/layout.ts';
import { allStrengths } from '../layout/strengths.ts';
import { BackwardPass } from '../simd/backward.ts';
import { ForwardPass } from '../simd/forward.ts';
import { type Group, groupsOf } from '../simd/groups.ts';
import { Arena } from '../simd/module.ts';
import type { Work } from '../simd/pool.ts';
import type { WeightAddresses } from '../simd/weights.ts';
import { type Capacity, Workspace } from '../simd/workspace.ts';
import type { Forward, MemoryShape, StepReport } from './engine.ts';
import { addMetrics, emptyReport } from './metrics.ts';

/**
 * The work of the cpu engine's threads on a model or a memory. WorkSpec, Pass and MemoryJob can be posted to a thread.
 */

/** What a thread needs to build its copy of a model or a memory. */
export type WorkSpec =
  | {
      of: 'model';
      module: WebAssembly.Module;
      memory: WebAssembly.Memory;
      spec: ModelSpec;
      weights: WeightAddresses;
    }
  | {
      of: 'memory';
      module: WebAssembly.Module;
      memory: WebAssembly.Memory;
      shape: MemoryShape;
      at: MemoryPlaces;
    };

/** Builds a thread's copy of a model or a memory. */
export function buildWork(spec: WorkSpec): Work<never, unknown> {
  const arena = new Arena(spec.module, spec.memory);
  arena.refresh();
  if (spec.of === 'memory') return new MemoryWork(arena, spec.shape, spec.at);
  return new ModelWork(arena, layoutOf(spec.spec), spec.weights);
}

/** A job of a model: a forward pass over a batch, and a backward pass if `gradients` is given. */
export interface Pass {
  batch: Batch;
  capacity: Capacity;
  /** Address of the workspace of each thread. */
  workspaces: readonly number[];
  /** Number of strands (src/simd/groups.ts). */
  strands: number;
  /** Address of the gradient of each strand. Absent in an evaluation. */
  gradients?: readonly number[];
  /**
   * Results of an evaluation: arrays over the whole batch. They are in shared memory if the engine has several threads,
   * except `trace`, which one thread computes.
   */
  results?: Omit<Forward, 'report'>;
}

/** A model's work. The items of its jobs are the strands of a batch. */
export class ModelWork implements Work<Pass, StepReport> {
  readonly #layout: Layout;
  readonly #workspace: Workspace;
  readonly #forward: ForwardPass;
  readonly #backward: BackwardPass;
  #pass: Pass | undefined;
  #groups: Group[] = [];

  constructor(arena: Arena, layout: Layout, weights: WeightAddresses) {
    this.#layout = layout;
    this.#workspace = new Workspace(arena, layout, weights);
    this.#forward = new ForwardPass(this.#workspace);
    this.#backward = new BackwardPass(this.#workspace);
  }

  begin(pass: Pass, thread: number): void {
    this.#pass = pass;
    this.#groups = groupsOf(pass.batch, this.#layout.size4);
    if (this.#workspace.place(pass.workspaces[thread], pass.capacity) && thread > 0)
      this.#workspace.arena.refresh();
  }

  run(strand: number): StepReport {
    const { batch, strands, gradients, results } = this.#pass!;
    const ws = this.#workspace;
    const report = emptyReport(batch.B);
    if (gradients) ws.arena.kernels.clear(gradients[strand], 16 * this.#layout.size4);
    for (let g = strand; g < this.#groups.length; g += strands) {
      const group = this.#groups[g];
      ws.load(batch, group);
      this.#forward.run();
      addMetrics(report, batch, group, ws.rowMetrics(), ws.autoencoderLoss());
      if (gradients) this.#backward.run(gradients[strand]);
      if (results) this.#keep(results, batch, group);
    }
    return report;
  }

  /** Writes the results of a group of sequences to the arrays of an evaluation. */
  #keep(results: Omit<Forward, 'report'>, { B }: Batch, group: Group): void {
    const ws = this.#workspace;
    const { stride, E, Q, M4, N4, R4, S4, V4, spec } = this.#layout;
    const { controls, rows: hasRows } = memoryKind(spec.memory);
    const { outputs: V, width: M, memory: kind, memories } = spec;
    const [rowMetrics, s, y, r] = [ws.rowMetrics(), ws.rows('s'), ws.rows('y'), ws.rows('r', 1)];
    for (let t = 0; t < group.T; t++) {
      for (let slot = 0; slot < group.active[t]; slot++) {
        const [row, n] = [group.first[t] + slot, t * B + group.order[slot]];
        results.predicted[n] = rowMetrics[4 * row + 2];
        for (let e = 0; e < E; e++) {
          const at = 4 * (row * S4 + N4) + stride * e;
          controls.forEach(({ name }, c) => {
            results.controls[name][n * E + e] = s[at + c];
          });
        }
        for (let q = 0; results.trace && q < Q; q++) {
          const from = 4 * (row * R4 + q * M4);
          results.trace.read.set(r.subarray(from, from + M), (n * Q + q) * M);
        }
        results.trace?.output.set(y.subarray(4 * row * V4, 4 * row * V4 + V), n * V);
      }
    }
    if (!results.trace || kind === 'none' || !hasRows) return;
    const shape = { kind, form: 'block' as const, B: group.order.length, T: group.T, memories };
    const strengths = allStrengths(shape, ...ws.states(), group.lengths);
    for (let k = 0; k < memories; k++) {
      for (const [slot, b] of group.order.entries()) results.trace.strengths[k][b] = strengths[k][slot];
    }
  }
}

/**
 * The arrays of a memory. `controls` and `dControls` consist of one array per control, one after another. `value` must
 * follow `controls`, and `dValue` must follow `dControls`, because single steps use both as one block (StepRows).
 */
export const MEMORY_ARRAYS = [
  'controls',
  'value',
  'read',
  'dRead',
  'dControls',
  'dValue',
  'table',
  'slots',
  'undoLog',
  'dStrength',
] as const;
/** Address of each array. */
export type MemoryPlaces = Record<(typeof MEMORY_ARRAYS)[number], number>;

/** Number of sequences per item of a memory's jobs. */
const SEQUENCES_PER_ITEM = 8;
export const itemsOfMemory = (B: number): number => Math.ceil(B / SEQUENCES_PER_ITEM);

/** A pass over whole sequences, or one step of all sequences. */
export type MemoryJob = 'forward' | 'backward' | { call: 'step' | 'stepBackward'; t: number };

/**
 * Layout for single steps: [T,B,(E·C + E·M)] with C controls per end, at the addresses of the controls and values of
 * whole sequences. The row of a step and a sequence holds its controls (those of one end side by side), then its
 * values. Gradients have the same layout. Reads are those of one step, [B,Q,M].
 */
export interface StepRows {
  /** Numbers per row, and numbers of controls, values and reads of one sequence. */
  width: number;
  controls: number;
  values: number;
  reads: number;
}

export function stepRows({ kind, M, reads }: MemoryShape): StepRows {
  const { ends, controls } = memoryKind(kind);
  const all = ends * controls.length;
  const values = ends * M;
  return { width: all + values, controls: all, values, reads: readsOf(kind, reads) * M };
}

/** A memory's work. The items of its jobs are groups of adjacent sequences. */
export class MemoryWork implements Work<MemoryJob, void> {
  readonly #arena: Arena;
  readonly #shape: MemoryShape;
  readonly #at: MemoryPlaces;
  /** T·E, the number of rows of a sequence. */
  readonly #N: number;
  /** T·Q·M, the size of a sequence's reads. */
  readonly #reads: number;
  /** Numbers of entries of a sequence in `slots`, `undoLog` and `dStrength`. */
  readonly #entries: Record<keyof MemoryStorage, number>;
  readonly #rows: StepRows;
  #job: MemoryJob = 'forward';

  constructor(arena: Arena, shape: MemoryShape, at: MemoryPlaces) {
    this.#arena = arena;
    this.#shape = shape;
    this.#at = at;
    const { kind: memory, T, M, depth = DEPTH, reads } = shape;
    this.#N = T * endsOf(memory);
    this.#reads = T * readsOf(memory, reads) * M;
    this.#entries = memoryEntries(shape);
    this.#rows = stepRows(shape);
    arena.setMemoryShape({ memory, depth, reads }, this.#entries, M, 4 * M, at.table);
  }

  begin(job: MemoryJob): void {
    this.#job = job;
  }

  run(item: number): void {
    const { B, T, M } = this.#shape;
    const first = item * SEQUENCES_PER_ITEM;
    const count = Math.min(SEQUENCES_PER_ITEM, B - first);
    /** Address of the data of these sequences, with `each` entries per sequence and `bytes` bytes per entry. */
    const address = (name: keyof MemoryPlaces, each: number, bytes: number): number =>
      this.#at[name] + first * each * bytes;
    const { kernels } = this.#arena;
    const [N, entries] = [this.#N, this.#entries];
    const [slots, undoLog] = [address('slots', entries.slots, 8), address('undoLog', entries.undoLog, 16)];
    const dStrength = address('dStrength', entries.dStrength, 4);
    if (typeof this.#job === 'object') {
      const { call, t } = this.#job;
      const { width, controls, reads } = this.#rows;
      const [lds, ldr] = [4 * width, 4 * reads];
      // `row0` is the row of step 0, from which the table's offsets count. `row0 + step` is the row of this step.
      const [row0, dRow0] = [address('controls', width, 4), address('dControls', width, 4)];
      const step = t * B * lds;
      const [values, dValues] = [row0 + 4 * controls, dRow0 + 4 * controls];
      if (call === 'step') {
        const read = address('read', reads, 4);
        kernels.stepForward(count, t, 1, row0 + step, lds, 0, values, read, ldr, slots, undoLog);
        return;
      }
      const [s, dS, dr] = [row0 + step, dRow0 + step, address('dRead', reads, 4)];
      kernels.stepBackward(count, t, 1, s, dS, lds, 0, values, dValues, dr, ldr, slots, undoLog, dStrength);
      return;
    }
    /** Bytes from the array of one control to the next. */
    const controlBytes = 4 * B * N;
    const [controls, value] = [address('controls', N, 4), address('value', N, 4 * M)];
    if (this.#job === 'forward') {
      const read = address('read', this.#reads, 4);
      kernels.layerForward(count, T, controls, controlBytes, value, read, slots, undoLog);
      return;
    }
    const dValue = address('dValue', N, 4 * M);
    kernels.clear(dStrength, 4 * count * entries.dStrength);
    kernels.clear(dValue, 4 * count * N * M);
    const [dRead, dControls] = [address('dRead', this.#reads, 4), address('dControls', N, 4)];
    kernels.layerBackward(
      count,
      T,
      controls,
      controlBytes,
      value,
      dRead,
      slots,
      undoLog,
      dStrength,
      dControls,
      dValue,
    );
  }
}

/** Numbers of entries of one sequence in `slots`, `undoLog` and `dStrength`. */
export const memoryEntries = ({
  kind,
  T,
  M,
  depth = DEPTH,
}: MemoryShape): Record<keyof MemoryStorage, number> => entriesOf(kind, Math.ceil(M / 4), T, depth);
