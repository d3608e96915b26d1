import { cellOf, type GateLayout, type StateName } from '../base/cells.ts';
import { ceilTo } from '../base/dims.ts';
import { controlCount, controlStride, endsOfModel, readsOfModel } from '../base/memories.ts';
import { headInputWidth, type ModelSpec } from '../base/parameters.ts';

/**
 * The sizes of a model for the fast engines. Rows are padded to multiples of 4 floats, so that kernels can load vec4s.
 */
export interface Sizes {
  spec: ModelSpec;
  /** E, number of ends of all memories; Q, number of rows read from them per step. */
  E: number;
  Q: number;
  /**
   * Sizes in vec4s: h, o', a row of a memory, all values, all reads, the heads' row s, o of a readout, outputs, inputs.
   */
  H4: number;
  P4: number;
  M4: number;
  N4: number;
  R4: number;
  S4: number;
  O4: number;
  V4: number;
  D4: number;
  /** Gates and states of the controller's cell. */
  gates: GateLayout;
  states: readonly StateName[];
  /** C, number of controls per end; and the distance between the controls of consecutive ends, in floats. */
  C: number;
  stride: number;
}

/** Number of vec4s that hold n floats. */
export const in4 = (n: number): number => ceilTo(n, 4) / 4;

/** The sizes of a model. `gates` and `states` are those of its controller; S4 is 0 without a memory. */
export function sizesOf(spec: ModelSpec): Sizes {
  const { inputs: D, hidden: H, width: M, outputs: V } = spec;
  const E = endsOfModel(spec);
  const [H4, P4, M4, O4, V4, D4] = [H, headInputWidth(spec), M, spec.readout, V, D].map(in4);
  const Q = readsOfModel(spec);
  const N4 = E * M4;
  const R4 = Q * M4;
  const C = controlCount(spec.memory);
  const stride = controlStride(spec.memory);
  const S4 = E ? N4 + in4(stride * E) : 0;
  const { layout: gates, states } = cellOf(spec);
  return { spec, E, Q, C, stride, H4, P4, M4, N4, R4, S4, O4, V4, D4, gates, states };
}
