import { sum4 } from '../math';
import { dStrength, dValues, endBytes, kind, setGradients, slots, slotsPerMemory, table, tail, undoLog, values, vectors } from './memory';

/**
 * Stack, queue and deque: a deque with an undo log, whose steps usually visit only a few rows, implements all three
 * (state, steps and ties as in shaders/memories/rows.wgsl.ts). State of one memory of one sequence:
 *
 *   slots   [N] (strength, row)    undoLog [N] what a step overwrote, 4 words    dStrength [N]    bounds (lo, hi)
 *
 * N = T·E. A row is identified by the number of its push: t, or for a deque 2t (top) and 2t + 1 (bottom). Its value is
 * at the address values + table[t], and `endBytes` further for the second end of a deque; its gradient likewise at
 * dValues.
 */
const STACK = 0;
const QUEUE = 1;
const DEQUE = 2;
const REACHED: u32 = 0x80000000;

let lo: i32 = 0;
let hi: i32 = 0;

/** Offset of a row's value from `values`, in bytes. */
// @ts-ignore: decorator
@inline
function placeOf(row: i32): usize {
  if (kind == DEQUE) return <usize>load<u32>(table + ((<usize>row >> 1) << 2)) + (row & 1 ? endBytes : 0);
  return <usize>load<u32>(table + (<usize>row << 2));
}

/** What a pop leaves for the log: REACHED if it reduced the boundary row, and that row's strength before the pop. */
let reached: u32 = 0;
let before: f32 = 0;

/**
 * Pop (equations 2, 4, 7, 8): removes rows while their strength is at most what is left to pop, then reduces the next
 * row (the boundary row) by the rest.
 */
// @ts-ignore: decorator
@inline
function pop(top: bool, u: f32): void {
  let rest = u;
  reached = 0;
  before = 0;
  while (hi > lo) {
    const at = slots + (<usize>(top ? hi - 1 : lo) << 3);
    const s = load<f32>(at);
    if (s > rest) {
      before = s;
      if (rest > 0) {
        reached = REACHED;
        store<f32>(at, s - rest);
      }
      break;
    }
    rest -= s;
    if (top) hi--;
    else lo++;
  }
}

/** Pushes into a slot. The log keeps the slot's old contents, and (edge, reached, before) of the pop. */
// @ts-ignore: decorator
@inline
function push(edge: i32, wasReached: u32, wasBefore: f32, entry: i32, slot: i32, d: f32, row: i32): void {
  const at = slots + (<usize>slot << 3);
  const log = undoLog + (<usize>entry << 4);
  store<u32>(log, <u32>edge | wasReached);
  store<f32>(log, wasBefore, 4);
  store<u64>(log, load<u64>(at), 8);
  store<f32>(at, d);
  store<u32>(at, row, 4);
}

/** Read (equations 3, 5, 10, 11) from an end, until one unit of strength is read. */
function read(top: bool, to: usize): void {
  let left: f32 = 1;
  const live = hi - lo;
  for (let n = 0; n < live && left > 0; n++) {
    const slot = slots + (<usize>(top ? hi - 1 - n : lo + n) << 3);
    const weight = min(load<f32>(slot), left);
    left -= weight;
    let v = values + placeOf(load<i32>(slot, 4));
    let r = to;
    const w = f32x4.splat(weight);
    if (n == 0) {
      for (let c = 0; c < vectors; c++) {
        v128.store(r, f32x4.mul(w, v128.load(v)));
        r += 16;
        v += 16;
      }
      for (let c = 0; c < tail; c++) {
        store<f32>(r, weight * load<f32>(v));
        r += 4;
        v += 4;
      }
    } else {
      for (let c = 0; c < vectors; c++) {
        v128.store(r, f32x4.add(v128.load(r), f32x4.mul(w, v128.load(v))));
        r += 16;
        v += 16;
      }
      for (let c = 0; c < tail; c++) {
        store<f32>(r, load<f32>(r) + weight * load<f32>(v));
        r += 4;
        v += 4;
      }
    }
  }
}

/** One step. d0, u0: push and pop strengths of the first end; d1, u1: of the second end. */
export function forward(t: i32, d0: f32, u0: f32, d1: f32, u1: f32, reads: usize): void {
  if (kind == STACK) {
    pop(true, u0);
    push(hi, reached, before, t, hi, d0, t);
    hi++;
    read(true, reads);
    return;
  }
  if (kind == QUEUE) {
    pop(false, u0);
    push(lo, reached, before, t, hi, d0, t);
    hi++;
    read(false, reads);
    return;
  }
  pop(true, u0);
  const reached0 = reached;
  const before0 = before;
  pop(false, u1);
  push(hi, reached0, before0, 2 * t, hi, d0, 2 * t);
  push(lo, reached, before, 2 * t + 1, lo - 1, d1, 2 * t + 1);
  hi++;
  lo--;
  read(true, reads);
  read(false, reads + endBytes);
}

/** Sets the live slots [lo, hi) before step t, from the log. */
export function begin(t: i32): void {
  if (t == 0) {
    lo = kind == DEQUE ? slotsPerMemory >> 1 : 0;
    hi = lo;
  } else if (kind == STACK) {
    lo = 0;
    hi = <i32>(load<u32>(undoLog + (<usize>(t - 1) << 4)) & ~REACHED) + 1;
  } else if (kind == QUEUE) {
    lo = <i32>(load<u32>(undoLog + (<usize>(t - 1) << 4)) & ~REACHED);
    hi = t;
  } else {
    lo = <i32>(load<u32>(undoLog + (<usize>(2 * t - 1) << 4)) & ~REACHED) - 1;
    hi = <i32>(load<u32>(undoLog + (<usize>(2 * t - 2) << 4)) & ~REACHED) + 1;
  }
}

/**
 * Whether gradients pass through a row's strength at a step. A row pushed with strength 0 is a tie at every later step,
 * where no gradient passes. (Always true for a stack, whose next pop removes such a row.)
 */
// @ts-ignore: decorator
@inline
function passes(slot: usize, step: i32): bool {
  if (kind == STACK) return true;
  const row = load<i32>(slot, 4);
  return load<f32>(slot) > 0 || (kind == DEQUE ? row >> 1 : row) == step;
}

/**
 * Backward pass of read(). For a row read as a whole, adds its gradient to dStrength; the gradient of the row read in
 * part is subtracted from dStrength of all rows nearer the end.
 */
function readBackward(t: i32, top: bool, dr: usize): void {
  let left: f32 = 1;
  const live = hi - lo;
  for (let n = 0; n < live && left > 0; n++) {
    const index = top ? hi - 1 - n : lo + n;
    const slot = slots + (<usize>index << 3);
    const s = load<f32>(slot);
    const weight = min(s, left);
    const place = placeOf(load<i32>(slot, 4));
    let v = values + place;
    let dv = dValues + place;
    let from = dr;
    const w = f32x4.splat(weight);
    let sums = f32x4.splat(0);
    for (let c = 0; c < vectors; c++) {
      const d = v128.load(from);
      sums = f32x4.add(sums, f32x4.mul(v128.load(v), d));
      v128.store(dv, f32x4.add(v128.load(dv), f32x4.mul(w, d)));
      from += 16;
      v += 16;
      dv += 16;
    }
    let g = sum4(sums);
    for (let c = 0; c < tail; c++) {
      const d = load<f32>(from);
      g += load<f32>(v) * d;
      store<f32>(dv, load<f32>(dv) + weight * d);
      from += 4;
      v += 4;
      dv += 4;
    }
    if (s <= left) {
      if (passes(slot, t)) {
        const at = dStrength + (<usize>index << 2);
        store<f32>(at, load<f32>(at) + g);
      }
    } else {
      for (let nearer = 0; nearer < n; nearer++) {
        const to = top ? hi - 1 - nearer : lo + nearer;
        if (!passes(slots + (<usize>to << 3), t)) continue;
        const at = dStrength + (<usize>to << 2);
        store<f32>(at, load<f32>(at) - g);
      }
    }
    left -= weight;
  }
}

/** The gradient of a slot's strength. */
// @ts-ignore: decorator
@inline
function ds(slot: i32): f32 {
  return load<f32>(dStrength + (<usize>slot << 2));
}

/** Restores the contents of the slot that a push overwrote. */
// @ts-ignore: decorator
@inline
function restoreSlot(slot: i32, log: usize): void {
  store<u64>(slots + (<usize>slot << 3), load<u64>(log, 8));
}

/** Restores the strength of the boundary row of a pop. */
// @ts-ignore: decorator
@inline
function restoreStrength(slot: i32, log: usize): void {
  store<f32>(slots + (<usize>slot << 3), load<f32>(log, 4));
}

/**
 * Sets the gradient of each row that a pop removed to g, the gradient of the boundary row; to 0 for a tie.
 * @param through whether the gradient must also pass back through an earlier pop of the same step, where a row of
 * strength 0 is a tie
 */
function rewindRows(from: i32, to: i32, g: f32, step: i32, through: bool): void {
  for (let row = from; row < to; row++) {
    const slot = slots + (<usize>row << 3);
    const passing = through ? load<f32>(slot) > 0 : passes(slot, step);
    store<f32>(dStrength + (<usize>row << 2), passing ? g : 0);
  }
}

/** Backward pass of a step. (lo, hi) are the bounds after the step on entry, and those before it on return. */
export function backward(t: i32, dReads: usize): void {
  if (kind != DEQUE) {
    readBackward(t, kind == STACK, dReads);
    const log = undoLog + (<usize>t << 4);
    const word = load<u32>(log);
    const edge = <i32>(word & ~REACHED);
    const wasReached = (word & REACHED) != 0;
    begin(t);
    if (kind == STACK) {
      const dd = ds(edge);
      const g: f32 = wasReached ? ds(edge - 1) : 0;
      restoreSlot(edge, log);
      if (wasReached) restoreStrength(edge - 1, log);
      rewindRows(edge, hi, g, t - 1, false);
      setGradients(dd, -g, 0, 0);
    } else {
      const dd = ds(t);
      const g: f32 = wasReached ? ds(edge) : 0;
      if (wasReached) restoreStrength(edge, log);
      rewindRows(lo, edge, g, t - 1, false);
      setGradients(dd, -g, 0, 0);
    }
    return;
  }
  readBackward(t, true, dReads);
  readBackward(t, false, dReads + endBytes);
  const log0 = undoLog + (<usize>(2 * t) << 4);
  const log1 = log0 + 16;
  const edge0 = <i32>(load<u32>(log0) & ~REACHED);
  const edge1 = <i32>(load<u32>(log1) & ~REACHED);
  const reached0 = (load<u32>(log0) & REACHED) != 0;
  const reached1 = (load<u32>(log1) & REACHED) != 0;
  begin(t);
  const dd0 = ds(edge0);
  const dd1 = ds(edge1 - 1);
  const g1: f32 = reached1 ? ds(edge1) : 0;
  // If the bottom's pop removed the boundary row of the top's pop, it emptied the deque, and no gradient passes.
  const g0: f32 = reached0 && edge0 - 1 >= edge1 ? ds(edge0 - 1) : 0;
  // In reverse order, because both pops may have reduced the same row.
  restoreSlot(edge0, log0);
  restoreSlot(edge1 - 1, log1);
  if (reached1) restoreStrength(edge1, log1);
  if (reached0) restoreStrength(edge0 - 1, log0);
  rewindRows(edge0, hi, g0, t - 1, false);
  // The gradient from the bottom's pop must pass back through the top's pop, which came before it. A row of
  // strength 0 is a tie there: its gradient is 0.
  rewindRows(lo, edge1, g1, t - 1, true);
  setGradients(dd0, -g0, dd1, -g1);
}
