import type { Layout } from '../../src/layout/layout.ts';

type Controller = Layout['spec']['controller'];

/**
 * The cells of the controllers (equations in src/base/parameters.ts), for a number or a vec4 of each gate. Both
 * functions return statements that read names of the shader and declare others, to be put into a block of their own.
 */
export interface CellNames {
  /** Sums of gate g, in the order of src/layout/sizes.ts. */
  a: (gate: number) => string;
  /** h and c of the step before. */
  h: string;
  c: string;
  /** `safeTanh` and `sigmoid`, or those of vec4s. */
  tanh: string;
  sigmoid: string;
}

/** Declares hNext, for an LSTM cNext, and kept0 … kept3 where the backward pass wants them. */
export function cellForward(controller: Controller, o: CellNames): string {
  const { a, h, c, tanh, sigmoid } = o;
  if (controller === 'lstm') {
    return `let kept0 = ${sigmoid}(${a(0)});
    let kept1 = ${sigmoid}(${a(1)});
    let kept2 = ${tanh}(${a(2)});
    let kept3 = ${sigmoid}(${a(3)});
    let cNext = kept1 * ${c} + kept0 * kept2;
    let hNext = kept3 * ${tanh}(cNext);`;
  }
  if (controller === 'lstm-coupled') {
    return `let kept0 = ${sigmoid}(${a(0)});
    let kept1 = ${tanh}(${a(1)});
    let kept2 = ${sigmoid}(${a(2)});
    let cNext = (1.0 - kept0) * ${c} + kept0 * kept1;
    let hNext = kept2 * ${tanh}(cNext);`;
  }
  if (controller === 'gru') {
    return `let kept1 = ${sigmoid}(${a(1)});
    let kept2 = ${sigmoid}(${a(2)});
    let kept3 = ${a(3)};
    let kept0 = ${tanh}(${a(0)} + kept2 * kept3);
    let hNext = (1.0 - kept1) * kept0 + kept1 * ${h};`;
  }
  return `let hNext = ${tanh}(${a(0)});`;
}

export interface CellBackwardNames {
  /** Gradient of h, and for an LSTM that of c from the step after. */
  dh: string;
  dc: string;
  /** Kept activations; h and c of this step, of the step before. */
  kept: (gate: number) => string;
  hNow: string;
  cNow: string;
  h: string;
  c: string;
  tanh: string;
}

/**
 * Declares da0 … of every gate's sum; for an LSTM dcBefore, for a GRU dhDirect: what reaches h of the step before past
 * all matrices.
 */
export function cellBackward(controller: Controller, o: CellBackwardNames): string {
  const { dh, dc, kept, hNow, cNow, h, c, tanh } = o;
  if (controller === 'lstm') {
    return `let gi = ${kept(0)};
    let gf = ${kept(1)};
    let gg = ${kept(2)};
    let go = ${kept(3)};
    let tc = ${tanh}(${cNow});
    let dcNow = ${dc} + ${dh} * go * (1.0 - tc * tc);
    let da0 = dcNow * gg * gi * (1.0 - gi);
    let da1 = dcNow * ${c} * gf * (1.0 - gf);
    let da2 = dcNow * gi * (1.0 - gg * gg);
    let da3 = ${dh} * tc * go * (1.0 - go);
    let dcBefore = dcNow * gf;`;
  }
  if (controller === 'lstm-coupled') {
    return `let gi = ${kept(0)};
    let gg = ${kept(1)};
    let go = ${kept(2)};
    let tc = ${tanh}(${cNow});
    let dcNow = ${dc} + ${dh} * go * (1.0 - tc * tc);
    let da0 = dcNow * (gg - ${c}) * gi * (1.0 - gi);
    let da1 = dcNow * gi * (1.0 - gg * gg);
    let da2 = ${dh} * tc * go * (1.0 - go);
    let dcBefore = dcNow * (1.0 - gi);`;
  }
  if (controller === 'gru') {
    return `let gn = ${kept(0)};
    let gz = ${kept(1)};
    let gr = ${kept(2)};
    let da0 = ${dh} * (1.0 - gz) * (1.0 - gn * gn);
    let da1 = ${dh} * (${h} - gn) * gz * (1.0 - gz);
    let da2 = da0 * ${kept(3)} * gr * (1.0 - gr);
    let da3 = da0 * gr;
    let dhDirect = ${dh} * gz;`;
  }
  return `let hNow = ${hNow};
    let da0 = ${dh} * (1.0 - hNow * hNow);`;
}
