/**
 * A stack as a differentiable layer in jax-js. A jax-js model reads four symbols, then writes them in reverse. Its output depends
 * on its input only through the stack. jax-js 0.1.25 has no custom gradients, so the chain rule is written out: `vjp` of the part
 * before the stack, the backward pass of the stack, and `valueAndGrad` of the part after it.
 *
 *   npm install @jax-js/jax && node examples/jax-js.js
 */
import { jit, nn, numpy as np, tree, valueAndGrad, vjp } from '@jax-js/jax';
import { Rng } from 'pushdown';
import { openEngine } from 'pushdown/node';

const [B, LENGTH, SYMBOLS, M] = [32, 4, 5, 8]; // sequences, symbols of each, different symbols, numbers in a row
const T = 2 * LENGTH - 1; // time steps: it writes the first symbol in the step in which it reads the last
const INPUTS = SYMBOLS + 1; // the symbols, and "write"
const engine = await openEngine(); // any engine: nothing here needs to be synchronous
const stack = await engine.memory({ kind: 'stack', B, T, M });
const array = (numbers, ...shape) => np.array(numbers, { shape }); // numbers: a Float32Array

/** Before the stack: x [B,T,INPUTS] → push [B,T], pop [B,T], value [B,T,M] */
const before = jit(({ controls, bias, values }, x) => {
  // jax-js frees an array that is passed to a function; `.ref` keeps it for another use.
  const [push, pop] = np.split(nn.sigmoid(np.matmul(x.ref, controls).add(bias)), 2, 2);
  return [push.reshape([B, T]), pop.reshape([B, T]), np.matmul(x, values)];
});

/** After the stack: read [B,T,M], y [B,LENGTH,SYMBOLS] → loss in nats per symbol, and the logits of the writing steps */
const after = jit(({ output }, read, y) => {
  const logits = np.matmul(read.slice([], [LENGTH - 1, T], []), output);
  const loss = nn.logSoftmax(logits.ref).mul(y).sum();
  return [loss.mul(-1 / (B * LENGTH)), logits];
});
const lossOf = valueAndGrad(after, { argnums: [0, 1], hasAux: true });

/** The whole model: weights, x, y → [loss, logits] and the gradients of the weights. */
async function differentiate(weights, x, y) {
  const [outputs, backward] = vjp(before, [tree.ref(weights.before), x]);
  const inputs = await Promise.all(outputs.map(output => output.data())); // push, pop, value
  const read = array(await stack.forward(...inputs), B, T, M);
  const [lossAndLogits, [dAfter, dRead]] = lossOf(tree.ref(weights.after), read, y);
  const { dPush, dPop, dValue } = await stack.backward(await dRead.data());
  const [dBefore, dX] = backward([array(dPush, B, T), array(dPop, B, T), array(dValue, B, T, M)]);
  for (const unused of [dX, backward]) unused.dispose();
  return [lossAndLogits, { before: dBefore, after: dAfter }];
}

const rng = new Rng(0);
const normal = (rows, columns) =>
  array(
    Float32Array.from({ length: rows * columns }, () => 0.5 * rng.normal()),
    rows,
    columns,
  );
// Strengths are weak at first: a strong push hides the values below it, which then get no gradient.
const bias = np.array([-1, -1]);
const beforeStack = { controls: normal(INPUTS, 2), bias, values: normal(INPUTS, M) };
let weights = { before: beforeStack, after: { output: normal(M, SYMBOLS) } };
let squares = tree.map(w => np.zeros(w.shape), tree.ref(weights));

/** RMSProp, the paper's optimiser. square: the running mean of the squared gradient g */
const meanSquare = jit((square, g) => square.mul(0.9).add(np.square(g).mul(0.1)));
const descend = jit((w, square, g) => w.sub(g.mul(0.05).div(np.sqrt(square).add(1e-6))));
const random = () => Array.from({ length: LENGTH }, () => rng.int(0, SYMBOLS - 1));
const oneHot = (ids, n) => nn.oneHot(np.array(ids, { dtype: np.int32 }), n);

for (let step = 0; step <= 100; step++) {
  const symbols = Array.from({ length: B }, random);
  const x = symbols.map(all => [...all, ...new Array(LENGTH - 1).fill(SYMBOLS)]);
  const y = symbols.map(all => all.toReversed());
  const [[loss, logits], gradients] = await differentiate(weights, oneHot(x, INPUTS), oneHot(y, SYMBOLS));
  squares = tree.map(meanSquare, squares, tree.ref(gradients));
  weights = tree.map(descend, weights, tree.ref(squares), gradients);

  const predicted = await np.argmax(logits, 2).data();
  const right = y.flat().filter((symbol, i) => predicted[i] === symbol).length;
  const nats = (await loss.data())[0].toFixed(4);
  if (step % 20 === 0) console.log(`step ${step}  loss ${nats}  symbols right: ${right} of ${B * LENGTH}`);
}
engine.destroy();
