import type { CellCode } from './cell.wgsl.ts';

/** Gates (i, f, g, o). */
export const lstm: CellCode = {
  forward: ({ a, before, tanh, sigmoid }) => `let kept0 = ${sigmoid}(${a(0)});
    let kept1 = ${sigmoid}(${a(1)});
    let kept2 = ${tanh}(${a(2)});
    let kept3 = ${sigmoid}(${a(3)});
    let cNext = kept1 * ${before('c')} + kept0 * kept2;
    let hNext = kept3 * ${tanh}(cNext);`,
  backward: ({ d, kept, now, before, tanh }) => `let gi = ${kept(0)};
    let gf = ${kept(1)};
    let gg = ${kept(2)};
    let go = ${kept(3)};
    let tc = ${tanh}(${now('c')});
    let dcNow = ${d('c')} + ${d('h')} * go * (1.0 - tc * tc);
    let da0 = dcNow * gg * gi * (1.0 - gi);
    let da1 = dcNow * ${before('c')} * gf * (1.0 - gf);
    let da2 = dcNow * gi * (1.0 - gg * gg);
    let da3 = ${d('h')} * tc * go * (1.0 - go);
    let dcBefore = dcNow * gf;`,
};
