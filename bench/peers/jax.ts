/**
 * jax-js on WebGPU: `vjp` and `jit`. An array is used up by what it is given to: `.ref` keeps it for another use.
 */
import { DeviceError } from '../../src/base/errors.ts';
import { parameters } from '../../src/base/parameters.ts';
import type { MemoryInputs, MemoryProblem, TrainingProblem } from '../problems.ts';
import { checkStack, type Dense, dense } from './dense.ts';
import { Faults } from './faults.ts';
import type { Backend, Peer, PeerRun } from './peer.ts';

/** What is used of an array. */
interface Arr {
  readonly ref: Arr;
  readonly shape: number[];
  add(y: X): Arr;
  sub(y: X): Arr;
  mul(y: X): Arr;
  sum(): Arr;
  reshape(shape: number[]): Arr;
  /** An index per axis: [] all of it, [from, to] a part. */
  slice(...index: number[][]): Arr;
  data(): Promise<Float32Array>;
  dispose(): void;
}
type X = Arr | number;
type Arrs = Record<string, Arr>;

interface Owned {
  dispose(): void;
}

/** What is used of @jax-js/jax, typed here so that this compiles where it is not installed. */
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

/** @param device its name */
export async function openJax(
  jax: JaxJs,
  { device, backend }: { device: string; backend: Backend },
): Promise<Peer> {
  if (!(await jax.init(backend)).includes(backend)) {
    throw new DeviceError(`jax-js cannot set its ${backend} backend up here`);
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
      const given = np.array(x, { shape: [R, L] });
      const sums = jax.jit((x: Arr) => (pass === 'forward' ? np.cumsum(x, 1) : fromRight(jax, x)));
      const name = pass === 'forward' ? 'y' : 'dx';
      return start(jax, faults, [given, sums], () => ({ [name]: sums(given.ref) }));
    },
    training: async problem => training(jax, faults, problem),
    // jax-js keeps its device for as long as the process lives.
    destroy: async () => {},
  };
}

/** The package does not tell its version. */
const VERSION = '0.1.25';

/** @param inputs what there is to give back in the end */
async function start(
  jax: JaxJs,
  faults: Faults,
  inputs: Owned[],
  work: (before: Arrs) => Arrs,
): Promise<PeerRun> {
  let made: Arrs = {};
  const drop = (arrays: Arrs): void => {
    for (const array of Object.values(arrays)) array.dispose();
  };
  return {
    async pass() {
      const before = made;
      const start = performance.now();
      made = work(before);
      await jax.blockUntilReady(Object.values(made));
      const ms = performance.now() - start;
      drop(before);
      faults.check();
      return ms;
    },
    async outputs() {
      const outputs = new Map<string, Float32Array>();
      for (const [name, array] of Object.entries(made)) outputs.set(name, await array.ref.data());
      faults.check();
      return outputs;
    },
    async end() {
      drop(made);
      for (const input of inputs) input.dispose();
    },
  };
}

/** Σ over what is to the right in each row, and the number itself. */
const fromRight = ({ numpy: np }: JaxJs, x: Arr): Arr => np.flip(np.cumsum(np.flip(x, 1), 1), 1);

/** [B,t] → Σ_{j>i} s[j] */
const sumsAbove = (jax: JaxJs, s: Arr): Arr => fromRight(jax, s.ref).sub(s);

/** What is left of the strengths after a pop. s, above [B,t], u [B,1] → [B,t] */
const popped = ({ numpy: np }: JaxJs, s: Arr, above: Arr, u: Arr): Arr =>
  np.maximum(0, s.sub(np.maximum(0, u.sub(above))));

/** min(s, max(0, 1 − above)) */
const weights = ({ numpy: np }: JaxJs, s: Arr, above: Arr): Arr =>
  np.minimum(s, np.maximum(0, np.subtract(1, above)));

/** Steps whose reads are one product, and rows that strengths grow by: jit compiles for every shape. */
const BLOCK = 128;

async function memory(
  jax: JaxJs,
  faults: Faults,
  { B, T, M }: MemoryProblem,
  inputs: MemoryInputs,
): Promise<PeerRun> {
  const { numpy: np } = jax;
  const given = [
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
      const room: [number, number][] = [
        [0, 0],
        [0, to - from],
      ];
      [s, above] =
        from === 0 ? [np.zeros([B, to]), np.zeros([B, to])] : [np.pad(s, room), np.pad(above, room)];
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
  return start(jax, faults, [...given, dRead, step], () => {
    const [read, back] = jax.vjp(forward, given.map(array => array.ref) as [Arr, Arr, Arr]);
    const [dPush, dPop, dValue] = back(dRead.ref);
    back.dispose();
    return { read, dPush, dPop, dValue };
  });
}

/**
 * Longest sequence whose step of training is one jit, unrolled and with rows as they come. Beyond, one time step is
 * a jit, with room for all T rows from the start: jax-js has no scan, and unrolling 130 steps does not end.
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
  const whole = T <= UNROLLED;
  const steppers = whole ? plain(jax, sizes) : jitted(jax, sizes);
  const descend = (w: Arrs, dw: Arrs): Arrs =>
    Object.fromEntries(Object.keys(w).map(name => [name, w[name].sub(dw[name].mul(rate))]));
  const step = (w: Arrs, data: Data): [Arr, Arrs] => {
    const objective = (w: Arrs, data: Data): Arr => loss(jax, sizes, w, data, steppers);
    const [value, dw] = jax.valueAndGrad(objective)(refs(w), data);
    return [value, update(w, dw)];
  };
  const update = whole ? descend : jax.jit(descend);
  const made = whole ? jax.jit(step) : step;
  return start(jax, faults, [...Object.values(data), ...Object.values(first), ...steppers.owned], before => {
    const { objective: _, ...parameters } = 'objective' in before ? before : first;
    const [objective, after] = made(refs(parameters), refs(data));
    return { objective: objective.reshape([1]), ...after };
  });
}

const refs = <T extends object>(arrays: T): T =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, (array as Arr).ref])) as T;

type Data = { x: Arr; y: Arr; weight: Arr };

/** The objective of a batch. What does not depend on the read is one product for all steps: inputs and outputs. */
function loss(jax: JaxJs, sizes: Dense, w: Arrs, { x, y, weight }: Data, steppers: Steppers): Arr {
  const { numpy: np, nn } = jax;
  const ops = controller(jax, sizes, w, x, steppers);
  const answered = sizes.answered.map(t => ops[t].ref);
  for (const op of ops) op.dispose();
  let a = np.matmul(np.concatenate(answered, 0), w.W_o.ref).add(w.b_o.ref);
  if (sizes.readout) a = np.matmul(np.tanh(a), w.W_s.ref).add(w.b_s.ref);
  for (const array of Object.values(w)) array.dispose();
  if (sizes.output === 'softmax') return nn.logSoftmax(a).mul(y.mul(weight)).sum().mul(-1);
  const off = (sizes.output === 'tanh' ? np.tanh(a) : nn.sigmoid(a)).sub(y);
  return off.ref.mul(off).mul(weight).sum().mul(0.5);
}

/** o' of all steps [T] × [B,P]. Nobody asks what the last one does to its stack. */
function controller(jax: JaxJs, sizes: Dense, w: Arrs, x: Arr, { rows, whole, last }: Steppers): Arr[] {
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
  // An empty row below all: jax-js cannot take gradients of what has no elements.
  const room = rows ? T : 1;
  let { h, c, r } = startOf(jax, sizes, w);
  let stack: Stack = [np.zeros([B, room]), np.zeros([B, room]), np.zeros([B, room, M])];
  const made: Arr[] = [];
  for (let t = 0; t < T - 1; t++) {
    let op: Arr;
    [h, c, op, r, ...stack] = whole(refs(fixed), inputs[t], h, c, r, stack, rows?.[t].ref);
    made.push(op);
  }
  made.push(last(fixed, inputs[T - 1], h, c, r));
  for (const array of stack) array.dispose();
  return made;
}

/** Strengths, the sums above them, [B,rows] both, and values [B,rows,M]. */
type Stack = [s: Arr, above: Arr, V: Arr];

type Made = [h: Arr, c: Arr, op: Arr, r: Arr, ...Stack];

interface Steppers {
  /** [T] × [1,T] where a row is pushed, with room for all; else rows are appended. */
  rows?: Arr[];
  whole(w: Arrs, input: Arr, h: Arr, c: Arr, r: Arr, stack: Stack, at?: Arr): Made;
  /** Of the last step o' alone. */
  last(w: Arrs, input: Arr, h: Arr, c: Arr, r: Arr): Arr;
  owned: Owned[];
}

function plain(jax: JaxJs, sizes: Dense): Steppers {
  return {
    whole(w, input, h, c, r, stack, at) {
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
  const { whole, last } = plain(jax, sizes);
  const { numpy: np } = jax;
  const rows = np.split(np.eye(sizes.T), sizes.T, 0);
  const made = { whole: jax.jit(whole), last: jax.jit(last) };
  return { ...made, rows, owned: [...rows, made.whole, made.last] };
}

/** One step of the controller → h, c, o'. Of `w` the heads are left. */
function control(jax: JaxJs, sizes: Dense, w: Arrs, input: Arr, h: Arr, c: Arr, r: Arr): [Arr, Arr, Arr] {
  const { numpy: np } = jax;
  const a = input.add(np.matmul(np.concatenate([h, r], 1), w.W_state));
  const [h1, c1] = sizes.controller === 'rnn' ? [np.tanh(a), c] : lstm(jax, a, c);
  const op = sizes.projection ? np.tanh(np.matmul(h1.ref, w.W_hp).add(w.b_p)) : h1.ref;
  return [h1, c1, op];
}

function lstm({ numpy: np, nn }: JaxJs, a: Arr, c: Arr): [h: Arr, c: Arr] {
  const [i, f, g, o] = np.split(a, 4, 1);
  const kept = nn
    .sigmoid(f)
    .mul(c)
    .add(nn.sigmoid(i).mul(np.tanh(g)));
  return [nn.sigmoid(o).mul(np.tanh(kept.ref)), kept];
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
  // A gradient through an empty array is refused: "unbroadcast shape mismatch".
  for (const rest of [s, above, V, u]) rest.dispose();
  return [d, row];
}

function startOf({ numpy: np }: JaxJs, { B, H, M, start }: Dense, w: Arrs): { h: Arr; c: Arr; r: Arr } {
  const zeros = (width: number): Arr => np.zeros([B, width]);
  const first = (width: number): Arr =>
    np.array(
      Float32Array.from({ length: B * width }, (_, n) => (n % width === 0 ? 1 : 0)),
      { shape: [B, width] },
    );
  if (start === 'one-hot') return { h: first(H), c: zeros(H), r: first(M) };
  const trained = (x: Arr | undefined): Arr =>
    start === 'trained' && x ? np.broadcastTo(x.ref, [B, H]) : zeros(H);
  return { h: trained(w.h_0), c: trained(w.c_0), r: zeros(M) };
}
