import type { Controller } from '../base/cells.ts';
import type { Kernels } from './wasm.ts';

/**
 * The kernels of a controller's cell. They have the same signature for all cells: see src/simd/assembly/cells/rnn.ts.
 */
interface CellKernels {
  forward: (kernels: Kernels) => Kernels['rnnForward'];
  backward: (kernels: Kernels) => Kernels['rnnBackward'];
}

export const CELL_KERNELS: Record<Controller, CellKernels> = {
  rnn: { forward: k => k.rnnForward, backward: k => k.rnnBackward },
  feedforward: { forward: k => k.rnnForward, backward: k => k.rnnBackward },
  lstm: { forward: k => k.lstmForward, backward: k => k.lstmBackward },
  'lstm-coupled': { forward: k => k.coupledForward, backward: k => k.coupledBackward },
  gru: { forward: k => k.gruForward, backward: k => k.gruBackward },
};
