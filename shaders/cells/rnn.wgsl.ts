import type { CellCode } from './cell.wgsl.ts';

/** h = tanh(a): a plain recurrent layer, or a feed-forward one. */
export const rnn: CellCode = {
  forward: ({ a, tanh }) => `let hNext = ${tanh}(${a(0)});`,
  backward: ({ d, now }) => `let hNow = ${now('h')};
    let da0 = ${d('h')} * (1.0 - hNow * hNow);`,
};
