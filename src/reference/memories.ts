import { endsOf, type ModelSpec } from '../base/parameters.ts';
import type { Heads } from './heads.ts';
import { MEMORIES } from './memory.ts';
import { flatOf, zeroRows } from './rows.ts';
import type { Memory } from './sequence.ts';

/**
 * The memories of a model, side by side: each has its own ends of the heads and its own part of the reads, and
 * knows nothing of the others. A model without a memory has none of them, and empty reads.
 */

/** One memory after a step. */
export interface MemoryState {
  /** Strengths from bottom to top. */
  s: Float64Array;
  /** Rows [M] from bottom to top. */
  V: Float64Array[];
}

/** What arrives at one memory from step t+1: gradients of its strengths and rows. */
interface MemoryGradient {
  ds: Float64Array;
  dV: Float64Array[];
}

const kindOf = ({ memory }: ModelSpec): Memory | undefined =>
  memory === 'none' ? undefined : MEMORIES[memory];

/** [memories], all empty: V_0 and s_0 of the paper */
export const emptyMemories = (spec: ModelSpec): MemoryState[] =>
  spec.memory === 'none'
    ? []
    : Array.from({ length: spec.memories }, () => ({ s: new Float64Array(0), V: [] }));

/** The E rows [M] that memory k is given or gives, of all that there are. flat [memories,E,M] */
function rowsOfMemory(spec: ModelSpec, flat: Float64Array, k: number): Float64Array[] {
  const [E, M] = [endsOf(spec.memory), spec.width];
  return Array.from({ length: E }, (_, e) => flat.slice((k * E + e) * M, (k * E + e + 1) * M));
}

/** The part of memory k in an array of `width` numbers an end. */
function partOf(spec: ModelSpec, flat: Float64Array, k: number, width: number): Float64Array {
  const part = endsOf(spec.memory) * width;
  return flat.slice(k * part, (k + 1) * part);
}

/** One step of all memories. before [memories], d, u [E], v [E,M] → after [memories], r [E,M], E over all of them */
export function memories(
  spec: ModelSpec,
  before: readonly MemoryState[],
  { d, u, v }: Heads,
): { after: MemoryState[]; r: Float64Array } {
  const memory = kindOf(spec);
  if (!memory) return { after: [], r: new Float64Array(0) };
  const after = before.map(({ s, V }, k) => ({
    s: memory.step(s, partOf(spec, d, k, 1), partOf(spec, u, k, 1)),
    V: memory.push(V, rowsOfMemory(spec, v, k)),
  }));
  return { after, r: flatOf(after.map(({ s, V }) => memory.read(s, V))) };
}

/** Nothing arrives yet at memories of these rows. */
export const noMemoryGradient = (spec: ModelSpec, last: readonly MemoryState[]): MemoryGradient[] =>
  last.map(({ s }) => ({ ds: new Float64Array(s.length), dV: zeroRows(s.length, spec.width) }));

/**
 * dr [E,M] and what arrives from step t+1, added to → what is passed to step t−1, and dd, du [E], dv [E,M]
 */
export function memoriesBackward(
  spec: ModelSpec,
  before: readonly MemoryState[],
  { u }: Heads,
  after: readonly MemoryState[],
  dr: Float64Array,
  arriving: readonly MemoryGradient[],
): { passed: MemoryGradient[]; dHeads: Heads } {
  const memory = kindOf(spec);
  const none = new Float64Array(0);
  if (!memory) return { passed: [], dHeads: { d: none, u: none, v: none } };
  const passed: MemoryGradient[] = [];
  const [dd, du, dv]: Float64Array[][] = [[], [], []];
  after.forEach(({ s, V }, k) => {
    const { ds, dV } = arriving[k];
    memory.readBackward(s, V, partOf(spec, dr, k, spec.width), ds, dV);
    const step = memory.stepBackward(before[k].s, partOf(spec, u, k, 1), ds);
    // A value has all of its gradient where its row was pushed: no earlier read saw it.
    const pushed = memory.unpush(dV);
    passed.push({ ds: step.ds, dV: pushed.V });
    dd.push(step.dd);
    du.push(step.du);
    dv.push(...pushed.v);
  });
  return { passed, dHeads: { d: flatOf(dd), u: flatOf(du), v: flatOf(dv) } };
}
