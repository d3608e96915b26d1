import type { TrainConfig } from '../base/config.ts';
import type { Tensors } from '../base/parameters.ts';

/** Clipping and update rules. The functions keep no state: they change their arguments in place. */

/** w ← w − rate·dw. All [N]. */
export function sgd(w: Float64Array, dw: Float64Array, rate: number): void {
  for (let n = 0; n < w.length; n++) w[n] -= rate * dw[n];
}

/**
 * s ← β₂·s + (1 − β₂)·dw²,  w ← w − rate·dw / (√s + ε). All [N]. (Tieleman & Hinton 2012.)
 * Not centred, no momentum. The paper states neither the decay β₂ nor ε.
 */
export function rmsprop(
  w: Float64Array,
  dw: Float64Array,
  secondMoment: Float64Array,
  { rate, beta2, epsilon }: Pick<TrainConfig, 'rate' | 'beta2' | 'epsilon'>,
): void {
  for (let n = 0; n < w.length; n++) {
    secondMoment[n] = beta2 * secondMoment[n] + (1 - beta2) * dw[n] * dw[n];
    w[n] -= (rate * dw[n]) / (Math.sqrt(secondMoment[n]) + epsilon);
  }
}

/**
 * m ← β₁·m + (1 − β₁)·dw,  s ← β₂·s + (1 − β₂)·dw²,  m̂ = m / (1 − β₁ᵗ),  ŝ = s / (1 − β₂ᵗ),
 * w ← w − rate·m̂ / (√ŝ + ε). All [N]; t = 1 at the first step. (Kingma & Ba 2015, algorithm 1.)
 */
export function adam(
  w: Float64Array,
  dw: Float64Array,
  firstMoment: Float64Array,
  secondMoment: Float64Array,
  t: number,
  { rate, beta1, beta2, epsilon }: Pick<TrainConfig, 'rate' | 'beta1' | 'beta2' | 'epsilon'>,
): void {
  const firstBias = 1 - beta1 ** t;
  const secondBias = 1 - beta2 ** t;
  for (let n = 0; n < w.length; n++) {
    firstMoment[n] = beta1 * firstMoment[n] + (1 - beta1) * dw[n];
    secondMoment[n] = beta2 * secondMoment[n] + (1 - beta2) * dw[n] * dw[n];
    w[n] -= (rate * (firstMoment[n] / firstBias)) / (Math.sqrt(secondMoment[n] / secondBias) + epsilon);
  }
}

/**
 * w ← w − rate·weightDecay·w, before the step and separate from it: the decay does not enter Adam's moments (Loshchilov
 * & Hutter 2019, algorithm 2). All [N].
 */
export function decay(
  w: Float64Array,
  { rate, weightDecay }: Pick<TrainConfig, 'rate' | 'weightDecay'>,
): void {
  for (let n = 0; n < w.length; n++) w[n] -= rate * weightDecay * w[n];
}

/** Whether a tensor decays: weight decay applies to matrices only, not to biases and initial states. */
const decays = (name: string): boolean => name.startsWith('W_');

/** √Σ dw² over all tensors. NaN or infinite if any gradient is, or if the sum overflows. */
export function globalNorm(gradients: Tensors): number {
  let sum = 0;
  for (const dw of gradients.values()) for (const x of dw) sum += x * x;
  return Math.sqrt(sum);
}

/** dw ← dw·min(1, clipAt / norm), where norm is the global norm. */
export function clipByNorm(gradients: Tensors, norm: number, clipAt: number): void {
  const scale = Math.min(1, clipAt / norm);
  if (scale === 1) return;
  for (const dw of gradients.values()) for (let n = 0; n < dw.length; n++) dw[n] *= scale;
}

/** dw ← min(clipAt, max(−clipAt, dw)), element by element. */
export function clipByValue(gradients: Tensors, clipAt: number): void {
  for (const dw of gradients.values()) {
    for (let n = 0; n < dw.length; n++) dw[n] = Math.min(clipAt, Math.max(-clipAt, dw[n]));
  }
}

/**
 * The state that an update changes. Moments are present only if the optimiser has them (MOMENTS in base/config.ts).
 */
export interface OptimiserState {
  /** Number of steps done before this one. */
  step: number;
  /** Step at which these weights were initialised (default 0). */
  initialisedAt?: number;
  parameters: Tensors;
  firstMoment: Tensors;
  secondMoment: Tensors;
}

/**
 * The configuration with the learning rate of the step that is `age` steps after the weights were initialised: the
 * constant rate for rateHold steps, then rate·2^(−(age − rateHold) / rateHalfLife). If the half-life is 0, the rate is
 * constant.
 */
function withRateAt(train: TrainConfig, age: number): TrainConfig {
  if (train.rateHalfLife === 0 || age <= train.rateHold) return train;
  return { ...train, rate: train.rate * 0.5 ** ((age - train.rateHold) / train.rateHalfLife) };
}

/** Push biases stop growing here: σ(30) is 1 in float32. */
const GROWTH_LIMIT = 30;

/**
 * One update of all parameters: clip, step, then the growth of every push bias, b_d ← b_d·(1 + pushBiasGrowth).
 * Changes the tensors of `state` and `gradients` in place, but not state.step. `norm` is globalNorm(gradients).
 */
export function update(train: TrainConfig, state: OptimiserState, gradients: Tensors, norm: number): void {
  if (train.clip === 'norm') clipByNorm(gradients, norm, train.clipAt);
  else if (train.clip === 'value') clipByValue(gradients, train.clipAt);
  const age = state.step - (state.initialisedAt ?? 0);
  const now = withRateAt(train, age);
  for (const [name, w] of state.parameters) {
    const dw = gradients.get(name)!;
    if (train.optimiser === 'sgd') sgd(w, dw, now.rate);
    else if (train.optimiser === 'rmsprop') rmsprop(w, dw, state.secondMoment.get(name)!, now);
    else {
      if (train.optimiser === 'adamw' && decays(name)) decay(w, now);
      adam(w, dw, state.firstMoment.get(name)!, state.secondMoment.get(name)!, age + 1, now);
    }
  }
  // The growth is exponential. Without a limit the biases would overflow.
  const push = state.parameters.get('b_d');
  if (!push || train.pushBiasGrowth === 0) return;
  for (let e = 0; e < push.length; e++)
    if (Math.abs(push[e]) < GROWTH_LIMIT) push[e] *= 1 + train.pushBiasGrowth;
}
