import type { StateName } from '../../src/base/cells.ts';
import type { Block, Layout } from '../../src/layout/layout.ts';

/** A state carried from step to step: h of a layer, or c if the cell has one. */
export interface State {
  state: StateName;
  layer: number;
  /** Names of its tensor and of the tensor of its gradient. */
  name: string;
  gradient: string;
  /** Its value before the first step as a block of parameters, if it is trained. */
  first: Block | undefined;
  /** Whether it starts as (1, 0, 0 …) when it is not trained. */
  oneHot: boolean;
}

/** All states of a model: those of layer 0, then of layer 1 … */
export const statesOf = ({ spec, layers, states }: Layout): State[] =>
  layers.flatMap((layer, l) =>
    states.map(state => ({
      state,
      layer: l,
      name: `${state}${l}`,
      gradient: `d${state.toUpperCase()}${l}`,
      first: layer[`${state}0`],
      oneHot: spec.start === 'one-hot' && state === 'h' && l === 0,
    })),
  );

/**
 * The states besides h (c of an LSTM). They enter the next step only elementwise, not through a matrix. (In a GRU h
 * also enters it elementwise, in the term z·h: see `direct` in src/base/cells.ts.)
 */
export const statesBesidesH = ({ states }: Layout): StateName[] => states.filter(state => state !== 'h');
