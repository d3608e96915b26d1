import {
  type GradientJob,
  type GradientTiling,
  gradientTiles,
  tileGroups,
} from '../../shaders/gradients.wgsl.ts';
import type { Operand } from '../../shaders/linear.wgsl.ts';
import { split } from '../gpu/device.ts';
import { type Launch, type Launcher, read, write } from './launch.ts';
import type { Block, Layout } from './layout.ts';

/** The gradient of every matrix as a product of activations and gradients over all rows, in one dispatch. */
export function weightGradients(
  launcher: Launcher,
  layout: Layout,
  batch: string,
  tiling: GradientTiling,
): Promise<Launch> {
  const jobs = jobsOf(layout);
  const { size4 } = layout;
  return launcher.launch(
    'weight gradients',
    gradientTiles(batch, jobs, tiling, size4),
    [read('batch'), read('acts'), read('grads'), write('partial')],
    ({ parts }) => split(tileGroups(jobs, tiling) * parts),
  );
}

/** Parts that the rows are best divided into: enough to fill the device. Every part is a gradient's worth of sums to add. */
export function partsFor(
  layout: Layout,
  { invocations, ...tiling }: GradientTiling & { invocations: number },
): number {
  return Math.ceil(invocations / (tileGroups(jobsOf(layout), tiling) * tiling.size));
}

function jobsOf({ spec, layers, blocks, gates, E, H4, P4, R4, S4, O4, V4, D4 }: Layout): GradientJob[] {
  const operand = (field: string, width4: number, skip: 0 | 1 = 0, from = 0): Operand => ({
    field,
    width4,
    skip,
    from,
  });
  const job = (block: Block, a: GradientJob['a'], b: Operand, perStep = true): GradientJob => ({
    block,
    a,
    b,
    perStep,
  });
  const hOf = (l: number, skip: 0 | 1) => operand(`h${l}`, H4, skip);
  const h = hOf(spec.layers - 1, 1);
  const op = spec.deeper ? operand('op', P4) : h;
  const jobs: GradientJob[] = [];
  layers.forEach(({ Wx, Wy, Wh, Wr, b, h0, c0 }, l) => {
    const dA = operand(`dA${l}`, gates.all * H4);
    jobs.push(job(Wx, 'inputs', dA), job(b, 'ones', dA));
    if (Wy) jobs.push(job(Wy, hOf(l - 1, 1), dA));
    if (Wh) jobs.push(job(Wh, hOf(l, 0), { ...dA, from: gates.hFrom * H4 }));
    if (Wr) jobs.push(job(Wr, operand('r', R4), dA));
    if (h0) jobs.push(job(h0, 'ones', operand(`dH${l}`, H4), false));
    if (c0) jobs.push(job(c0, 'ones', operand(`dC${l}`, H4), false));
  });
  if (E) jobs.push(job(blocks.S, op, operand('dS', S4)), job(blocks.bS, 'ones', operand('dS', S4)));
  const dTop = spec.readout ? operand('dQ', O4) : operand('dY', V4);
  jobs.push(job(blocks.Wo, op, dTop), job(blocks.bo, 'ones', dTop));
  if (spec.readout) {
    jobs.push(job(blocks.Ws, operand('o', O4), operand('dY', V4)));
    jobs.push(job(blocks.bs, 'ones', operand('dY', V4)));
  }
  if (spec.deeper) {
    jobs.push(job(blocks.Whp, h, operand('dP', P4)), job(blocks.bp, 'ones', operand('dP', P4)));
  }
  if (spec.autoencoder) {
    jobs.push(job(blocks.Whx, h, operand('dXh', D4)), job(blocks.Wpx, op, operand('dXp', D4)));
  }
  return jobs;
}
