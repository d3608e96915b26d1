import type { StateName } from '../../src/base/cells.ts';
import type { Block, Layout } from '../../src/layout/layout.ts';

/** The state from step to step: h, and c where there is one, of every layer. */
export interface State {
  state: StateName;
  layer: number;
  /** Its tensor, and that of its gradient. */
  name: string;
  gradient: string;
  /** Where it is trained: its values before the first step. */
  first: Block | undefined;
  /** Whether it begins as (1, 0, 0 …) where it is not trained. */
  oneHot: boolean;
}

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

/** States that reach the step after past all matrices: all but h. */
export const carriedOf = ({ states }: Layout): StateName[] => states.filter(state => state !== 'h');
