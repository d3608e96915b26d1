/**
 * jax-js on WebGPU or WebAssembly, with `vjp` and `jit`. A function frees the
 * arrays that it is called with; `.ref` keeps an array for another use.
 */
import { DeviceError } from '../../src/base/errors.ts';
import { parameters } from '../../src/base/parameters.ts';
import type { MemoryInputs, MemoryProblem, TrainingProblem } from '../problems.ts';
import { checkStack, type Dense, dense } from './dense.ts';
import { Faults } from './faults.ts';
import type { Backend, Peer, PeerRun } from './peer.ts';

/** The part of an array's interface that is used here. */
interface Arr {
  readonly ref: Arr;
  readonly shape: number[];
  add(y: X): Arr;
  sub(y: X): Arr;
  mul(y: X): Arr;
  sum(): Arr;
  reshape(shape: number[]): Arr;
  /** One index per axis: [] for all of it, [from, to] for a part. */
  slice(...index: number[][]): Arr;
  data(): Promise<Float32Array>;
  dispose(): void;
}
type X = Arr | number;
type Arrs = Record<string, Arr>;

interface Owned {
  dispose(): void;
}

/** The part of @jax-js/jax that is used here. It is typed here, so that this file compiles without the package. */
export interface JaxJs {
  init(device: Backend): Promise<string[]>;
  defaultDevice(device: Backend): void;
  getWebGPUDevice(): GPUDevice;
  blockUntilReady<T>(what: T): Promise<T>;
  jit<A extends unknown[], R>(f: (...args: A) => R): ((...args: A) => R) & Owned;
  vjp<A extends unknown[], R>(f: (...args: A) => R, primals: A): [R, ((dy: R) => A) & Owned];
  valueAndGrad<W, A extends unknown[]>(f: (w: W, ...rest: A) => Arr): (w: W, ...rest: A) => [Arr, W];
  nn: { sigmoid(x: Arr): Arr; logSoftmax(x: Arr): Arr };
  numpy: {
    array(values: Float32Array, options: { shape: number[] }): Arr;
    zeros(shape: number[]): Arr;
    eye(n: number): Arr;
    tanh(x: Arr): Arr;
    minimum(a: X, b: X): Arr;
    maximum(a: X, b: X): Arr;
    subtract(a: X, b: X): Arr;
    flip(x: Arr, axis: number): Arr;
    cumsum(x: Arr, axis: number): Arr;
    matmul(a: Arr, b: Arr): Arr;
    concatenate(xs: Arr[], axis: number): Arr;
    stack(xs: Arr[], axis: number): Arr;
    split(x: Arr, sections: number | number[], axis: number): Arr[];
    broadcastTo(x: Arr, shape: number[]): Arr;
    pad(x: Arr, widths: [number, number][]): Arr;
  };
}

/** @param source the name of the device, and the backend */
export async function openJax(
  jax: JaxJs,
  { device, backend }: { device: string; backend: Backend },
): Promise<Peer> {
  if (!(await jax.init(backend)).includes(backend)) {
    throw new DeviceError(`jax-js cannot initialise its ${backend} backend here`);
  }
  jax.defaultDevice(backend);
  const faults = new Faults(backend === 'webgpu' ? jax.getWebGPUDevice() : undefined, 'jax-js');
  const { numpy: np } = jax;
  return {
    name: 'jax-js',
    version: VERSION,
    device,
    async memory(problem, inputs) {
      checkStack(problem);
      return memory(jax, faults, problem, inputs);
    },
    async prefixSum(R, L, pass, x) {
      const input = np.array(x, { shape: [R, L] });
      const sums = jax.jit((x: Arr) => (pass === 'forward' ? np.cumsum(x, 1) : fromRight(jax, x)));
      const name = pass === 'forward' ? 'y' : 'dx';
      return start(jax, faults, [input, sums], () => ({ [name]: sums(input.ref) }));
    },
    training: async problem => training(jax, faults, problem),
    // jax-js keeps its device until the process ends.
    destroy: async () => {},
  };
}

/** The package does not export its version. */
const VERSION = '0.1.25';

/**
 * @param inputs arrays and compiled functions that end() frees
 * @param work computes the outputs of a pass from those of the previous one
 */
async function start(
  jax: JaxJs,
  faults: Faults,
  inputs: Owned[],
  work: (before: Arrs) => Arrs,
): Promise<PeerRun> {
  let outputs: Arrs = {};
  const free = (arrays: Arrs): void => {
    for (const array of Object.values(arrays)) array.dispose();
  };
  return {
    async pass() {
      const before = outputs;
      const start = performance.now();
      outputs = work(before);
      await jax.blockUntilReady(Object.values(outputs));
      const ms = performance.now() - start;
      free(before);
      faults.check();
      return ms;
    },
    async outputs() {
      const numbers = new Map<string, Float32Array>();
      for (const [name, array] of Object.entries(outputs)) numbers.set(name, await array.ref.data());
      faults.check();
      return numbers;
    },
    async end() {
      free(outputs);
      for (const input of inputs) input.dispose();
    },
  };
}

/** In each row, the sum of each number and of all numbers to its right. */
const fromRight = ({ numpy: np }: JaxJs, x: Arr): Arr => np.flip(np.cumsum(np.flip(x, 1), 1), 1);

/** [B,t] → Σ_{j>i} s[j] */
const sumsAbove = (jax: JaxJs, s: Arr): Arr => fromRight(jax, s.ref).sub(s);

/** The strengths after a pop. s, above [B,t], u [B,1] → [B,t] */
const popped = ({ numpy: np }: JaxJs, s: Arr, above: Arr, u: Arr): Arr =>
  np.maximum(0, s.sub(np.maximum(0, u.sub(above))));

/** min(s, max(0, 1 − above)) */
const weights = ({ numpy: np }: JaxJs, s: Arr, above: Arr): Arr =>
  np.minimum(s, np.maximum(0, np.subtract(1, above)));

/**
 * The number of steps whose reads are one product. Arrays of strengths
 * grow by this many rows, because jit compiles for every shape.
 */
const BLOCK = 128;

async function memory(
  jax: JaxJs,
  faults: Faults,
  { B, T, M }: MemoryProblem,
  inputs: MemoryInputs,
): Promise<PeerRun> {
  const { numpy: np } = jax;
  const arrays = [
    np.array(inputs.push, { shape: [B, T] }),
    np.array(inputs.pop, { shape: [B, T] }),
    np.array(inputs.value, { shape: [B, T, M] }),
  ];
  const dRead = np.array(inputs.dRead, { shape: [B, T, M] });
  const step = jax.jit((s: Arr, above: Arr, d: Arr, u: Arr, at: Arr): [Arr, Arr, Arr] => {
    const next = popped(jax, s, above, u).add(d.mul(at));
    const sums = sumsAbove(jax, next.ref);
    return [next.ref, sums.ref, weights(jax, next, sums)];
  });
  const forward = (push: Arr, pop: Arr, value: Arr): Arr => {
    const ds = np.split(push, T, 1);
    const us = np.split(pop, T, 1);
    const reads: Arr[] = [];
    let s = np.zeros([B, 0]);
    let above = np.zeros([B, 0]);
    for (let from = 0; from < T; from += BLOCK) {
      const to = Math.min(from + BLOCK, T);
      const padding: [number, number][] = [
        [0, 0],
        [0, to - from],
      ];
      [s, above] =
        from === 0 ? [np.zeros([B, to]), np.zeros([B, to])] : [np.pad(s, padding), np.pad(above, padding)];
      const rows = np.split(np.eye(to), to, 0);
      const taken: Arr[] = [];
      for (let t = from; t < to; t++) {
        let w: Arr;
        [s, above, w] = step(s, above, ds[t], us[t], rows[t]);
        taken.push(w);
      }
      reads.push(np.matmul(np.stack(taken, 1), value.ref.slice([], [0, to], [])));
    }
    for (const rest of [s, above, value]) rest.dispose();
    return np.concatenate(reads, 1);
  };
  return start(jax, faults, [...arrays, dRead, step], () => {
    const [read, back] = jax.vjp(forward, arrays.map(array => array.ref) as [Arr, Arr, Arr]);
    const [dPush, dPop, dValue] = back(dRead.ref);
    back.dispose();
    return { read, dPush, dPop, dValue };
  });
}

/**
 * Up to this many time steps, a training step is one jit, in which the loop is unrolled and
 * rows are appended. For longer sequences each time step is a jit, with space for all T
 * rows from the start: jax-js has no scan, and compiling 130 unrolled steps does not finish.
 */
const UNROLLED = 32;

async function training(jax: JaxJs, faults: Faults, problem: TrainingProblem): Promise<PeerRun> {
  const { numpy: np } = jax;
  const sizes = dense(problem);
  const { B, T, D, V, rate } = sizes;
  const steps = sizes.weight.length;
  const data: Data = {
    x: np.array(sizes.x, { shape: [T * B, D] }),
    y: np.array(sizes.y, { shape: [steps, V] }),
    weight: np.array(sizes.weight, { shape: [steps, 1] }),
  };
  const first = Object.fromEntries(
    parameters(problem.spec).map(({ name, shape }) => [
      name,
      np.array(Float32Array.from(problem.parameters.get(name)!), { shape }),
    ]),
  );
  const unrolled = T <= UNROLLED;
  const steppers = unrolled ? plain(jax, sizes) : jitted(jax, sizes);
  const descend = (w: Arrs, dw: Arrs): Arrs =>
    Object.fromEntries(Object.keys(w).map(name => [name, w[name].sub(dw[name].mul(rate))]));
  const step = (w: Arrs, data: Data): [Arr, Arrs] => {
    const objective = (w: Arrs, data: Data): Arr => loss(jax, sizes, w, data, steppers);
    const [value, dw] = jax.valueAndGrad(objective)(refs(w), data);
    return [value, update(w, dw)];
  };
  const update = unrolled ? descend : jax.jit(descend);
  const trainingStep = unrolled ? jax.jit(step) : step;
  return start(jax, faults, [...Object.values(data), ...Object.values(first), ...steppers.owned], before => {
    const { objective: _, ...parameters } = 'objective' in before ? before : first;
    const [objective, after] = trainingStep(refs(parameters), refs(data));
    return { objective: objective.reshape([1]), ...after };
  });
}

const refs = <T extends object>(arrays: T): T =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, (array as Arr).ref])) as T;

type Data = { x: Arr; y: Arr; weight: Arr };

/** The objective of a batch. The input and output layers are not recurrent: each is one product for all steps. */
function loss(jax: JaxJs, sizes: Dense, w: Arrs, { x, y, weight }: Data, steppers: Steppers): Arr {
  const { numpy: np, nn } = jax;
  const ops = controller(jax, sizes, w, x, steppers);
  const answered = sizes.answered.map(t => ops[t].ref);
  for (const op of ops) op.dispose();
  let a = np.matmul(np.concatenate(answered, 0), w.W_o.ref).add(w.b_o.ref);
  if (sizes.readout) a = np.matmul(np.tanh(a), w.W_s.ref).add(w.b_s.ref);
  for (const array of Object.values(w)) array.dispose();
  if (sizes.output === 'softmax') return nn.logSoftmax(a).mul(y.mul(weight)).sum().mul(-1);
  const error = (sizes.output === 'tanh' ? np.tanh(a) : nn.sigmoid(a)).sub(y);
  return error.ref.mul(error).mul(weight).sum().mul(0.5);
}

/** o' of all steps [T] × [B,P]. The last step does not change the stack, because nothing depends on it. */
function controller(jax: JaxJs, sizes: Dense, w: Arrs, x: Arr, { rows, step, last }: Steppers): Arr[] {
  const { numpy: np } = jax;
  const { B, T, M } = sizes;
  const embedded = sizes.embedding ? np.matmul(x, w.W_e.ref) : x;
  const inputs = np.split(np.matmul(embedded, w.W_xh.ref).add(w.b_h.ref), T, 0);
  const fixed: Arrs = {
    W_state: np.concatenate([w.W_hh.ref, w.W_rh.ref], 0),
    W_heads: np.concatenate([w.W_d.ref, w.W_u.ref, w.W_v.ref], 1),
    b_heads: np.concatenate([w.b_d.ref, w.b_u.ref, w.b_v.ref], 1),
  };
  if (sizes.projection) Object.assign(fixed, { W_hp: w.W_hp.ref, b_p: w.b_p.ref });
  // The stack starts with an empty row, because jax-js cannot compute gradients of arrays without elements.
  const capacity = rows ? T : 1;
  let { h, c, r } = startOf(jax, sizes, w);
  let stack: Stack = [np.zeros([B, capacity]), np.zeros([B, capacity]), np.zeros([B, capacity, M])];
  const ops: Arr[] = [];
  for (let t = 0; t < T - 1; t++) {
    let op: Arr;
    [h, c, op, r, ...stack] = step(refs(fixed), inputs[t], h, c, r, stack, rows?.[t].ref);
    ops.push(op);
  }
  ops.push(last(fixed, inputs[T - 1], h, c, r));
  for (const array of stack) array.dispose();
  return ops;
}

/** Strengths and the sums above them, [B,rows] each, and values [B,rows,M]. */
type Stack = [s: Arr, above: Arr, V: Arr];

type StepResult = [h: Arr, c: Arr, op: Arr, r: Arr, ...Stack];

interface Steppers {
  /** [T] × [1,T] one-hot positions of the pushed rows, if there is space for all rows. Absent: rows are appended. */
  rows?: Arr[];
  step(w: Arrs, input: Arr, h: Arr, c: Arr, r: Arr, stack: Stack, at?: Arr): StepResult;
  /** Only o' of the last step. */
  last(w: Arrs, input: Arr, h: Arr, c: Arr, r: Arr): Arr;
  /** What end() frees. */
  owned: Owned[];
}

function plain(jax: JaxJs, sizes: Dense): Steppers {
  return {
    step(w, input, h, c, r, stack, at) {
      const [h1, c1, op] = control(jax, sizes, w, input, h, c, r);
      return [h1, c1, op.ref, ...remember(jax, sizes, w, op, stack, at)];
    },
    last(w, input, h, c, r) {
      const [h1, c1, op] = control(jax, sizes, w, input, h, c, r);
      for (const rest of [h1, c1, w.W_heads, w.b_heads]) rest.dispose();
      return op;
    },
    owned: [],
  };
}

function jitted(jax: JaxJs, sizes: Dense): Steppers {
  const { step, last } = plain(jax, sizes);
  const { numpy: np } = jax;
  const rows = np.split(np.eye(sizes.T), sizes.T, 0);
  const compiled = { step: jax.jit(step), last: jax.jit(last) };
  return { ...compiled, rows, owned: [...rows, compiled.step, compiled.last] };
}

/** One step of the controller → h, c, o'. Frees all of `w` except the heads. */
function control(jax: JaxJs, sizes: Dense, w: Arrs, input: Arr, h: Arr, c: Arr, r: Arr): [Arr, Arr, Arr] {
  const { numpy: np } = jax;
  const a = input.add(np.matmul(np.concatenate([h, r], 1), w.W_state));
  const [h1, c1] = sizes.controller === 'rnn' ? [np.tanh(a), c] : lstm(jax, a, c);
  const op = sizes.projection ? np.tanh(np.matmul(h1.ref, w.W_hp).add(w.b_p)) : h1.ref;
  return [h1, c1, op];
}

function lstm({ numpy: np, nn }: JaxJs, a: Arr, c: Arr): [h: Arr, c: Arr] {
  const [i, f, g, o] = np.split(a, 4, 1);
  const c1 = nn
    .sigmoid(f)
    .mul(c)
    .add(nn.sigmoid(i).mul(np.tanh(g)));
  return [nn.sigmoid(o).mul(np.tanh(c1.ref)), c1];
}

/** One step of the stack → r, stack */
function remember(jax: JaxJs, { B, M }: Dense, w: Arrs, op: Arr, stack: Stack, at?: Arr): [r: Arr, ...Stack] {
  const { numpy: np, nn } = jax;
  const [strengths, v] = np.split(np.matmul(op, w.W_heads).add(w.b_heads), [2], 1);
  const [d, u] = np.split(nn.sigmoid(strengths), 2, 1);
  const row = np.tanh(v).reshape([B, 1, M]);
  const [s, V] = at ? pushedAt(jax, stack, d, u, row, at) : appended(jax, stack, d, u, row);
  const sums = sumsAbove(jax, s.ref);
  const taken = weights(jax, s.ref, sums.ref).reshape([B, 1, s.shape[1]]);
  return [np.matmul(taken, V.ref).reshape([B, M]), s, sums, V];
}

function pushedAt(jax: JaxJs, [s, above, V]: Stack, d: Arr, u: Arr, row: Arr, at: Arr): [s: Arr, V: Arr] {
  const left = popped(jax, s, above, u);
  return [left.add(d.mul(at.ref)), V.add(row.mul(at.reshape([1, at.shape[1], 1])))];
}

function appended(jax: JaxJs, [s, above, V]: Stack, d: Arr, u: Arr, row: Arr): [s: Arr, V: Arr] {
  const { numpy: np } = jax;
  if (s.shape[1] > 0) return [np.concatenate([popped(jax, s, above, u), d], 1), np.concatenate([V, row], 1)];
  // jax-js cannot compute a gradient through an empty array: "unbroadcast shape mismatch".
  for (const rest of [s, above, V, u]) rest.dispose();
  return [d, row];
}

function startOf({ numpy: np }: JaxJs, { B, H, M, start }: Dense, w: Arrs): { h: Arr; c: Arr; r: Arr } {
  const zeros = (width: number): Arr => np.zeros([B, width]);
  const oneHot = (width: number): Arr =>
    np.array(
      Float32Array.from({ length: B * width }, (_, n) => (n % width === 0 ? 1 : 0)),
      { shape: [B, width] },
    );
  if (start === 'one-hot') return { h: oneHot(H), c: zeros(H), r: oneHot(M) };
  const trained = (x: Arr | undefined): Arr =>
    start === 'trained' && x ? np.broadcastTo(x.ref, [B, H]) : zeros(H);
  return { h: trained(w.h_0), c: trained(w.c_0), r: zeros(M) };
}
