import {
  type GradientJob,
  type GradientTiling,
  gradientTiles,
  tileGroups,
} from '../../../shaders/gradients.wgsl.ts';
import { split } from '../../gpu/device.ts';
import type { Block, Layout } from '../../layout/layout.ts';
import { type Operand, operand } from '../../layout/tensors.ts';
import { type Launch, read, write } from '../launch.ts';
import type { PlanContext } from './passes.ts';

/** Maximum number of parts into which the B·T rows of activations are split. */
export const TILE_PARTS = 8;

/** The gradient of every parameter as a product of activations and gradients over all rows, in one dispatch. */
export function weightGradients({ profile, layout, batch }: PlanContext): Launch {
  const jobs = jobsOf(layout);
  const tiling: GradientTiling = profile.tuning.gradients;
  return {
    label: 'weight gradients',
    code: gradientTiles(batch, jobs, tiling, layout.size4),
    buffers: [read('batch'), read('acts'), read('grads'), write('partial')],
    groups: ({ rowSplits }) => split(tileGroups(jobs, tiling) * rowSplits),
  };
}

/**
 * Number of parts into which the rows are split: just enough to fill the device, because every part is one more
 * gradient of full size to sum.
 */
export function rowSplitsOf({ profile, layout }: PlanContext): (B: number, T: number) => number {
  const { invocations, ...tiling } = profile.tuning.gradients;
  const enough = Math.ceil(invocations / (tileGroups(jobsOf(layout), tiling) * tiling.size));
  return (B, T) => Math.min(TILE_PARTS, enough, Math.ceil((B * T) / 64));
}

/** The factors of the gradients of all matrices, biases and trained initial states. */
function jobsOf(layout: Layout): GradientJob[] {
  const { spec, layers, blocks, gates, E, H4 } = layout;
  const tensor = (field: string): Operand => operand(layout, field);
  const job = (block: Block, a: GradientJob['a'], b: Operand, perStep = true): GradientJob => ({
    block,
    a,
    b,
    perStep,
  });
  const after = (l: number): Operand => operand(layout, `h${l}`, { skip: 1 });
  const h = after(spec.layers - 1);
  const op = spec.projection ? tensor('op') : h;
  const jobs: GradientJob[] = [];
  layers.forEach(({ Wx, Wy, Wh, Wr, b, h0, c0 }, l) => {
    const dA = tensor(`dA${l}`);
    jobs.push(job(Wx, 'inputs', dA), job(b, 'ones', dA));
    if (Wy) jobs.push(job(Wy, after(l - 1), dA));
    if (Wh) jobs.push(job(Wh, tensor(`h${l}`), operand(layout, `dA${l}`, { from: gates.hFrom * H4 })));
    if (Wr) jobs.push(job(Wr, tensor('r'), dA));
    if (h0) jobs.push(job(h0, 'ones', tensor(`dH${l}`), false));
    if (c0) jobs.push(job(c0, 'ones', tensor(`dC${l}`), false));
  });
  if (E) jobs.push(job(blocks.S, op, tensor('dS')), job(blocks.bS, 'ones', tensor('dS')));
  const dOut = tensor(spec.readout ? 'dQ' : 'dY');
  jobs.push(job(blocks.Wo, op, dOut), job(blocks.bo, 'ones', dOut));
  if (spec.readout)
    jobs.push(job(blocks.Ws, tensor('o'), tensor('dY')), job(blocks.bs, 'ones', tensor('dY')));
  if (spec.projection) jobs.push(job(blocks.Whp, h, tensor('dP')), job(blocks.bp, 'ones', tensor('dP')));
  if (spec.autoencoder) jobs.push(job(blocks.Whx, h, tensor('dXh')), job(blocks.Wpx, op, tensor('dXp')));
  return jobs;
}
