import { endsOf, memoryKind, readsOf } from '../base/memories.ts';
import type { ModelSpec } from '../base/parameters.ts';
import type { Heads } from './heads.ts';
import { KINDS } from './memory.ts';
import { flatOf } from './rows.ts';

/**
 * The memories of a model, side by side and independent of each other. Each has its own heads and its own part of the
 * reads. A model without a memory has empty reads.
 */

const kindOf = ({ memory }: ModelSpec) => (memory === 'none' ? undefined : KINDS[memory]);

/** The state of each memory before the first step: V_0 and s_0 of the paper. */
export const emptyMemories = (spec: ModelSpec): unknown[] => {
  const kind = kindOf(spec);
  return kind ? Array.from({ length: spec.memories }, () => kind.empty(spec.width, spec.depth)) : [];
};

/** The E rows [M] of memory k. flat [memories,E,M] */
function rowsOfMemory(spec: ModelSpec, flat: Float64Array, k: number): Float64Array[] {
  const [E, M] = [endsOf(spec.memory), spec.width];
  return Array.from({ length: E }, (_, e) => flat.slice((k * E + e) * M, (k * E + e + 1) * M));
}

/** The part of memory k of an array with `part` numbers per memory. */
function partOf(flat: Float64Array, k: number, part: number): Float64Array {
  return flat.slice(k * part, (k + 1) * part);
}

/**
 * One step of all memories. before [memories], controls [E], v [E,M] → after [memories], r [Q,M]. E and Q are the
 * numbers of ends and of rows read over all memories.
 */
export function memories(
  spec: ModelSpec,
  before: readonly unknown[],
  { controls, v }: Heads,
): { after: unknown[]; r: Float64Array } {
  const kind = kindOf(spec);
  if (!kind) return { after: [], r: new Float64Array(0) };
  const steps = before.map((state, k) => {
    const ofMemory = controls.map(all => partOf(all, k, endsOf(spec.memory)));
    return kind.step(state, ofMemory, rowsOfMemory(spec, v, k), spec.reads);
  });
  return { after: steps.map(({ after }) => after), r: flatOf(steps.map(({ r }) => r)) };
}

/** Zero gradients of the states after the last step. */
export const zeroMemoryGradients = (spec: ModelSpec, last: readonly unknown[]): unknown[] =>
  last.map(state => kindOf(spec)?.zeroGradient(state));

/** The strengths of each memory for a trace, from bottom to top. */
export const strengthsOf = (spec: ModelSpec, states: readonly unknown[]): Float64Array[] =>
  memoryKind(spec.memory).rows ? states.map(state => kindOf(spec)!.strengths(state)) : [];

/**
 * Backward pass of one step of all memories. dr [Q,M] and `arriving`, the gradients of the states from step t+1
 * (changed in place) → the gradients passed to step t−1, and the gradients of controls [E] and values [E,M].
 */
export function memoriesBackward(
  spec: ModelSpec,
  before: readonly unknown[],
  { controls, v }: Heads,
  after: readonly unknown[],
  dr: Float64Array,
  arriving: readonly unknown[],
): { passed: unknown[]; dHeads: Heads } {
  const kind = kindOf(spec);
  if (!kind) return { passed: [], dHeads: { controls: [], v: new Float64Array(0) } };
  const steps = after.map((state, k) => {
    const ofMemory = controls.map(all => partOf(all, k, endsOf(spec.memory)));
    const drOfMemory = partOf(dr, k, readsOf(spec.memory, spec.reads) * spec.width);
    return kind.backward(before[k], ofMemory, rowsOfMemory(spec, v, k), state, drOfMemory, arriving[k]);
  });
  return {
    passed: steps.map(({ passed }) => passed),
    dHeads: {
      controls: controls.map((_, c) => flatOf(steps.map(({ dControls }) => dControls[c]))),
      v: flatOf(steps.flatMap(({ dv }) => dv)),
    },
  };
}
