/** Row operations: inputs, biases, sums. Leading dimensions are in bytes. */

const NO_INPUT: u32 = 0xffffffff;

/** y [rows, n4·4] = b + Σ of the rows of w that the row's K inputs select. */
export function gather(ids: usize, K: i32, rows: i32, w: usize, ldw: usize, b: usize, y: usize, ldy: usize, n4: i32): void {
  const bytes = <usize>n4 << 4;
  for (let r = 0; r < rows; r++) {
    memory.copy(y, b, bytes);
    for (let k = 0; k < K; k++) {
      const id = load<u32>(ids);
      ids += 4;
      if (id == NO_INPUT) continue;
      add(n4, w + <usize>id * ldw, y);
    }
    y += ldy;
  }
}

/** dw[id] += dy for every row that has id among its inputs. */
export function scatter(ids: usize, K: i32, rows: i32, dy: usize, ldy: usize, n4: i32, dw: usize, ldw: usize): void {
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < K; k++) {
      const id = load<u32>(ids);
      ids += 4;
      if (id == NO_INPUT) continue;
      add(n4, dy, dw + <usize>id * ldw);
    }
    dy += ldy;
  }
}

/** y [rows, n4·4] = b, in every row. */
export function fillRows(rows: i32, b: usize, y: usize, ldy: usize, n4: i32): void {
  for (let r = 0; r < rows; r++) {
    memory.copy(y, b, <usize>n4 << 4);
    y += ldy;
  }
}

/** db [n4·4] += Σ of the rows of dy. */
export function sumRows(rows: i32, dy: usize, ldy: usize, n4: i32, db: usize): void {
  for (let j = 0; j < n4; j++) {
    let sum = v128.load(db);
    let from = dy;
    for (let r = 0; r < rows; r++) {
      sum = f32x4.add(sum, v128.load(from));
      from += ldy;
    }
    v128.store(db, sum);
    db += 16;
    dy += 16;
  }
}

/** y += x, over n4 vec4s. */
export function add(n4: i32, x: usize, y: usize): void {
  for (let i = 0; i < n4; i++) {
    v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
    x += 16;
    y += 16;
  }
}

/** Sets `bytes` bytes to 0. */
export function clear(at: usize, bytes: usize): void {
  memory.fill(at, 0, bytes);
}

export function copy(to: usize, from: usize, bytes: usize): void {
  memory.copy(to, from, bytes);
}
