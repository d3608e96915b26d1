import type { Sizes } from './sizes.ts';

/** A tensor of a model's activations or gradients. */
export interface TensorSpec {
  name: string;
  arena: 'acts' | 'grads';
  /** vec4s per row. */
  width4: number;
  /**
   * Rows: [T,B], one per time step and sequence; [T+1,B], the same preceded by the starting state; or [B], one per
   * sequence.
   */
  rows: 'steps' | 'steps and start' | 'batch';
}

/**
 * The activations and gradients of a model. The names of a layer's tensors end with the number of the layer.
 *
 *   acts   h, c [T+1,B]: states (the first B rows are the starting state); g: gates kept for the backward pass;
 *          r [T+1,B]: reads; op: o'; s: heads; o: readout; y: outputs; xh, xp: outputs of the auto-encoder heads
 *   grads  gradients of pre-activations: of a layer (dA), projection (dP), heads (dS), readout (dQ), outputs (dY) and
 *          auto-encoder heads (dXh, dXp); dOp: of o' itself, through the outputs (on the CPU engine also the heads);
 *          dHx: of h from the auto-encoder; dH, dC: of the starting state (during the backward pass, dC: of c_t);
 *          dD: the part of dh that bypasses the matrices of a GRU; dR: of the reads of one step
 */
export function tensorsOf({ spec, gates, states, H4, P4, R4, S4, O4, V4, D4 }: Sizes): TensorSpec[] {
  const layers = Array.from({ length: spec.layers }, (_, l) => l);
  const form = (
    arena: TensorSpec['arena'],
    rows: TensorSpec['rows'],
    sizes: Record<string, number>,
  ): TensorSpec[] => Object.entries(sizes).map(([name, width4]) => ({ name, arena, width4, rows }));
  const reconstruction = spec.autoencoder ? D4 : 0;
  const projection = spec.projection ? P4 : 0;
  return [
    ...layers.flatMap(l =>
      form('acts', 'steps and start', Object.fromEntries(states.map(state => [`${state}${l}`, H4]))),
    ),
    ...layers.flatMap(l => form('acts', 'steps', { [`g${l}`]: gates.kept * H4 })),
    ...form('acts', 'steps and start', { r: R4 }),
    ...form('acts', 'steps', { op: projection, s: S4, o: O4, y: V4, xh: reconstruction, xp: reconstruction }),
    ...layers.flatMap(l => form('grads', 'steps', { [`dA${l}`]: gates.all * H4 })),
    ...form('grads', 'steps', {
      dP: projection,
      dS: S4,
      dOp: P4,
      dHx: spec.autoencoder ? H4 : 0,
      dQ: O4,
      dY: V4,
      dXh: reconstruction,
      dXp: reconstruction,
    }),
    ...layers.flatMap(l =>
      form('grads', 'batch', {
        [`dH${l}`]: H4,
        [`dC${l}`]: H4,
        [`dD${l}`]: gates.direct ? H4 : 0,
      }),
    ),
    ...form('grads', 'batch', { dR: R4 }),
  ];
}

/** A range of a tensor that a kernel reads or writes, made by operand(). */
export interface Operand {
  /** Name of the tensor. */
  field: string;
  arena: TensorSpec['arena'];
  /** vec4s per row. */
  width4: number;
  /** 1: skip the B rows of the starting state at the beginning of h, c and r. */
  skip: 0 | 1;
  /** Number of vec4 columns to skip. */
  from: number;
}

/**
 * Returns a tensor by name, or the part of it that `skip` and `from` leave.
 *
 *   operand(layout, 'dS')                  // all rows of dS
 *   operand(layout, 'h0', { skip: 1 })     // h of layer 0 after every step
 *
 * @throws Error for an unknown name, which is a bug in the caller
 */
export function operand(
  { tensors }: { tensors: readonly TensorSpec[] },
  field: string,
  { skip = 0, from = 0 }: { skip?: 0 | 1; from?: number } = {},
): Operand {
  const tensor = tensors.find(({ name }) => name === field);
  if (!tensor)
    throw new Error(`the layout has no tensor ${field}: it has ${tensors.map(t => t.name).join(', ')}.`);
  return { field, arena: tensor.arena, width4: tensor.width4, skip, from };
}
