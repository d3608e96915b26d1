import { backward, begin, forward } from './kinds';
import { controlBytes, controls, endBytes, ends, g0, g1, g2, g3, readCount, select, valuesAt } from './memory';

/**
 * Runs memories over many sequences: a memory layer over all steps, with arrays [B,T,E] and [B,T,E,M]; or one step of
 * the memories of a model.
 */

/**
 * Address of control i of a step of a memory layer; i counts the controls of the first end, then those of the second.
 * Push, pop and so on have an array [B,T,E] each, for all ends; consecutive arrays are `apart` bytes apart.
 */
// @ts-ignore: decorator
@inline
function placeOf(arrays: usize, row: usize, i: i32, apart: usize): usize {
  const each = controls / ends;
  return arrays + <usize>(i % each) * apart + ((row * <usize>ends + <usize>(i / each)) << 2);
}

/** Control i of a step of a memory layer; 0 if there is none. */
// @ts-ignore: decorator
@inline
function loadControl(arrays: usize, row: usize, i: i32, apart: usize): f32 {
  return i < controls ? load<f32>(placeOf(arrays, row, i, apart)) : 0;
}

/** Stores the gradient of control i of a step of a memory layer, if there is such a control. */
// @ts-ignore: decorator
@inline
function storeGradient(arrays: usize, row: usize, i: i32, apart: usize, g: f32): void {
  if (i < controls) store<f32>(placeOf(arrays, row, i, apart), g);
}

/** Control i in a row of the heads, whose controls start at `from`; 0 if there is none. */
// @ts-ignore: decorator
@inline
function controlOfRow(from: usize, i: i32): f32 {
  return i < controls ? load<f32>(from + (<usize>i << 2)) : 0;
}

/**
 * controls (arrays `apart` bytes apart), value -> read, slots, undoLog. slotsAt, undoAt (and below dStrengthAt):
 * addresses of these arrays for all memories.
 */
export function layerForward(
  B: i32,
  T: i32,
  arrays: usize,
  apart: usize,
  value: usize,
  reads: usize,
  slotsAt: usize,
  undoAt: usize,
): void {
  const rowBytes = <usize>ends * endBytes;
  const readBytes = <usize>readCount * endBytes;
  for (let b = 0; b < B; b++) {
    select(b, slotsAt, undoAt, 0);
    begin(0);
    const first = <usize>b * <usize>T;
    valuesAt(value + first * rowBytes, 0);
    for (let t = 0; t < T; t++) {
      const row = first + <usize>t;
      const c0 = loadControl(arrays, row, 0, apart);
      const c1 = loadControl(arrays, row, 1, apart);
      const c2 = loadControl(arrays, row, 2, apart);
      const c3 = loadControl(arrays, row, 3, apart);
      forward(t, c0, c1, c2, c3, reads);
      reads += readBytes;
    }
  }
}

/**
 * controls, value, dRead, slots, undoLog -> dControls, dValue. Rewinds the slots. The caller clears dStrength and
 * dValue.
 */
export function layerBackward(
  B: i32,
  T: i32,
  arrays: usize,
  apart: usize,
  value: usize,
  dReads: usize,
  slotsAt: usize,
  undoAt: usize,
  dStrengthAt: usize,
  dControls: usize,
  dValue: usize,
): void {
  const rowBytes = <usize>ends * endBytes;
  const readBytes = <usize>readCount * endBytes;
  for (let b = 0; b < B; b++) {
    select(b, slotsAt, undoAt, dStrengthAt);
    begin(T);
    const first = <usize>b * <usize>T;
    valuesAt(value + first * rowBytes, dValue + first * rowBytes);
    for (let t = T - 1; t >= 0; t--) {
      const row = first + <usize>t;
      const c0 = loadControl(arrays, row, 0, apart);
      const c1 = loadControl(arrays, row, 1, apart);
      const c2 = loadControl(arrays, row, 2, apart);
      const c3 = loadControl(arrays, row, 3, apart);
      backward(t, c0, c1, c2, c3, dReads + row * readBytes);
      storeGradient(dControls, row, 0, apart, g0);
      storeGradient(dControls, row, 1, apart, g1);
      storeGradient(dControls, row, 2, apart, g2);
      storeGradient(dControls, row, 3, apart, g3);
    }
  }
}

// ---- one step of all memories of a model, for `rows` sequences --------------------------------------------------

/**
 * s -> reads, slots, undoLog, at step t. s: the heads' rows of this step, of lds bytes each; their controls start `at`
 * bytes into the row. all: the heads' rows of the first step, to which the offsets in `table` (memory.ts) refer. reads:
 * rows of ldr bytes.
 */
export function stepForward(
  rows: i32,
  t: i32,
  memories: i32,
  s: usize,
  lds: usize,
  at: usize,
  all: usize,
  reads: usize,
  ldr: usize,
  slotsAt: usize,
  undoAt: usize,
): void {
  const rowBytes = <usize>ends * endBytes;
  const readBytes = <usize>readCount * endBytes;
  for (let b = 0; b < rows; b++) {
    let from = s + at;
    let to = reads;
    let value = all + <usize>b * lds;
    for (let k = 0; k < memories; k++) {
      select(b * memories + k, slotsAt, undoAt, 0);
      valuesAt(value, 0);
      begin(t);
      forward(t, controlOfRow(from, 0), controlOfRow(from, 1), controlOfRow(from, 2), controlOfRow(from, 3), to);
      from += controlBytes;
      to += readBytes;
      value += rowBytes;
    }
    s += lds;
    reads += ldr;
  }
}

/**
 * dReads of step t -> dS of the controls of step t, and part of dS of the values of steps up to t. Call it from the
 * last step to the first. Before that, the caller clears dStrength and the dS of all values.
 */
export function stepBackward(
  rows: i32,
  t: i32,
  memories: i32,
  s: usize,
  dS: usize,
  lds: usize,
  at: usize,
  all: usize,
  dAll: usize,
  dReads: usize,
  ldr: usize,
  slotsAt: usize,
  undoAt: usize,
  dStrengthAt: usize,
): void {
  const rowBytes = <usize>ends * endBytes;
  const readBytes = <usize>readCount * endBytes;
  for (let b = 0; b < rows; b++) {
    let from = s + at;
    let to = dS + at;
    let dr = dReads;
    let value = all + <usize>b * lds;
    let dValue = dAll + <usize>b * lds;
    for (let k = 0; k < memories; k++) {
      select(b * memories + k, slotsAt, undoAt, dStrengthAt);
      valuesAt(value, dValue);
      begin(t + 1);
      backward(t, controlOfRow(from, 0), controlOfRow(from, 1), controlOfRow(from, 2), controlOfRow(from, 3), dr);
      store<f32>(to, g0);
      if (controls > 1) store<f32>(to, g1, 4);
      if (controls > 2) store<f32>(to, g2, 8);
      if (controls > 3) store<f32>(to, g3, 12);
      from += controlBytes;
      to += controlBytes;
      dr += readBytes;
      value += rowBytes;
      dValue += rowBytes;
    }
    s += lds;
    dS += lds;
    dReads += ldr;
  }
}
