import type { CellCode } from './cell.wgsl.ts';

/** Blocks: n without the part from h; z; r; the part of n from h. */
export const gru: CellCode = {
  forward: ({ a, before, tanh, sigmoid }) => `let kept1 = ${sigmoid}(${a(1)});
    let kept2 = ${sigmoid}(${a(2)});
    let kept3 = ${a(3)};
    let kept0 = ${tanh}(${a(0)} + kept2 * kept3);
    let hNext = (1.0 - kept1) * kept0 + kept1 * ${before('h')};`,
  backward: ({ d, kept, before }) => `let gn = ${kept(0)};
    let gz = ${kept(1)};
    let gr = ${kept(2)};
    let da0 = ${d('h')} * (1.0 - gz) * (1.0 - gn * gn);
    let da1 = ${d('h')} * (${before('h')} - gn) * gz * (1.0 - gz);
    let da2 = da0 * ${kept(3)} * gr * (1.0 - gr);
    let da3 = da0 * gr;
    let dhDirect = ${d('h')} * gz;`,
};
