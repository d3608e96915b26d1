import { type ModelSpec, parameters } from '../../src/base/parameters.ts';

/**
 * The number of trained parameters as the paper counts them: without the initial state,
 * the embeddings and the softmax layer on top of o (or of o', without a readout).
 */
export function countLikePaper(spec: ModelSpec): number {
  const excluded = spec.readout ? ['W_e', 'W_s', 'b_s'] : ['W_e', 'W_o', 'b_o'];
  return parameters(spec)
    .filter(({ name }) => !excluded.includes(name) && !/^[hc]_0/.test(name))
    .reduce((sum, { shape }) => sum + shape[0] * shape[1], 0);
}
