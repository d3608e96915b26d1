/** What all kinds of memory have in common: sizes of a batch, and the memory and the sequence whose turn it is. */

/** The number of the kind, in the order of src/base/memories.ts. */
export let kind: i32 = 0;
export let ends: i32 = 1;
/** Controls of all ends, and bytes that they take in a row of the heads. */
export let controls: i32 = 2;
export let controlBytes: usize = 8;
/** Cells of kinds with so many. */
export let depth: i32 = 1;
/** Rows that are read: one at each end, or cells. */
export let readCount: i32 = 1;
/** Entries of a memory in the three arrays of states. */
export let slotsOf: i32 = 0;
let undoOf: i32 = 0;
let dStrengthOf: i32 = 0;
/** A row's numbers: whole vec4s, and those left over. */
export let vectors: i32 = 0;
export let tail: i32 = 0;
/** Bytes from a row of one end to that of the other. */
export let endBytes: usize = 0;
/** Where the rows of each time step begin, in bytes. */
export let table: usize = 0;

// Of the memory and the sequence whose turn it is.
export let slots: usize = 0;
export let undoLog: usize = 0;
export let dStrength: usize = 0;
export let values: usize = 0;
export let dValues: usize = 0;

/**
 * Gradients of the controls of the step that was gone back over, of every end, one after the other. Globals, for each thread has
 * its own, while what lies in memory all threads share.
 */
export let g0: f32 = 0;
export let g1: f32 = 0;
export let g2: f32 = 0;
export let g3: f32 = 0;

// @ts-ignore: decorator
@inline
export function leave(a: f32, b: f32, c: f32, d: f32): void {
  g0 = a;
  g1 = b;
  g2 = c;
  g3 = d;
}

/** What all memories of a batch have in common. M numbers a row. */
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
  slotsOf = slotCount;
  undoOf = undoCount;
  dStrengthOf = dStrengthCount;
  vectors = M >> 2;
  tail = M & 3;
  endBytes = endBytesOf;
  table = rowTable;
}

/** The memory and the sequence whose turn it is: block n of the arrays of states. */
// @ts-ignore: decorator
@inline
export function select(block: i32, slotsAt: usize, undoAt: usize, dStrengthAt: usize): void {
  const n = <usize>block;
  slots = slotsAt + ((n * <usize>slotsOf) << 3);
  undoLog = undoAt + ((n * <usize>undoOf) << 4);
  dStrength = dStrengthAt + ((n * <usize>dStrengthOf) << 2);
}

/** Where the values of its rows begin, and their gradients. */
// @ts-ignore: decorator
@inline
export function valuesAt(valuesFrom: usize, dValuesFrom: usize): void {
  values = valuesFrom;
  dValues = dValuesFrom;
}
