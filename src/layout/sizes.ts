import { ceilTo } from '../base/dims.ts';
import { endsOfModel, type ModelSpec, widthOfHeads } from '../base/parameters.ts';

/**
 * The sizes of a model as the fast engines have them: rows are padded to multiples of 4 floats, so that kernels load vec4s.
 */
export interface Sizes {
  spec: ModelSpec;
  /** E, ends of all memories. */
  E: number;
  /** Sizes in vec4s: of h, o', a memory's row, all reads, the heads' row s, o of a readout, outputs, inputs. */
  H4: number;
  P4: number;
  M4: number;
  R4: number;
  S4: number;
  O4: number;
  V4: number;
  D4: number;
  gates: GateLayout;
}

/**
 * The gates of a cell as the device has them, each a block of H4 vec4s of the row a. Inputs, reads and the layer below
 * act on the blocks [0, x), h of the step before on [hFrom, hFrom + h): a GRU's n has its two parts apart, in the
 * order (n without h, z, r, n of h alone).
 */
export interface GateLayout {
  /** Whether layers have a cell c beside h. */
  cell: boolean;
  all: number;
  x: number;
  hFrom: number;
  h: number;
  /** Blocks of the cell's activations that the backward pass wants; 0 where h tells them. */
  kept: number;
}

const GATE_LAYOUTS: Record<ModelSpec['controller'], GateLayout> = {
  rnn: { cell: false, all: 1, x: 1, hFrom: 0, h: 1, kept: 0 },
  feedforward: { cell: false, all: 1, x: 1, hFrom: 0, h: 0, kept: 0 },
  lstm: { cell: true, all: 4, x: 4, hFrom: 0, h: 4, kept: 4 },
  'lstm-coupled': { cell: true, all: 3, x: 3, hFrom: 0, h: 3, kept: 3 },
  gru: { cell: false, all: 4, x: 3, hFrom: 1, h: 3, kept: 4 },
};

/** Numbers as vec4s. */
export const in4 = (n: number): number => ceilTo(n, 4) / 4;

export function sizesOf(spec: ModelSpec): Sizes {
  const { inputs: D, hidden: H, width: M, outputs: V } = spec;
  const E = endsOfModel(spec);
  const [H4, P4, M4, O4, V4, D4] = [H, widthOfHeads(spec), M, spec.readout, V, D].map(in4);
  const R4 = E * M4;
  const S4 = E ? R4 + in4(2 * E) : 0;
  return { spec, E, H4, P4, M4, R4, S4, O4, V4, D4, gates: GATE_LAYOUTS[spec.controller] };
}
