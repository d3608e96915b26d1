/**
 * The controller of the tutorial's part 6, written out: the weights of a trained model, plain arrays, and the stack step by step.
 * It computes what `npx pushdown trace gallery/tutorial-part6 "a b b a b"` shows.
 *
 *   node examples/controller-by-hand.js
 */
import { readFile } from 'node:fs/promises';
import { decodeCheckpoint } from 'pushdown';
import { openEngine } from 'pushdown/node';

const file = new URL('../gallery/tutorial-part6.safetensors', import.meta.url);
const { config, state } = decodeCheckpoint(await readFile(file));
const { hidden: H, width: M } = config.model;
const weights = name => state.parameters.get(name);

/** Σ x·W + b, for a bias and pairs of an input and its weights W [inputs, outputs]. */
function affine(bias, ...pairs) {
  const sums = [...weights(bias)];
  for (const [x, name] of pairs) {
    const W = weights(name);
    for (let i = 0; i < x.length; i++) {
      for (let j = 0; j < sums.length; j++) sums[j] += x[i] * W[i * sums.length + j];
    }
  }
  return sums;
}
const sigmoid = x => 1 / (1 + Math.exp(-x));

const SYMBOLS = ['decode', 'encode', 'a', 'b']; // inputs and outputs are the same symbols
const source = ['a', 'b', 'b', 'a', 'b'];
const inputs = [...source.map(symbol => ['encode', symbol]), ...source.map(() => ['decode'])];

const engine = await openEngine('cpu');
const stack = await engine.memory({ kind: 'stack', B: 1, T: inputs.length, M });
let h = new Array(H).fill(0); // the state of the RNN
let r = new Array(M).fill(0); // what the stack returned at the previous step
for (const input of inputs) {
  const x = SYMBOLS.map(name => (input.includes(name) ? 1 : 0));
  h = affine('b_h', [x, 'W_xh'], [h, 'W_hh'], [r, 'W_rh']).map(Math.tanh);
  const o1 = affine('b_p', [h, 'W_hp']).map(Math.tanh); // o', from which all heads are computed
  const [push] = affine('b_d', [o1, 'W_d']).map(sigmoid);
  const [pop] = affine('b_u', [o1, 'W_u']).map(sigmoid);
  const value = affine('b_v', [o1, 'W_v']).map(Math.tanh);
  const output = affine('b_o', [o1, 'W_o']).map(sigmoid);
  r = await stack.step(Float32Array.of(push), Float32Array.of(pop), Float32Array.from(value));

  const best = output.indexOf(Math.max(...output));
  const answer = input.includes('decode') ? `→ ${SYMBOLS[best]} ${output[best].toFixed(2)}` : '';
  console.log(
    `${input.join('+').padEnd(8)}  push ${push.toFixed(2)}  pop ${pop.toFixed(2)}  ${answer}`.trim(),
  );
}
engine.destroy();
