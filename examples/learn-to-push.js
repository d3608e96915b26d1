/**
 * Gradient descent learns when to push and when to pop. Like examples/learn-to-pop.js, but the six push strengths are trained too.
 *
 *   node examples/learn-to-push.js        all pushes start at 0.1
 *   node examples/learn-to-push.js 0.5    another start
 */
import { openEngine } from 'pushdown/node';

const START = Number(process.argv[2] ?? 0.1);
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
const push = new Float32Array(T).fill(START);
const pop = new Float32Array(T).fill(0.01); // not 0: a pop of 0 has no gradient and would never change

const shown = strengths => [...strengths].map(x => x.toFixed(2)).join(' ');
function descend(strengths, gradient) {
  for (let t = 0; t < T; t++) strengths[t] = Math.max(0, strengths[t] - RATE * gradient[t]);
}

for (let step = 0; step <= 100; step++) {
  const read = await stack.forward(push, pop, value);
  // The loss is half the squared error of the last three reads. Its gradient with respect to a read is the error.
  const dRead = read.map((r, i) => (i < VALUES * M ? 0 : r - target[i]));
  if ([0, 10, 20, 30, 50, 100].includes(step)) {
    const loss = dRead.reduce((sum, error) => sum + (error * error) / 2, 0);
    console.log(
      `step ${String(step).padEnd(3)}  loss ${loss.toFixed(4)}  push ${shown(push)}  pop ${shown(pop)}`,
    );
  }
  const { dPush, dPop } = await stack.backward(dRead);
  descend(push, dPush);
  descend(pop, dPop);
}
engine.destroy();
