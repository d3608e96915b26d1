/**
 * Gradient descent learns when to pop. The pushes are fixed: three values go onto the stack in the first three steps. The last
 * three reads must be the values in reverse. Only the six pop strengths are trained.
 *
 *   node examples/learn-to-pop.js         all pops start at 0.3
 *   node examples/learn-to-pop.js 0.01    another start
 */
import { openEngine } from 'pushdown/node';

const START = Number(process.argv[2] ?? 0.3);
const RATE = 0.1;
const [T, M, VALUES] = [6, 3, 3]; // time steps, numbers in a value, values to reverse
const engine = await openEngine('cpu');
const stack = await engine.memory({ kind: 'stack', B: 1, T, M });

const value = new Float32Array(T * M); // [T,M]: the rows of the identity matrix, then zeros
const target = new Float32Array(T * M); // [T,M]: the same rows in reverse, in the last three steps
for (let i = 0; i < VALUES; i++) {
  value[i * M + i] = 1;
  target[(T - 1 - i) * M + i] = 1;
}
const push = Float32Array.of(1, 1, 1, 0, 0, 0);
const pop = new Float32Array(T).fill(START);

for (let step = 0; step <= 100; step++) {
  const read = await stack.forward(push, pop, value);
  // The loss is half the squared error of the last three reads. Its gradient with respect to a read is the error.
  const dRead = read.map((r, i) => (i < VALUES * M ? 0 : r - target[i]));
  if ([0, 5, 10, 20, 50, 100].includes(step)) {
    const loss = dRead.reduce((sum, error) => sum + (error * error) / 2, 0);
    const pops = [...pop].map(u => u.toFixed(2)).join(' ');
    console.log(`step ${String(step).padEnd(3)}  loss ${loss.toFixed(4)}  pop ${pops}`);
  }
  const { dPop } = await stack.backward(dRead);
  for (let t = 0; t < T; t++) pop[t] = Math.max(0, pop[t] - RATE * dPop[t]); // strengths are never below 0
}
engine.destroy();
