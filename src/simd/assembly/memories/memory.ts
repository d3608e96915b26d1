/** State common to all kinds of memory: the sizes of a batch, and the selected memory of the selected sequence. */

/** The number of the kind, in the order of src/base/memories.ts. */
export let kind: i32 = 0;
export let ends: i32 = 1;
/** Number of controls of all ends, and their bytes in a row of the heads. */
export let controls: i32 = 2;
export let controlBytes: usize = 8;
/** Number of cells, for kinds that have cells. */
export let depth: i32 = 1;
/** Number of rows read per step: one per end, or several cells. */
export let readCount: i32 = 1;
/** Numbers of entries of one memory of one sequence in slots, undoLog and dStrength. */
export let slotsPerMemory: i32 = 0;
let undoPerMemory: i32 = 0;
let dStrengthPerMemory: i32 = 0;
/** A row of M numbers consists of `vectors` whole vec4s and `tail` further numbers. */
export let vectors: i32 = 0;
export let tail: i32 = 0;
/** Distance between the rows of consecutive ends, or between the reads of consecutive cells, in bytes. */
export let endBytes: usize = 0;
/** Address of a table [T] of the offsets of each step's rows, in bytes. */
export let table: usize = 0;

// Addresses of the selected memory of the selected sequence.
export let slots: usize = 0;
export let undoLog: usize = 0;
export let dStrength: usize = 0;
export let values: usize = 0;
export let dValues: usize = 0;

/**
 * Gradients of the controls of the last backward step, in the order of the controls. They are globals because each
 * thread has its own globals, whereas the threads share the memory.
 */
export let g0: f32 = 0;
export let g1: f32 = 0;
export let g2: f32 = 0;
export let g3: f32 = 0;

// @ts-ignore: decorator
@inline
export function setGradients(a: f32, b: f32, c: f32, d: f32): void {
  g0 = a;
  g1 = b;
  g2 = c;
  g3 = d;
}

/** Sets the sizes, which are common to all memories of a batch. M: numbers per row. */
export function memoryShape(
  memoryKind: i32,
  endCount: i32,
  controlCount: i32,
  controlStride: i32,
  depthOf: i32,
  reads: i32,
  slotCount: i32,
  undoCount: i32,
  dStrengthCount: i32,
  M: i32,
  endBytesOf: usize,
  rowTable: usize,
): void {
  kind = memoryKind;
  ends = endCount;
  controls = endCount * controlCount;
  controlBytes = <usize>(endCount * controlStride) << 2;
  depth = depthOf;
  readCount = reads;
  slotsPerMemory = slotCount;
  undoPerMemory = undoCount;
  dStrengthPerMemory = dStrengthCount;
  vectors = M >> 2;
  tail = M & 3;
  endBytes = endBytesOf;
  table = rowTable;
}

/** Selects a memory of a sequence: number `block` in slots, undoLog and dStrength, whose addresses are given. */
// @ts-ignore: decorator
@inline
export function select(block: i32, slotsAt: usize, undoAt: usize, dStrengthAt: usize): void {
  const n = <usize>block;
  slots = slotsAt + ((n * <usize>slotsPerMemory) << 3);
  undoLog = undoAt + ((n * <usize>undoPerMemory) << 4);
  dStrength = dStrengthAt + ((n * <usize>dStrengthPerMemory) << 2);
}

/** Sets the addresses of the selected memory's values and of their gradients. */
// @ts-ignore: decorator
@inline
export function valuesAt(valuesFrom: usize, dValuesFrom: usize): void {
  values = valuesFrom;
  dValues = dValuesFrom;
}
