import type { BatchForm } from '../../shaders/lib/batch.wgsl.ts';
import type { Layout } from './layout.ts';

/** Sizes of a tensor in vec4s per row, and the rows it has: one a step ([T,B]), those and a starting state, or [B]. */
export interface TensorForm {
  name: string;
  width4: number;
  rows: 'steps' | 'steps and start' | 'batch';
}

/**
 * The activations and gradients of a model, in the two arenas. Layer l has its number in the name.
 *
 *   acts   h, c [T+1,B] states, the first B rows being those before the first step; g what its gates gave; r reads;
 *          op o'; s heads; o readout; y outputs; xh, xp what the auto-encoder heads recall
 *   grads  dA, dP, dS, dQ, dY, dXh, dXp of what goes into each tanh, σ and softmax; dOp of o' from the outputs; dHx of
 *          h from the auto-encoder; dH, dC of the starting state (and of c on the way back); dD of h past the matrices of
 *          a GRU; dR of the reads of one step
 */
export function tensorsOf(layout: Layout): Record<'acts' | 'grads', TensorForm[]> {
  const { spec, gates, H4, P4, R4, S4, O4, V4, D4 } = layout;
  const layers = layout.layers.map((_, l) => l);
  const lstm = spec.controller === 'lstm';
  const of = (rows: TensorForm['rows'], sizes: Record<string, number>): TensorForm[] =>
    Object.entries(sizes).map(([name, width4]) => ({ name, width4, rows }));
  const recall = spec.autoencoder ? D4 : 0;
  const deeper = spec.deeper ? P4 : 0;
  return {
    acts: [
      ...layers.flatMap(l => of('steps and start', { [`h${l}`]: H4, ...(lstm && { [`c${l}`]: H4 }) })),
      ...layers.flatMap(l => of('steps', { [`g${l}`]: gates.kept * H4 })),
      ...of('steps and start', { r: R4 }),
      ...of('steps', { op: deeper, s: S4, o: O4, y: V4, xh: recall, xp: recall }),
    ],
    grads: [
      ...layers.flatMap(l => of('steps', { [`dA${l}`]: gates.all * H4 })),
      ...of('steps', {
        dP: deeper,
        dS: S4,
        dOp: P4,
        dHx: spec.autoencoder ? H4 : 0,
        dQ: O4,
        dY: V4,
        dXh: recall,
        dXp: recall,
      }),
      ...layers.flatMap(l =>
        of('batch', { [`dH${l}`]: H4, [`dC${l}`]: H4, [`dD${l}`]: spec.controller === 'gru' ? H4 : 0 }),
      ),
      ...of('batch', { dR: R4 }),
    ],
  };
}

/** What a kernel must know to read the batches of a model. */
export function batchFormOf(layout: Layout): BatchForm {
  const { acts, grads } = tensorsOf(layout);
  return { tensors: [...acts, ...grads].map(({ name }) => name), ends: layout.E };
}
