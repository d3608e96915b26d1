/**
 * Matrix products. A matrix W [k, n] that multiplies many rows is packed into panels of 8 columns (the last panel may
 * have 4). Panel p holds rows 0 … k − 1 of columns 8p … 8p + 7, row by row. Pointers and leading dimensions are in
 * bytes; columns are counted in vec4s.
 */

/** Rows per block of product(). Each block is multiplied by all panels while its rows are in the cache. */
const BLOCK = 32;

/** W [k, n4·4], row-major -> panels, of the same size. */
export function pack(w: usize, ldw: usize, k: i32, n4: i32, panels: usize): void {
  let to = panels;
  let column = 0;
  for (; column + 1 < n4; column += 2) {
    let from = w + (<usize>column << 4);
    for (let i = 0; i < k; i++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      to += 32;
      from += ldw;
    }
  }
  if (column < n4) {
    let from = w + (<usize>column << 4);
    for (let i = 0; i < k; i++) {
      v128.store(to, v128.load(from));
      to += 16;
      from += ldw;
    }
  }
}

/** W [k, n], row-major -> panels of Wᵀ [n, k4·4], padded with 0 beyond k. */
export function packTransposed(w: usize, ldw: usize, k: i32, n: i32, panels: usize): void {
  const k4 = (k + 3) >> 2;
  let to = panels;
  for (let column = 0; column < k4 << 2; ) {
    const width = (column >> 2) + 1 < k4 ? 8 : 4;
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < width; c++) {
        const row = column + c;
        store<f32>(to, row < k ? load<f32>(w + <usize>row * ldw + (<usize>i << 2)) : 0);
        to += 4;
      }
    }
    column += width;
  }
}

/** y [rows, n4·4] += x [rows, k] · W, W in panels. */
export function product(
  x: usize,
  ldx: usize,
  rows: i32,
  k: i32,
  panels: usize,
  y: usize,
  ldy: usize,
  n4: i32,
): void {
  for (let first = 0; first < rows; first += BLOCK) {
    const last = min(first + BLOCK, rows);
    let w = panels;
    let column = 0;
    for (; column + 1 < n4; column += 2) {
      const at = y + (<usize>column << 4);
      let r = first;
      // With five rows left, use tile5: tile4 would leave a single row.
      for (; r + 3 < last && r + 5 != last; r += 4) tile4(x + <usize>r * ldx, ldx, k, w, at + <usize>r * ldy, ldy);
      if (r + 5 == last) {
        tile5(x + <usize>r * ldx, ldx, k, w, at + <usize>r * ldy, ldy);
        r += 5;
      }
      if (r + 1 < last) {
        tile2(x + <usize>r * ldx, ldx, k, w, at + <usize>r * ldy, ldy);
        r += 2;
      }
      if (r < last) tile1(x + <usize>r * ldx, k, w, at + <usize>r * ldy);
      w += <usize>k << 5;
    }
    if (column < n4) {
      const at = y + (<usize>column << 4);
      for (let r = first; r < last; r++) narrow(x + <usize>r * ldx, k, w, at + <usize>r * ldy);
    }
  }
}

// tileN: y [N, 8] += x [N, k] · w, one panel.

function tile4(x: usize, ldx: usize, k: i32, w: usize, y: usize, ldy: usize): void {
  const y1 = y + ldy;
  const y2 = y1 + ldy;
  const y3 = y2 + ldy;
  let a0 = v128.load(y);
  let b0 = v128.load(y, 16);
  let a1 = v128.load(y1);
  let b1 = v128.load(y1, 16);
  let a2 = v128.load(y2);
  let b2 = v128.load(y2, 16);
  let a3 = v128.load(y3);
  let b3 = v128.load(y3, 16);
  let x0 = x;
  let x1 = x + ldx;
  let x2 = x1 + ldx;
  let x3 = x2 + ldx;
  const end = x + (<usize>k << 2);
  while (x0 < end) {
    const wa = v128.load(w);
    const wb = v128.load(w, 16);
    let s = v128.load_splat<f32>(x0);
    a0 = f32x4.add(a0, f32x4.mul(s, wa));
    b0 = f32x4.add(b0, f32x4.mul(s, wb));
    s = v128.load_splat<f32>(x1);
    a1 = f32x4.add(a1, f32x4.mul(s, wa));
    b1 = f32x4.add(b1, f32x4.mul(s, wb));
    s = v128.load_splat<f32>(x2);
    a2 = f32x4.add(a2, f32x4.mul(s, wa));
    b2 = f32x4.add(b2, f32x4.mul(s, wb));
    s = v128.load_splat<f32>(x3);
    a3 = f32x4.add(a3, f32x4.mul(s, wa));
    b3 = f32x4.add(b3, f32x4.mul(s, wb));
    w += 32;
    x0 += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
  }
  v128.store(y, a0);
  v128.store(y, b0, 16);
  v128.store(y1, a1);
  v128.store(y1, b1, 16);
  v128.store(y2, a2);
  v128.store(y2, b2, 16);
  v128.store(y3, a3);
  v128.store(y3, b3, 16);
}

function tile5(x: usize, ldx: usize, k: i32, w: usize, y: usize, ldy: usize): void {
  const y1 = y + ldy;
  const y2 = y1 + ldy;
  const y3 = y2 + ldy;
  const y4 = y3 + ldy;
  let a0 = v128.load(y);
  let b0 = v128.load(y, 16);
  let a1 = v128.load(y1);
  let b1 = v128.load(y1, 16);
  let a2 = v128.load(y2);
  let b2 = v128.load(y2, 16);
  let a3 = v128.load(y3);
  let b3 = v128.load(y3, 16);
  let a4 = v128.load(y4);
  let b4 = v128.load(y4, 16);
  let x0 = x;
  let x1 = x0 + ldx;
  let x2 = x1 + ldx;
  let x3 = x2 + ldx;
  let x4 = x3 + ldx;
  const end = x + (<usize>k << 2);
  while (x0 < end) {
    const wa = v128.load(w);
    const wb = v128.load(w, 16);
    let s = v128.load_splat<f32>(x0);
    a0 = f32x4.add(a0, f32x4.mul(s, wa));
    b0 = f32x4.add(b0, f32x4.mul(s, wb));
    s = v128.load_splat<f32>(x1);
    a1 = f32x4.add(a1, f32x4.mul(s, wa));
    b1 = f32x4.add(b1, f32x4.mul(s, wb));
    s = v128.load_splat<f32>(x2);
    a2 = f32x4.add(a2, f32x4.mul(s, wa));
    b2 = f32x4.add(b2, f32x4.mul(s, wb));
    s = v128.load_splat<f32>(x3);
    a3 = f32x4.add(a3, f32x4.mul(s, wa));
    b3 = f32x4.add(b3, f32x4.mul(s, wb));
    s = v128.load_splat<f32>(x4);
    a4 = f32x4.add(a4, f32x4.mul(s, wa));
    b4 = f32x4.add(b4, f32x4.mul(s, wb));
    w += 32;
    x0 += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
    x4 += 4;
  }
  v128.store(y, a0);
  v128.store(y, b0, 16);
  v128.store(y1, a1);
  v128.store(y1, b1, 16);
  v128.store(y2, a2);
  v128.store(y2, b2, 16);
  v128.store(y3, a3);
  v128.store(y3, b3, 16);
  v128.store(y4, a4);
  v128.store(y4, b4, 16);
}

function tile2(x: usize, ldx: usize, k: i32, w: usize, y: usize, ldy: usize): void {
  const y1 = y + ldy;
  let a0 = v128.load(y);
  let b0 = v128.load(y, 16);
  let a1 = v128.load(y1);
  let b1 = v128.load(y1, 16);
  let x1 = x + ldx;
  const end = x + (<usize>k << 2);
  for (let x0 = x; x0 < end; x0 += 4) {
    const wa = v128.load(w);
    const wb = v128.load(w, 16);
    let s = v128.load_splat<f32>(x0);
    a0 = f32x4.add(a0, f32x4.mul(s, wa));
    b0 = f32x4.add(b0, f32x4.mul(s, wb));
    s = v128.load_splat<f32>(x1);
    a1 = f32x4.add(a1, f32x4.mul(s, wa));
    b1 = f32x4.add(b1, f32x4.mul(s, wb));
    w += 32;
    x1 += 4;
  }
  v128.store(y, a0);
  v128.store(y, b0, 16);
  v128.store(y1, a1);
  v128.store(y1, b1, 16);
}

function tile1(x: usize, k: i32, w: usize, y: usize): void {
  let a = v128.load(y);
  let b = v128.load(y, 16);
  const end = x + (<usize>k << 2);
  for (let x0 = x; x0 < end; x0 += 4) {
    const s = v128.load_splat<f32>(x0);
    a = f32x4.add(a, f32x4.mul(s, v128.load(w)));
    b = f32x4.add(b, f32x4.mul(s, v128.load(w, 16)));
    w += 32;
  }
  v128.store(y, a);
  v128.store(y, b, 16);
}

/** y [1, 4] += x [1, k] · w, a panel of 4 columns. */
function narrow(x: usize, k: i32, w: usize, y: usize): void {
  let a = v128.load(y);
  const end = x + (<usize>k << 2);
  for (let x0 = x; x0 < end; x0 += 4) {
    a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(x0), v128.load(w)));
    w += 16;
  }
  v128.store(y, a);
}

/** Rows per block of outer(). */
const OUTER = 64;

/** Bytes of scratch memory that outer() needs for k columns of x. */
export function outerScratch(k: i32): i32 {
  return OUTER * ((((k + 3) >> 2) << 4) + 32);
}

/**
 * dw [k, n4·4] += xᵀ [k, rows] · dy [rows, n4·4], all row-major. Copies each block of rows into tiles of 4 columns of x
 * and 8 of dy, because rows whose stride in bytes is a power of two would otherwise evict each other from the cache.
 */
export function outer(
  x: usize,
  ldx: usize,
  k: i32,
  rows: i32,
  dy: usize,
  ldy: usize,
  n4: i32,
  dw: usize,
  ldw: usize,
  scratch: usize,
): void {
  const k4 = k >> 2;
  const xTile: usize = OUTER << 4;
  const yTile = scratch + <usize>((k + 3) >> 2) * xTile;
  for (let first = 0; first < rows; first += OUTER) {
    const count = min(OUTER, rows - first);
    const xs = x + <usize>first * ldx;
    const ys = dy + <usize>first * ldy;
    for (let i = 0; i < k4; i++) {
      let from = xs + (<usize>i << 4);
      let to = scratch + <usize>i * xTile;
      for (let r = 0; r < count; r++) {
        v128.store(to, v128.load(from));
        from += ldx;
        to += 16;
      }
    }
    let column = 0;
    for (; column + 1 < n4; column += 2) {
      let from = ys + (<usize>column << 4);
      let to = yTile;
      for (let r = 0; r < count; r++) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        from += ldy;
        to += 32;
      }
      const at = dw + (<usize>column << 4);
      for (let i = 0; i < k4; i++) outer4(scratch + <usize>i * xTile, count, yTile, at + (<usize>i << 2) * ldw, ldw);
    }
    if (column < n4) {
      for (let i = 0; i < k4 << 2; i++)
        outer1(xs + (<usize>i << 2), ldx, count, ys + (<usize>column << 4), ldy, dw + <usize>i * ldw + (<usize>column << 4));
    }
    for (let i = k4 << 2; i < k; i++) {
      for (let j = 0; j < n4; j++)
        outer1(xs + (<usize>i << 2), ldx, count, ys + (<usize>j << 4), ldy, dw + <usize>i * ldw + (<usize>j << 4));
    }
  }
}

/** dw [4, 8] += xᵀ · dy, with x [rows, 4] and dy [rows, 8] in tiles. */
function outer4(x: usize, rows: i32, dy: usize, dw: usize, ldw: usize): void {
  const w1 = dw + ldw;
  const w2 = w1 + ldw;
  const w3 = w2 + ldw;
  let a0 = v128.load(dw);
  let b0 = v128.load(dw, 16);
  let a1 = v128.load(w1);
  let b1 = v128.load(w1, 16);
  let a2 = v128.load(w2);
  let b2 = v128.load(w2, 16);
  let a3 = v128.load(w3);
  let b3 = v128.load(w3, 16);
  for (let r = 0; r < rows; r++) {
    const ya = v128.load(dy);
    const yb = v128.load(dy, 16);
    let s = v128.load_splat<f32>(x);
    a0 = f32x4.add(a0, f32x4.mul(s, ya));
    b0 = f32x4.add(b0, f32x4.mul(s, yb));
    s = v128.load_splat<f32>(x, 4);
    a1 = f32x4.add(a1, f32x4.mul(s, ya));
    b1 = f32x4.add(b1, f32x4.mul(s, yb));
    s = v128.load_splat<f32>(x, 8);
    a2 = f32x4.add(a2, f32x4.mul(s, ya));
    b2 = f32x4.add(b2, f32x4.mul(s, yb));
    s = v128.load_splat<f32>(x, 12);
    a3 = f32x4.add(a3, f32x4.mul(s, ya));
    b3 = f32x4.add(b3, f32x4.mul(s, yb));
    x += 16;
    dy += 32;
  }
  v128.store(dw, a0);
  v128.store(dw, b0, 16);
  v128.store(w1, a1);
  v128.store(w1, b1, 16);
  v128.store(w2, a2);
  v128.store(w2, b2, 16);
  v128.store(w3, a3);
  v128.store(w3, b3, 16);
}

/** dw [1, 4] += xᵀ · dy, with one column of x and 4 columns of dy, not in tiles. */
function outer1(x: usize, ldx: usize, rows: i32, dy: usize, ldy: usize, dw: usize): void {
  let a = v128.load(dw);
  for (let r = 0; r < rows; r++) {
    a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(x), v128.load(dy)));
    x += ldx;
    dy += ldy;
  }
  v128.store(dw, a);
}
