import {
  backward,
  boundsBefore,
  bytesOfEnd,
  dd0,
  dd1,
  du0,
  du1,
  endCount,
  forward,
  select,
  valuesAt,
} from './memory';

/** Memories of many sequences: a memory on its own over all its steps, arrays [B,T,E] and [B,T,E,M]; or one step of a model's. */

/** push, pop, value -> read, slots, undo. */
export function layerForward(
  B: i32,
  T: i32,
  pushes: usize,
  pops: usize,
  value: usize,
  reads: usize,
  slotsOf: usize,
  undoOf: usize,
): void {
  const ends = endCount();
  const endBytes = bytesOfEnd();
  const rowBytes = ends * endBytes;
  for (let b = 0; b < B; b++) {
    select(b, slotsOf, undoOf, 0);
    boundsBefore(0);
    valuesAt(value + <usize>b * <usize>T * rowBytes, 0);
    for (let t = 0; t < T; t++) {
      forward(
        t,
        load<f32>(pushes),
        load<f32>(pops),
        ends == 2 ? load<f32>(pushes, 4) : 0,
        ends == 2 ? load<f32>(pops, 4) : 0,
        reads,
      );
      pushes += 4 * ends;
      pops += 4 * ends;
      reads += rowBytes;
    }
  }
}

/** value, dRead, slots, undo -> dPush, dPop, dValue. Rewinds slots. dStrength and dValue are 0 before it. */
export function layerBackward(
  B: i32,
  T: i32,
  value: usize,
  dReads: usize,
  slotsOf: usize,
  undoOf: usize,
  dStrengthOf: usize,
  dPush: usize,
  dPop: usize,
  dValue: usize,
): void {
  const ends = endCount();
  const endBytes = bytesOfEnd();
  const rowBytes = ends * endBytes;
  for (let b = 0; b < B; b++) {
    select(b, slotsOf, undoOf, dStrengthOf);
    boundsBefore(T);
    const first = <usize>b * <usize>T;
    valuesAt(value + first * rowBytes, dValue + first * rowBytes);
    for (let t = T - 1; t >= 0; t--) {
      const row = first + <usize>t;
      backward(t, dReads + row * rowBytes);
      const at = row * ends << 2;
      store<f32>(dPush + at, dd0);
      store<f32>(dPop + at, du0);
      if (ends == 2) {
        store<f32>(dPush + at, dd1, 4);
        store<f32>(dPop + at, du1, 4);
      }
    }
  }
}

// ---- one step of all memories of a model, of the sequences in `rows` ------------------------------------------

/**
 * s: rows of the heads at this step; strengths at `strengths` bytes in them; all: those of the first step, from which the table
 * leads to others. reads: rows of ldr bytes.
 */
export function stepForward(
  rows: i32,
  t: i32,
  memories: i32,
  s: usize,
  lds: usize,
  strengths: usize,
  all: usize,
  reads: usize,
  ldr: usize,
  slotsOf: usize,
  undoOf: usize,
): void {
  const ends = endCount();
  const endBytes = bytesOfEnd();
  for (let b = 0; b < rows; b++) {
    let du = s + strengths;
    let to = reads;
    let from = all + <usize>b * lds;
    for (let k = 0; k < memories; k++) {
      select(b * memories + k, slotsOf, undoOf, 0);
      valuesAt(from, 0);
      boundsBefore(t);
      forward(
        t,
        load<f32>(du),
        load<f32>(du, 4),
        ends == 2 ? load<f32>(du, 8) : 0,
        ends == 2 ? load<f32>(du, 12) : 0,
        to,
      );
      du += 8 * ends;
      to += ends * endBytes;
      from += ends * endBytes;
    }
    s += lds;
    reads += ldr;
  }
}

/** dR of this step -> dS: of d and u of this step, and values of any. dStrength and dS of values are 0 before the first. */
export function stepBackward(
  rows: i32,
  t: i32,
  memories: i32,
  dS: usize,
  lds: usize,
  strengths: usize,
  all: usize,
  dAll: usize,
  dReads: usize,
  ldr: usize,
  slotsOf: usize,
  undoOf: usize,
  dStrengthOf: usize,
): void {
  const ends = endCount();
  const endBytes = bytesOfEnd();
  for (let b = 0; b < rows; b++) {
    let to = dS + strengths;
    let from = dReads;
    let value = all + <usize>b * lds;
    let dValue = dAll + <usize>b * lds;
    for (let k = 0; k < memories; k++) {
      select(b * memories + k, slotsOf, undoOf, dStrengthOf);
      valuesAt(value, dValue);
      boundsBefore(t + 1);
      backward(t, from);
      store<f32>(to, dd0);
      store<f32>(to, du0, 4);
      if (ends == 2) {
        store<f32>(to, dd1, 8);
        store<f32>(to, du1, 12);
      }
      to += 8 * ends;
      from += ends * endBytes;
      value += ends * endBytes;
      dValue += ends * endBytes;
    }
    dS += lds;
    dReads += ldr;
  }
}
