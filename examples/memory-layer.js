/**
 * A stack as a layer of your own model. The model has a push strength and a pop strength for each time step. It learns them
 * by gradient descent: push three values, then pop them, so that they are read in reverse.
 *
 * This layer takes the strengths and values of all time steps at once, so they cannot depend on what is read. If they must,
 * use the memory step by step, as in examples/own-controller.js, or use a Trainer.
 *
 *   node examples/memory-layer.js
 */
import { Rng } from 'pushdown';
import { openEngine } from 'pushdown/node';

const [B, T, M] = [16, 5, 4]; // sequences, time steps, numbers in a value
const WRITTEN = 3;
const RATE = 0.3;

const engine = await openEngine();
const stack = await engine.memory({ kind: 'stack', B, T, M });

const rng = new Rng(0);
const value = new Float32Array(B * T * M); // [B,T,M]: zeros after the first three steps
const target = new Float32Array(B * T * M); // the reads of steps 3 to 5: third, second, first value
for (let b = 0; b < B; b++) {
  for (let t = 0; t < WRITTEN; t++) {
    for (let m = 0; m < M; m++) {
      const number = 2 * rng.uniform() - 1;
      value[(b * T + t) * M + m] = number;
      target[(b * T + T - 1 - t) * M + m] = number;
    }
  }
}

const sigmoid = x => 1 / (1 + Math.exp(-x));
// The model's parameters. Strengths start small: a strong push hides the values below it, and hidden values get no gradient.
const pushLogits = new Float32Array(T).fill(-2);
const popLogits = new Float32Array(T).fill(-3);
/** The strengths of all sequences, [B,T]: the same for each. */
const strengthsOf = logits => Float32Array.from({ length: B * T }, (_, i) => sigmoid(logits[i % T]));

/** Updates the logits by gradient descent, given the gradient of the strengths [B,T]. */
function update(logits, dStrengths) {
  for (const [i, gradient] of dStrengths.entries()) {
    const strength = sigmoid(logits[i % T]);
    logits[i % T] -= RATE * gradient * strength * (1 - strength);
  }
}

for (let step = 0; step <= 300; step++) {
  const read = await stack.forward(strengthsOf(pushLogits), strengthsOf(popLogits), value);
  // The loss is half the squared error of the last three reads. Its gradient is the error. Printed: the mean over the sequences.
  const error = read.map((x, i) => (Math.floor(i / M) % T < T - WRITTEN ? 0 : x - target[i]));
  const loss = error.reduce((sum, e) => sum + (e * e) / 2, 0) / B;
  if (step % 100 === 0) console.log(`step ${step}  loss ${loss.toFixed(4)}`);
  const { dPush, dPop } = await stack.backward(error);
  update(pushLogits, dPush);
  update(popLogits, dPop);
}

const shown = logits => [...logits].map(x => sigmoid(x).toFixed(2)).join(' ');
console.log(`push ${shown(pushLogits)}`);
console.log(`pop  ${shown(popLogits)}`);
engine.destroy();
