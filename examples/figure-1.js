/**
 * The paper's Figure 1a: three values are pushed and popped with strengths between 0 and 1. The values are the rows of the
 * identity matrix, so that a read shows how much of each value it has.
 *
 *   node examples/figure-1.js
 */
import { openEngine } from 'pushdown/node';

const [T, M] = [3, 3]; // time steps, numbers in a value
const engine = await openEngine('cpu');
const stack = await engine.memory({ kind: 'stack', B: 1, T, M });

const push = Float32Array.of(0.8, 0.5, 0.9); // d_1, d_2, d_3
const pop = Float32Array.of(0, 0.1, 0.9); // u_1, u_2, u_3
const value = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1); // v_1, v_2, v_3
const read = await stack.forward(push, pop, value);
const [strengths] = await stack.strengths(); // of the first and only sequence: after each step, oldest row first

const shown = numbers => [...numbers].map(x => x.toFixed(1)).join(' ');
for (let t = 0; t < T; t++) {
  const after = shown(strengths[t]).padEnd(T * 4 - 1);
  console.log(`step ${t + 1}  strengths ${after}  read ${shown(read.subarray(t * M, (t + 1) * M))}`);
}

// The backward pass takes the gradient of a loss with respect to the reads. Here the loss is Σ_t t · r_t · (1, 2, 3).
const dRead = Float32Array.of(1, 2, 3, 2, 4, 6, 3, 6, 9);
const { dPush, dPop, dValue } = await stack.backward(dRead);
console.log(`gradients: push ${shown(dPush)}  pop ${shown(dPop)}`);
for (let t = 0; t < T; t++) {
  console.log(`gradient of value ${t + 1}: ${shown(dValue.subarray(t * M, (t + 1) * M))}`);
}
engine.destroy();
