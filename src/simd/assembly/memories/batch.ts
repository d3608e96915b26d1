import { backward, begin, forward } from './kinds';
import { controlBytes, controls, endBytes, ends, g0, g1, g2, g3, readCount, select, valuesAt } from './memory';

/** Memories of many sequences: a memory on its own over all its steps, arrays [B,T,E] and [B,T,E,M]; or one step of a model's. */

/** Control i of those of one step, one end after the other, where each of a memory has an array of its own, `apart` bytes further. */
// @ts-ignore: decorator
@inline
function placeOf(arrays: usize, row: usize, i: i32, apart: usize): usize {
  const each = controls / ends;
  return arrays + <usize>(i % each) * apart + ((row * <usize>ends + <usize>(i / each)) << 2);
}

// @ts-ignore: decorator
@inline
function given(arrays: usize, row: usize, i: i32, apart: usize): f32 {
  return i < controls ? load<f32>(placeOf(arrays, row, i, apart)) : 0;
}

// @ts-ignore: decorator
@inline
function take(arrays: usize, row: usize, i: i32, apart: usize, g: f32): void {
  if (i < controls) store<f32>(placeOf(arrays, row, i, apart), g);
}

/** Control i of a row of the heads. */
// @ts-ignore: decorator
@inline
function own(from: usize, i: i32): f32 {
  return i < controls ? load<f32>(from + (<usize>i << 2)) : 0;
}

/** controls (arrays `apart` bytes from each other), value -> read, slots, undoLog. */
export function layerForward(
  B: i32,
  T: i32,
  arrays: usize,
  apart: usize,
  value: usize,
  reads: usize,
  slotsOf: usize,
  undoOf: usize,
): void {
  const rowBytes = <usize>ends * endBytes;
  const readBytes = <usize>readCount * endBytes;
  for (let b = 0; b < B; b++) {
    select(b, slotsOf, undoOf, 0);
    begin(0);
    const first = <usize>b * <usize>T;
    valuesAt(value + first * rowBytes, 0);
    for (let t = 0; t < T; t++) {
      const row = first + <usize>t;
      const a = given(arrays, row, 0, apart);
      const b = given(arrays, row, 1, apart);
      const c = given(arrays, row, 2, apart);
      const d = given(arrays, row, 3, apart);
      forward(t, a, b, c, d, reads);
      reads += readBytes;
    }
  }
}

/** controls, value, dRead, slots, undoLog -> dControls, dValue. Rewinds slots. dStrength and dValue are 0 before it. */
export function layerBackward(
  B: i32,
  T: i32,
  arrays: usize,
  apart: usize,
  value: usize,
  dReads: usize,
  slotsOf: usize,
  undoOf: usize,
  dStrengthOf: usize,
  dControls: usize,
  dValue: usize,
): void {
  const rowBytes = <usize>ends * endBytes;
  const readBytes = <usize>readCount * endBytes;
  for (let b = 0; b < B; b++) {
    select(b, slotsOf, undoOf, dStrengthOf);
    begin(T);
    const first = <usize>b * <usize>T;
    valuesAt(value + first * rowBytes, dValue + first * rowBytes);
    for (let t = T - 1; t >= 0; t--) {
      const row = first + <usize>t;
      const a = given(arrays, row, 0, apart);
      const b = given(arrays, row, 1, apart);
      const c = given(arrays, row, 2, apart);
      const d = given(arrays, row, 3, apart);
      backward(t, a, b, c, d, dReads + row * readBytes);
      take(dControls, row, 0, apart, g0);
      take(dControls, row, 1, apart, g1);
      take(dControls, row, 2, apart, g2);
      take(dControls, row, 3, apart, g3);
    }
  }
}

// ---- one step of all memories of a model, of the sequences in `rows` ------------------------------------------

/**
 * s: rows of the heads at this step; controls at `at` bytes in them; all: those of the first step, from which the table leads to
 * others. reads: rows of ldr bytes.
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
  slotsOf: usize,
  undoOf: usize,
): void {
  const rowBytes = <usize>ends * endBytes;
  const readBytes = <usize>readCount * endBytes;
  for (let b = 0; b < rows; b++) {
    let from = s + at;
    let to = reads;
    let value = all + <usize>b * lds;
    for (let k = 0; k < memories; k++) {
      select(b * memories + k, slotsOf, undoOf, 0);
      valuesAt(value, 0);
      begin(t);
      forward(t, own(from, 0), own(from, 1), own(from, 2), own(from, 3), to);
      from += controlBytes;
      to += readBytes;
      value += rowBytes;
    }
    s += lds;
    reads += ldr;
  }
}

/** dR of this step -> dS: of the controls of this step, and values of any. dStrength and dS of values are 0 before the first. */
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
  slotsOf: usize,
  undoOf: usize,
  dStrengthOf: usize,
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
      select(b * memories + k, slotsOf, undoOf, dStrengthOf);
      valuesAt(value, dValue);
      begin(t + 1);
      backward(t, own(from, 0), own(from, 1), own(from, 2), own(from, 3), dr);
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
