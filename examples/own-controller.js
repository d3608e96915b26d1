/**
 * Your own controller in a closed loop with a stack, with gradients written by hand. At every step it gets a symbol and the
 * last read, and returns what to push, how strongly to push and pop, and what to write. It learns to reverse.
 *
 *   node examples/own-controller.js
 */
import { Rng } from 'pushdown';
import { openEngine } from 'pushdown/node';

const [B, SYMBOLS, M, LONGEST] = [32, 5, 8, 16]; // sequences, different symbols, numbers in a row, symbols of a sequence
const [X, Z, A] = [SYMBOLS + 1, SYMBOLS + 1 + M + 1, 2 + M + SYMBOLS]; // sizes of x, z and a: see W
const engine = await openEngine('cpu');
const stack = await engine.memory({ kind: 'stack', B, T: 2 * LONGEST, M });
const rng = new Rng(0);
const sigmoid = x => 1 / (1 + Math.exp(-x));
const zeros = length => new Float32Array(length);

/** Parameters W [A,Z]. a = W z gives (push, pop, value [M], logits [SYMBOLS]) for z = (x: symbol or "write" [X], read [M], 1). */
const W = zeros(A * Z).map(() => 0.3 * rng.normal());
for (const a of [0, 1]) W[a * Z + Z - 1] = -1; // weak at first: a strong push hides the values below it, which then get no gradient
const [firstMoment, secondMoment] = [zeros(A * Z), zeros(A * Z)];

/** Reads and reverses `length` symbols. Trains if `t`, the training step, is given. Returns the share of correct symbols. */
async function run(length, t) {
  const symbols = Array.from({ length: B }, () => Array.from({ length }, () => rng.int(0, SYMBOLS - 1)));
  const steps = [];
  let [read, right] = [zeros(B * M), 0];
  stack.reset();
  for (let k = 0; k < 2 * length; k++) {
    const [z, a] = [zeros(B * Z), zeros(B * A)];
    const [push, pop, value, dLogits] = [zeros(B), zeros(B), zeros(B * M), zeros(B * SYMBOLS)];
    for (let b = 0; b < B; b++) {
      z[b * Z + (k < length ? symbols[b][k] : SYMBOLS)] = 1;
      z.set(read.subarray(b * M, (b + 1) * M), b * Z + X);
      z[b * Z + Z - 1] = 1;
      for (let i = 0; i < A; i++) for (let j = 0; j < Z; j++) a[b * A + i] += W[i * Z + j] * z[b * Z + j];
      [push[b], pop[b]] = [sigmoid(a[b * A]), sigmoid(a[b * A + 1])];
      for (let m = 0; m < M; m++) value[b * M + m] = Math.tanh(a[b * A + 2 + m]);
      if (k < length) continue;
      const target = symbols[b][2 * length - 1 - k];
      const logits = a.subarray(b * A + 2 + M, (b + 1) * A);
      const sum = logits.reduce((all, x) => all + Math.exp(x), 0);
      if (logits.every((x, s) => s === target || x < logits[target])) right++;
      const error = logits.map((x, s) => (Math.exp(x) / sum - (s === target)) / (B * length));
      dLogits.set(error, b * SYMBOLS);
    }
    read = await stack.step(push, pop, value);
    steps.push({ z, push, pop, value, dLogits });
  }
  if (t === undefined) return right / (B * length);

  const dW = zeros(A * Z);
  let dRead = zeros(B * M); // at the last step: nothing depends on its read
  for (const { z, push, pop, value, dLogits } of steps.toReversed()) {
    const { dPush, dPop, dValue } = await stack.stepBackward(dRead);
    dRead = zeros(B * M); // gradient of the previous step's read, which is an input of this step
    for (let b = 0; b < B; b++) {
      const dValues = Array.from({ length: M }, (_, m) => dValue[b * M + m] * (1 - value[b * M + m] ** 2));
      const dStrengths = [dPush[b] * push[b] * (1 - push[b]), dPop[b] * pop[b] * (1 - pop[b])];
      const da = [...dStrengths, ...dValues, ...dLogits.subarray(b * SYMBOLS, (b + 1) * SYMBOLS)];
      for (let i = 0; i < A; i++) for (let j = 0; j < Z; j++) dW[i * Z + j] += da[i] * z[b * Z + j];
      for (let i = 0; i < A; i++) for (let m = 0; m < M; m++) dRead[b * M + m] += da[i] * W[i * Z + X + m];
    }
  }
  dW.forEach((g, i) => {
    firstMoment[i] += 0.1 * (g - firstMoment[i]); // Adam
    secondMoment[i] += 0.001 * (g * g - secondMoment[i]);
    W[i] -= (0.02 * firstMoment[i]) / (1 - 0.9 ** t) / (Math.sqrt(secondMoment[i] / (1 - 0.999 ** t)) + 1e-8);
  });
  return right / (B * length);
}

for (let t = 1; t <= 500; t++) {
  const right = await run(rng.int(2, 8), t);
  if (t % 50 === 0) console.log(`step ${t}  right ${(100 * right).toFixed(1)}%`);
}
for (const length of [8, LONGEST])
  console.log(`length ${length}: ${(100 * (await run(length))).toFixed(1)}% right`);
engine.destroy();
