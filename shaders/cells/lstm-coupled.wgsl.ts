import type { CellCode } from './cell.wgsl.ts';

/** Gates (i, g, o), kept for the backward pass as kept0, kept1, kept2. The forget gate is 1 − i. */
export const coupledLstm: CellCode = {
  forward: ({ a, before, tanh, sigmoid }) => `let kept0 = ${sigmoid}(${a(0)});
    let kept1 = ${tanh}(${a(1)});
    let kept2 = ${sigmoid}(${a(2)});
    let cNext = (1.0 - kept0) * ${before('c')} + kept0 * kept1;
    let hNext = kept2 * ${tanh}(cNext);`,
  backward: ({ d, kept, now, before, tanh }) => `let gi = ${kept(0)};
    let gg = ${kept(1)};
    let go = ${kept(2)};
    let tc = ${tanh}(${now('c')});
    let dcNow = ${d('c')} + ${d('h')} * go * (1.0 - tc * tc);
    let da0 = dcNow * (gg - ${before('c')}) * gi * (1.0 - gi);
    let da1 = dcNow * gi * (1.0 - gg * gg);
    let da2 = ${d('h')} * tc * go * (1.0 - go);
    let dcBefore = dcNow * (1.0 - gi);`,
};
