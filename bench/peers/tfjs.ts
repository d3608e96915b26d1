/** TensorFlow.js on WebGPU or WebAssembly: eager execution, a tape for gradients, and a kernel for every operation. */
import { parameters } from '../../src/base/parameters.ts';
import type { MemoryInputs, MemoryProblem, TrainingProblem } from '../problems.ts';
import { checkStack, type Dense, dense } from './dense.ts';
import { Faults } from './faults.ts';
import type { Backend, Peer, PeerRun } from './peer.ts';

/** The part of a tensor's interface that is used here. */
interface Tensor {
  readonly shape: number[];
  readonly size: number;
  data(): Promise<Float32Array>;
  dispose(): void;
}
type Tensors = Record<string, Tensor>;
type X = Tensor | number;
type Run = (inputs: Tensor[], work: () => Tensors) => Promise<PeerRun>;

type Save = (saved: Tensor[]) => void;
interface Differentiable {
  value: Tensor;
  gradFunc(dy: Tensor, saved: Tensor[]): Tensor | Tensor[];
}

/**
 * The part of @tensorflow/tfjs-core that is used here. It is
 * typed here, so that this file compiles without the package.
 */
export interface Tf {
  readonly version_core: string;
  setBackend(name: string): Promise<boolean>;
  removeBackend(name: string): void;
  backend(): { device: GPUDevice };
  env(): { set(flag: string, value: number): void };
  tidy<T>(work: () => T): T;
  dispose(what: unknown): void;
  tensor(values: Float32Array, shape: number[]): Tensor;
  zeros(shape: number[]): Tensor;
  add(a: X, b: X): Tensor;
  sub(a: X, b: X): Tensor;
  mul(a: X, b: X): Tensor;
  minimum(a: X, b: X): Tensor;
  relu(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
  sigmoid(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  neg(x: Tensor): Tensor;
  logSoftmax(x: Tensor): Tensor;
  sum(x: Tensor): Tensor;
  cumsum(x: Tensor, axis: number, exclusive?: boolean, reverse?: boolean): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  concat(tensors: Tensor[], axis: number): Tensor;
  stack(tensors: Tensor[], axis: number): Tensor;
  split(x: Tensor, sizes: number[] | number, axis: number): Tensor[];
  slice(x: Tensor, begin: number[], size: number[]): Tensor;
  pad(x: Tensor, paddings: [number, number][]): Tensor;
  reverse(x: Tensor, axis: number): Tensor;
  reshape(x: Tensor, shape: number[]): Tensor;
  tile(x: Tensor, times: number[]): Tensor;
  valueAndGrads(
    f: (...xs: Tensor[]) => Tensor,
  ): (xs: Tensor[], dy?: Tensor) => { value: Tensor; grads: Tensor[] };
  /** The last argument of `f` is `save`: `gradFunc` receives the tensors that it was called with. */
  customGrad(f: (...xs: never[]) => Differentiable): (...xs: Tensor[]) => Tensor;
}

export interface TfjsOptions {
  /** The name of the adapter, and whether it is a software adapter. */
  device: string;
  software: boolean;
  backend: Backend;
}

/** The value of TF.js's flag that selects its matrix product in tiles of 32 × 32. */
const PACKED = 3;

/** @param tf with gradients and the backend registered */
export async function openTfjs(tf: Tf, { device, software, backend }: TfjsOptions): Promise<Peer> {
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js cannot initialise its ${backend} backend here`);
  // The kernel that TF.js chooses for small products suits GPUs. On SwiftShader a product [4,44]·[44,32] takes 40 ms
  // with it and 0.5 ms in tiles, and a training step half the time.
  if (software && backend === 'webgpu') tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', PACKED);
  const faults = new Faults(backend === 'webgpu' ? tf.backend().device : undefined, 'TensorFlow.js');
  const run: Run = (inputs, work) => start(tf, faults, inputs, work);
  return {
    name: 'TensorFlow.js',
    version: tf.version_core,
    device,
    async memory(problem, inputs) {
      checkStack(problem);
      const tensors = memoryTensors(tf, problem, inputs);
      return run(tensors, () => memory(tf, problem.T, tensors));
    },
    async prefixSum(R, L, pass, x) {
      const input = tf.tensor(x, [R, L]);
      return run(
        [input],
        (): Tensors =>
          pass === 'forward' ? { y: tf.cumsum(input, 1) } : { dx: fromRight(tf, input, false) },
      );
    },
    async training(problem) {
      return training(tf, problem, run);
    },
    async destroy() {
      tf.removeBackend(backend);
    },
  };
}

/** A run whose passes keep only the outputs in memory. */
async function start(tf: Tf, faults: Faults, inputs: Tensor[], work: () => Tensors): Promise<PeerRun> {
  // Tensors are uploaded when they are first used. This is done here, so that the first pass does not include it.
  for (const input of inputs) await settle(tf, input);
  let outputs: Tensors = {};
  return {
    async pass() {
      // Freed only after this pass, which starts from the parameters that the previous pass returned.
      const before = outputs;
      const start = performance.now();
      outputs = tf.tidy(work);
      await settle(tf, Object.values(outputs)[0]);
      const ms = performance.now() - start;
      tf.dispose(before);
      faults.check();
      return ms;
    },
    async outputs() {
      const numbers = new Map<string, Float32Array>();
      for (const [name, tensor] of Object.entries(outputs)) numbers.set(name, await tensor.data());
      faults.check();
      return numbers;
    },
    async end() {
      tf.dispose([outputs, inputs]);
    },
  };
}

/** Waits for all enqueued work. The only way to wait for TF.js is to read a number. */
async function settle(tf: Tf, tensor: Tensor): Promise<void> {
  const first = tf.tidy(() => tf.slice(tf.reshape(tensor, [tensor.size]), [0], [1]));
  await first.data();
  first.dispose();
}

/**
 * In each row, the sums of the numbers to the right. cumsum has the option `reverse`, but its shader has
 * the row length in its code and not in the key of its cache, so its sums are wrong from the second row
 * length on (4.22.0). The gradients of a plain cumsum are wrong too, because they are reversed sums.
 */
const fromRight = (tf: Tf, x: Tensor, exclusive: boolean): Tensor =>
  tf.reverse(tf.cumsum(tf.reverse(x, 1), 1, exclusive), 1);

/** [B,t] → Σ_{j>i} s[j] */
const sumsAbove = (tf: Tf, s: Tensor): Tensor =>
  tf.customGrad((s: Tensor) => ({
    value: fromRight(tf, s, true),
    gradFunc: dy => tf.cumsum(dy, 1, true),
  }))(s);

/** The strengths of a stack after a step, and for each row the sum of the strengths above it, [B,t] each. */
interface Stack {
  s: Tensor;
  above: Tensor;
}

/**
 * Pops u and pushes d, [B,1] each. The sums after the push are used by the read of
 * this step and by the pop of the next step. cumsum is 4 times as fast as a product
 * with a triangular matrix of ones (B = 128, t = 128, SwiftShader: 5 and 20 ms).
 */
function stackStep(tf: Tf, before: Stack | undefined, d: Tensor, u: Tensor): Stack {
  if (!before) return { s: d, above: tf.mul(d, 0) };
  const left = tf.relu(tf.sub(before.s, tf.relu(tf.sub(u, before.above))));
  const s = tf.concat([left, d], 1);
  return { s, above: sumsAbove(tf, s) };
}

/** min(s, max(0, 1 − above)) */
const weights = (tf: Tf, { s, above }: Stack): Tensor => tf.minimum(s, tf.relu(tf.sub(1, above)));

const memoryTensors = (tf: Tf, { B, T, M }: MemoryProblem, inputs: MemoryInputs): Tensor[] => [
  tf.tensor(inputs.push, [B, T]),
  tf.tensor(inputs.pop, [B, T]),
  tf.tensor(inputs.value, [B, T, M]),
  tf.tensor(inputs.dRead, [B, T, M]),
];

/** The number of steps whose reads are one product. This costs only the memory of their weights [B,BLOCK,t]. */
const BLOCK = 128;

/**
 * All values are known in advance, so the reads of a block of steps are computed together after their strengths:
 * one product [B,n,t]·[B,t,M]. In TF.js, a product [B,1,t]·[B,t,M] at every step is many times slower.
 */
function memory(tf: Tf, T: number, [push, pop, value, dRead]: Tensor[]): Tensors {
  const forward = (push: Tensor, pop: Tensor, value: Tensor): Tensor => {
    const ds = tf.split(push, T, 1);
    const us = tf.split(pop, T, 1);
    const reads: Tensor[] = [];
    let stack: Stack | undefined;
    for (let from = 0; from < T; from += BLOCK) {
      const to = Math.min(from + BLOCK, T);
      const steps: Stack[] = [];
      for (let t = from; t < to; t++) {
        stack = stackStep(tf, stack, ds[t], us[t]);
        steps.push(stack);
      }
      reads.push(readBlock(tf, steps, value, to));
    }
    return tf.concat(reads, 1);
  };
  const { value: read, grads } = tf.valueAndGrads(forward)([push, pop, value], dRead);
  const [dPush, dPop, dValue] = grads;
  return { dPop, dPush, dValue, read };
}

/** The reads of n steps [B,n,M]. @param rows the number of rows after the last of them */
function readBlock(tf: Tf, steps: readonly Stack[], value: Tensor, rows: number): Tensor {
  const padded = (x: Tensor): Tensor =>
    tf.pad(x, [
      [0, 0],
      [0, rows - x.shape[1]],
    ]);
  const s = tf.stack(
    steps.map(step => padded(step.s)),
    1,
  );
  const above = tf.stack(
    steps.map(step => padded(step.above)),
    1,
  );
  const [B, , M] = value.shape;
  return tf.matMul(weights(tf, { s, above }), tf.slice(value, [0, 0, 0], [B, rows, M]));
}

async function training(tf: Tf, problem: TrainingProblem, run: Run): Promise<PeerRun> {
  const sizes = dense(problem);
  const { B, T, D, V, rate } = sizes;
  const table = parameters(problem.spec);
  const names = table.map(({ name }) => name);
  let now = table.map(({ name, shape }) =>
    tf.tensor(Float32Array.from(problem.parameters.get(name)!), shape),
  );
  const steps = sizes.answered.length * B;
  const data = {
    x: tf.tensor(sizes.x, [T * B, D]),
    y: tf.tensor(sizes.y, [steps, V]),
    weight: tf.tensor(sizes.weight, [steps, 1]),
  };
  const objective = (...weights: Tensor[]): Tensor =>
    loss(tf, sizes, Object.fromEntries(names.map((name, n) => [name, weights[n]])), data);
  return run([...Object.values(data), ...now], () => {
    const { value, grads } = tf.valueAndGrads(objective)(now);
    now = now.map((w, n) => tf.sub(w, tf.mul(rate, grads[n])));
    return { objective: value, ...Object.fromEntries(names.map((name, n) => [name, now[n]])) };
  });
}

interface Data {
  x: Tensor;
  y: Tensor;
  weight: Tensor;
}

/** The objective of a batch. The input and output layers are not recurrent: each is one product for all steps. */
function loss(tf: Tf, sizes: Dense, w: Tensors, { x, y, weight }: Data): Tensor {
  const { answered, output } = sizes;
  const withTargets = new Set(answered);
  const primes = controller(tf, sizes, w, x).filter((_, t) => withTargets.has(t));
  let a = tf.add(tf.matMul(tf.concat(primes, 0), w.W_o), w.b_o);
  if (sizes.readout) a = tf.add(tf.matMul(tf.tanh(a), w.W_s), w.b_s);
  if (output === 'softmax') return tf.neg(tf.sum(tf.mul(tf.logSoftmax(a), tf.mul(y, weight))));
  const outputs = output === 'tanh' ? tf.tanh(a) : tf.sigmoid(a);
  return tf.mul(0.5, tf.sum(tf.mul(tf.square(tf.sub(outputs, y)), weight)));
}

/** o' of all steps [T] × [B,P]. The last step does not change the stack, because nothing depends on it. */
function controller(tf: Tf, sizes: Dense, w: Tensors, x: Tensor): Tensor[] {
  const { B, T, M, projection } = sizes;
  const embedded = sizes.embedding ? tf.matMul(x, w.W_e) : x;
  const inputs = tf.split(tf.add(tf.matMul(embedded, w.W_xh), w.b_h), T, 0);
  const W_state = tf.concat([w.W_hh, w.W_rh], 0);
  const W_heads = tf.concat([w.W_d, w.W_u, w.W_v], 1);
  const b_heads = tf.concat([w.b_d, w.b_u, w.b_v], 1);
  let { h, c, r } = startOf(tf, sizes, w);
  let stack: Stack | undefined;
  let values: Tensor | undefined;
  const primes: Tensor[] = [];
  for (let t = 0; t < T; t++) {
    const a = tf.add(inputs[t], tf.matMul(tf.concat([h, r], 1), W_state));
    if (sizes.controller === 'rnn') h = tf.tanh(a);
    else [h, c] = lstm(tf, a, c);
    const oPrime = projection ? tf.tanh(tf.add(tf.matMul(h, w.W_hp), w.b_p)) : h;
    primes.push(oPrime);
    if (t === T - 1) break;
    const heads = tf.add(tf.matMul(oPrime, W_heads), b_heads);
    const [controls, v] = tf.split(heads, [2, M], 1);
    const [d, u] = tf.split(tf.sigmoid(controls), 2, 1);
    stack = stackStep(tf, stack, d, u);
    const row = tf.reshape(tf.tanh(v), [B, 1, M]);
    values = values ? tf.concat([values, row], 1) : row;
    r = tf.reshape(read(tf, weights(tf, stack), values), [B, M]);
  }
  return primes;
}

function startOf(tf: Tf, { B, H, M, start }: Dense, w: Tensors): { h: Tensor; c: Tensor; r: Tensor } {
  const zeros = (width: number): Tensor => tf.zeros([B, width]);
  const oneHot = (width: number): Tensor =>
    tf.tensor(
      Float32Array.from({ length: B * width }, (_, n) => (n % width === 0 ? 1 : 0)),
      [B, width],
    );
  if (start === 'one-hot') return { h: oneHot(H), c: zeros(H), r: oneHot(M) };
  if (start === 'zero') return { h: zeros(H), c: zeros(H), r: zeros(M) };
  const trained = (x: Tensor | undefined): Tensor => (x ? tf.tile(x, [B, 1]) : zeros(H));
  return { h: trained(w.h_0), c: trained(w.c_0), r: zeros(M) };
}

function lstm(tf: Tf, a: Tensor, c: Tensor): [h: Tensor, c: Tensor] {
  const [i, f, g, o] = tf.split(a, 4, 1);
  const c1 = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
  return [tf.mul(tf.sigmoid(o), tf.tanh(c1)), c1];
}

/**
 * w [B,t], V [B,t,M] → r [B,1,M]. The gradient of V is an outer product. Computed with a broadcast `mul`, it is
 * 30 times as fast as with the matMul that TF.js would use (B = 128, t = 128, M = 32, SwiftShader: 5 and 170 ms).
 */
function read(tf: Tf, w: Tensor, V: Tensor): Tensor {
  const [B, t] = w.shape;
  return tf.customGrad((w: Tensor, V: Tensor, save: Save) => {
    save([w, V]);
    return {
      value: tf.matMul(tf.reshape(w, [B, 1, t]), V),
      gradFunc: (dr, [w, V]) => [
        tf.reshape(tf.matMul(dr, V, false, true), [B, t]),
        tf.mul(tf.reshape(w, [B, t, 1]), dr),
      ],
    };
  })(w, V);
}
