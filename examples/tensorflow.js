/**
 * A stack as a differentiable layer in TensorFlow.js, with `tf.customGrad`. A TensorFlow.js model reads four symbols, then
 * writes them in reverse. Its output depends on its input only through the stack.
 *
 *   npm install @tensorflow/tfjs && node examples/tensorflow.js
 */
import * as tf from '@tensorflow/tfjs';
import { Rng } from 'pushdown';
import { openEngine } from 'pushdown/node';

const [B, LENGTH, SYMBOLS, M] = [32, 4, 5, 8]; // sequences, symbols of each, different symbols, numbers in a row
const T = 2 * LENGTH - 1; // time steps: it writes the first symbol in the step in which it reads the last
const INPUTS = SYMBOLS + 1; // the symbols, and "write"
const engine = await openEngine('cpu'); // a TensorFlow.js layer must return its result synchronously, which a GPU cannot
const stack = await engine.memory({ kind: 'stack', B, T, M });

/** push [B,T], pop [B,T], value [B,T,M] → read [B,T,M]. Use one memory per layer: it keeps what its backward pass needs. */
const throughStack = tf.customGrad((push, pop, value) => ({
  value: tf.tensor(stack.forwardSync(push.dataSync(), pop.dataSync(), value.dataSync()), [B, T, M]),
  gradFunc: dRead => {
    const { dPush, dPop, dValue } = stack.backwardSync(dRead.dataSync());
    return [tf.tensor(dPush, [B, T]), tf.tensor(dPop, [B, T]), tf.tensor(dValue, [B, T, M])];
  },
}));

const rng = new Rng(0);
const normal = (rows, columns) =>
  tf.variable(
    tf.tensor(
      Array.from({ length: rows * columns }, () => 0.5 * rng.normal()),
      [rows, columns],
    ),
  );
const weights = {
  controls: normal(INPUTS, 2),
  bias: tf.variable(tf.tensor([-1, -1])), // weak at first: a strong push hides the values below it, which then get no gradient
  value: normal(INPUTS, M),
  output: normal(M, SYMBOLS),
};

/** x [B·T, INPUTS] → logits [B,LENGTH,SYMBOLS] of the writing steps */
function model(x) {
  const strengths = tf.reshape(tf.sigmoid(tf.add(tf.matMul(x, weights.controls), weights.bias)), [B, T, 2]);
  const [push, pop] = tf.unstack(strengths, 2);
  const value = tf.reshape(tf.matMul(x, weights.value), [B, T, M]);
  const read = tf.reshape(throughStack(push, pop, value), [B * T, M]);
  const logits = tf.reshape(tf.matMul(read, weights.output), [B, T, SYMBOLS]);
  return tf.slice(logits, [0, LENGTH - 1, 0], [B, LENGTH, SYMBOLS]);
}

/** Random symbols, as inputs [B·T, INPUTS] and, reversed, as targets [B,LENGTH]. */
function batch() {
  const symbols = Array.from({ length: B }, () =>
    Array.from({ length: LENGTH }, () => rng.int(0, SYMBOLS - 1)),
  );
  const ids = symbols.flatMap(all => [...all, ...new Array(LENGTH - 1).fill(SYMBOLS)]);
  const targets = symbols.map(all => all.toReversed());
  return { x: tf.cast(tf.oneHot(ids, INPUTS), 'float32'), y: tf.tensor(targets, [B, LENGTH], 'int32') };
}

const optimizer = tf.train.adam(0.05);
for (let step = 0; step <= 200; step++) {
  tf.tidy(() => {
    const { x, y } = batch();
    const loss = optimizer.minimize(() => {
      const logProbs = tf.logSoftmax(model(x));
      return tf.neg(tf.mean(tf.sum(tf.mul(logProbs, tf.cast(tf.oneHot(y, SYMBOLS), 'float32')), 2)));
    }, true);
    if (step % 50 === 0) console.log(`step ${step}  loss ${loss.dataSync()[0].toFixed(4)}`);
  });
}

tf.tidy(() => {
  const { x, y } = batch();
  const right = tf.equal(tf.argMax(model(x), 2), y).dataSync();
  console.log(`symbols right: ${right.reduce((sum, x) => sum + x, 0)} of ${right.length}`);
});
engine.destroy();
