import type { Controller } from '../../src/base/cells.ts';
import type { CellCode } from './cell.wgsl.ts';
import { gru } from './gru.wgsl.ts';
import { lstm } from './lstm.wgsl.ts';
import { coupledLstm } from './lstm-coupled.wgsl.ts';
import { rnn } from './rnn.wgsl.ts';

/** The cells of all controllers. */
export const CELL_CODE: Record<Controller, CellCode> = {
  rnn,
  lstm,
  'lstm-coupled': coupledLstm,
  gru,
  feedforward: rnn,
};
