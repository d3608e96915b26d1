import { describe, expect, it } from 'vitest';
import { makeConfig, rateAt, type TrainConfig } from '../../src/base/config.ts';
import {
  adam,
  clipByNorm,
  clipByValue,
  decay,
  globalNorm,
  type OptimiserState,
  rmsprop,
  sgd,
  update,
} from '../../src/reference/optim.ts';

const training = (train: Partial<TrainConfig>): TrainConfig => makeConfig({ train }).train;
const tensors = (x: Record<string, number[]>) =>
  new Map(Object.entries(x).map(([name, values]) => [name, Float64Array.from(values)]));

describe('convergence', () => {
  const OPTIMISERS = {
    sgd: { optimiser: 'sgd', rate: 2e-3, clip: 'norm', clipAt: 10 },
    rmsprop: { optimiser: 'rmsprop', rate: 1e-3, beta2: 0.9, clip: 'none' },
    adam: { optimiser: 'adam', rate: 0.02, clip: 'value', clipAt: 100 },
    adamw: { optimiser: 'adamw', rate: 0.02, weightDecay: 0.5, clip: 'value', clipAt: 100 },
  } as const;
  const TARGETS = {
    parabola: {
      start: [-1, 10, 1],
      best: [1, -1, 1],
      gradient: ([x, y, z]: Float64Array) => [2 * (x - 1), 2 * (y + 1), 2 * (z - 1)],
    },
    // (1 − x)² + 10·(y − x²)²: Rosenbrock's valley, a tenth as steep.
    rosenbrock: {
      start: [-1, 1],
      best: [1, 1],
      gradient: ([x, y]: Float64Array) => [2 * (x - 1) - 40 * x * (y - x * x), 20 * (y - x * x)],
    },
  };
  const cases = Object.keys(OPTIMISERS).flatMap(o => Object.keys(TARGETS).map(t => [o, t]));
  it.each(cases)('%s finds the minimum of the %s', (optimiser, target) => {
    const { start, best, gradient } = TARGETS[target as keyof typeof TARGETS];
    const train = training(OPTIMISERS[optimiser as keyof typeof OPTIMISERS]);
    const zeros = start.map(() => 0);
    const state: OptimiserState = {
      step: 0,
      parameters: tensors({ w: start }),
      firstMoment: tensors({ w: zeros }),
      secondMoment: tensors({ w: zeros }),
    };
    for (; state.step < 20_000; state.step++) {
      const gradients = tensors({ w: gradient(state.parameters.get('w')!) });
      update(train, state, gradients, globalNorm(gradients));
    }
    // At a constant rate RMSProp ends in oscillations whose size is about the rate.
    const near = optimiser === 'rmsprop' ? 2e-3 : 1e-4;
    best.forEach((x, i) => {
      expect(Math.abs(state.parameters.get('w')![i] - x)).toBeLessThan(near);
    });
  });
});

describe('steps by hand', () => {
  const rule = { rate: 0.1, beta1: 0.9, beta2: 0.75, epsilon: 0.5 };

  it('sgd: 1 − 0.1·2 = 0.8', () => {
    const w = Float64Array.of(1);
    sgd(w, Float64Array.of(2), 0.1);
    expect(w[0]).toBe(0.8);
  });

  it('rmsprop: s = ¼·2² = 1, w = 1 − 0.1·2/(1 + ½); then s = ¾·1 + ¼·3² = 3', () => {
    const w = Float64Array.of(1);
    const secondMoment = Float64Array.of(0);
    rmsprop(w, Float64Array.of(2), secondMoment, rule);
    expect(secondMoment[0]).toBe(1);
    expect(w[0]).toBeCloseTo(1 - 0.2 / 1.5, 15);
    rmsprop(w, Float64Array.of(-3), secondMoment, rule);
    expect(secondMoment[0]).toBe(3);
    expect(w[0]).toBeCloseTo(1 - 0.2 / 1.5 + 0.3 / (Math.sqrt(3) + 0.5), 15);
  });

  it('adam: the first step is rate·dw/(|dw| + ε), whatever β1 and β2', () => {
    const w = Float64Array.of(1, 1);
    const [firstMoment, secondMoment] = [new Float64Array(2), new Float64Array(2)];
    adam(w, Float64Array.of(2, -0.5), firstMoment, secondMoment, 1, rule);
    expect(w[0]).toBeCloseTo(1 - (0.1 * 2) / 2.5, 15);
    expect(w[1]).toBeCloseTo(1 + (0.1 * 0.5) / 1, 15);
  });

  it('adam: the second step', () => {
    const w = Float64Array.of(1);
    // The moments after a first step with dw = 2.
    const [firstMoment, secondMoment] = [Float64Array.of(0.2), Float64Array.of(1)];
    adam(w, Float64Array.of(-1), firstMoment, secondMoment, 2, rule);
    // m = 0.18 − 0.1 = 0.08, m̂ = 0.08/0.19; s = 0.75 + 0.25 = 1, ŝ = 1/(1 − 0.5625).
    expect(firstMoment[0]).toBeCloseTo(0.08, 15);
    expect(secondMoment[0]).toBe(1);
    expect(w[0]).toBeCloseTo(1 - (0.1 * (0.08 / 0.19)) / (Math.sqrt(1 / 0.4375) + 0.5), 15);
  });
});

describe('rateHalfLife', () => {
  it.each([
    [0, 0, 0, 0.1],
    [0, 0, 8, 0.1],
    [4, 0, 0, 0.1],
    [4, 0, 2, 0.1 / Math.SQRT2],
    [4, 0, 8, 0.025],
    [0, 3, 8, 0.1],
    [4, 3, 2, 0.1],
    [4, 3, 3, 0.1],
    [4, 3, 11, 0.025],
  ])('half-life %d after a hold of %d steps, at age %d: rate %d', (rateHalfLife, rateHold, age, rate) => {
    const train = training({ optimiser: 'sgd', clip: 'none', rate: 0.1, rateHalfLife, rateHold });
    expect(rateAt(train, age)).toBeCloseTo(rate, 15);
    // The age is counted from the last restart.
    const state = { step: 100 + age, initialisedAt: 100, parameters: tensors({ w: [1] }) };
    update(train, { ...state, firstMoment: new Map(), secondMoment: new Map() }, tensors({ w: [1] }), 1);
    expect(state.parameters.get('w')![0]).toBeCloseTo(1 - rate, 15);
  });
});

describe('adamw', () => {
  const rule = { optimiser: 'adamw', rate: 0.1, weightDecay: 0.5, clip: 'none', epsilon: 0.5 } as const;
  const run = (optimiser: 'adam' | 'adamw') => {
    const values = { W_hh: [1, -2], W_xh_2: [3], b_h: [1], h_0: [1], c_0_2: [1] };
    const none = Object.fromEntries(Object.entries(values).map(([name, x]) => [name, x.map(() => 0)]));
    const state = {
      step: 0,
      parameters: tensors(values),
      firstMoment: tensors(none),
      secondMoment: tensors(none),
    };
    const dw = { W_hh: [2, 0], W_xh_2: [1], b_h: [2], h_0: [1], c_0_2: [-1] };
    update(training({ ...rule, optimiser }), state, tensors(dw), 1);
    return state;
  };

  it('decay: w − 0.1·0.5·w', () => {
    const w = Float64Array.of(1, -2, 0);
    decay(w, rule);
    expect([...w]).toEqual([0.95, -1.9, 0]);
  });

  it('equals Adam plus a decay of the matrices', () => {
    const [plain, decayed] = [run('adam'), run('adamw')];
    expect(decayed.firstMoment).toEqual(plain.firstMoment);
    expect(decayed.secondMoment).toEqual(plain.secondMoment);
    for (const name of ['b_h', 'h_0', 'c_0_2']) {
      expect(decayed.parameters.get(name)).toEqual(plain.parameters.get(name));
    }
    // 1 − 0.05·1 − 0.1·2/(2 + ½); −2 + 0.05·2; 3 − 0.05·3 − 0.1·1/(1 + ½)
    expect(decayed.parameters.get('W_hh')![0]).toBeCloseTo(0.95 - 0.08, 14);
    expect(decayed.parameters.get('W_hh')![1]).toBeCloseTo(-1.9, 14);
    expect(decayed.parameters.get('W_xh_2')![0]).toBeCloseTo(2.85 - 0.1 / 1.5, 14);
  });
});

it('update counts the steps of Adam from 1', () => {
  const rule = { optimiser: 'adam', rate: 0.1, clip: 'none', epsilon: 1e-30 } as const;
  const state = {
    step: 0,
    parameters: tensors({ w: [1] }),
    firstMoment: tensors({ w: [0] }),
    secondMoment: tensors({ w: [0] }),
  };
  update(training(rule), state, tensors({ w: [5] }), 5);
  expect(state.parameters.get('w')![0]).toBeCloseTo(0.9, 14);
});

describe('clipping', () => {
  const gradients = () => tensors({ a: [3, 0], b: [-4] });

  it('by norm uses the norm of all tensors together', () => {
    const g = gradients();
    expect(globalNorm(g)).toBe(5);
    clipByNorm(g, 5, 1);
    expect([...g.get('a')!, ...g.get('b')!].map(x => x.toFixed(12))).toEqual(
      [0.6, 0, -0.8].map(x => x.toFixed(12)),
    );
  });
  it('leaves a norm at the limit, below it, or of 0 unchanged', () => {
    for (const limit of [5, 6]) {
      const g = gradients();
      clipByNorm(g, 5, limit);
      expect(g).toEqual(gradients());
    }
    const none = tensors({ a: [0] });
    clipByNorm(none, 0, 1);
    expect(none.get('a')![0]).toBe(0);
  });
  it('by value limits every number', () => {
    const g = gradients();
    clipByValue(g, 3.5);
    expect([...g.get('a')!, ...g.get('b')!]).toEqual([3, 0, -3.5]);
  });
  it.each([
    ['norm', 0.94, 1.08],
    ['value', 0.9, 1.1],
    ['none', 0.7, 1.4],
  ] as const)('clip = %s', (clip, a, b) => {
    const state = {
      step: 0,
      parameters: tensors({ a: [1], b: [1] }),
      firstMoment: new Map(),
      secondMoment: new Map(),
    };
    const g = tensors({ a: [3], b: [-4] });
    update(training({ optimiser: 'sgd', rate: 0.1, clip, clipAt: 1 }), state, g, 5);
    expect(state.parameters.get('a')![0]).toBeCloseTo(a, 14);
    expect(state.parameters.get('b')![0]).toBeCloseTo(b, 14);
  });
});

it('after the optimiser step, push biases below 30 are multiplied by 1 + pushBiasGrowth, nothing else', () => {
  const train = training({ optimiser: 'sgd', rate: 0.5, clip: 'none', pushBiasGrowth: 0.25 });
  const state = {
    step: 0,
    parameters: tensors({ b_d: [3, -1, 32], b_u: [3, 3, 3] }),
    firstMoment: new Map(),
    secondMoment: new Map(),
  };
  update(train, state, tensors({ b_d: [2, 2, 2], b_u: [2, 2, 2] }), 0);
  // The last push bias does not grow, because σ of it is exactly 1 in float32.
  expect([...state.parameters.get('b_d')!]).toEqual([2.5, -2.5, 31]);
  expect([...state.parameters.get('b_u')!]).toEqual([2, 2, 2]);
});

it('without a memory no push bias grows', () => {
  const state = {
    step: 0,
    parameters: tensors({ W_o: [1] }),
    firstMoment: new Map(),
    secondMoment: new Map(),
  };
  const train = training({ optimiser: 'sgd', rate: 1, clip: 'none', pushBiasGrowth: 0.25 });
  update(train, state, tensors({ W_o: [1] }), 1);
  expect([...state.parameters.get('W_o')!]).toEqual([0]);
});
