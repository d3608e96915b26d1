/**
 * Training steps per second of presets, measured: `pushdown presets` makes times of them. By name; a preset that is
 * not here has no expected time.
 */
export interface Speed {
  stepsPerSecond: number;
  /** Steps until it is done, where that is usually before train.steps. */
  steps?: number;
}

/** Where the speeds were measured. */
export const MEASURED_ON = '2 cores of an AMD EPYC, SwiftShader';

// Copy, reversal and bigram flipping have models of the same sizes: their LSTMs were measured once.
export const SPEEDS: Readonly<Record<string, Speed>> = {
  reverse: { stepsPerSecond: 180, steps: 1750 },
  'small/copy/lstm1': { stepsPerSecond: 90 },
  'small/copy/lstm2': { stepsPerSecond: 17 },
  'small/copy/lstm4': { stepsPerSecond: 12 },
  'small/copy/lstm8': { stepsPerSecond: 5 },
  'small/copy/stack': { stepsPerSecond: 190 },
  'small/copy/queue': { stepsPerSecond: 190 },
  'small/copy/deque': { stepsPerSecond: 130 },
  'small/reverse/lstm1': { stepsPerSecond: 90 },
  'small/reverse/lstm2': { stepsPerSecond: 17 },
  'small/reverse/lstm4': { stepsPerSecond: 12 },
  'small/reverse/lstm8': { stepsPerSecond: 5 },
  'small/reverse/stack': { stepsPerSecond: 190 },
  'small/reverse/queue': { stepsPerSecond: 190 },
  'small/reverse/deque': { stepsPerSecond: 140 },
  'small/bigram/lstm1': { stepsPerSecond: 90 },
  'small/bigram/lstm2': { stepsPerSecond: 17 },
  'small/bigram/lstm4': { stepsPerSecond: 12 },
  'small/bigram/lstm8': { stepsPerSecond: 5 },
  'small/bigram/stack': { stepsPerSecond: 160 },
  'small/bigram/queue': { stepsPerSecond: 170 },
  'small/bigram/deque': { stepsPerSecond: 140 },
  'small/svo-sov/lstm1': { stepsPerSecond: 130 },
  'small/svo-sov/lstm2': { stepsPerSecond: 22 },
  'small/svo-sov/lstm4': { stepsPerSecond: 12 },
  'small/svo-sov/lstm8': { stepsPerSecond: 5 },
  'small/svo-sov/stack': { stepsPerSecond: 130 },
  'small/svo-sov/queue': { stepsPerSecond: 130 },
  'small/svo-sov/deque': { stepsPerSecond: 100 },
  'small/gender/lstm1': { stepsPerSecond: 28 },
  'small/gender/lstm2': { stepsPerSecond: 17 },
  'small/gender/lstm4': { stepsPerSecond: 10 },
  'small/gender/lstm8': { stepsPerSecond: 4.1 },
  'small/gender/stack': { stepsPerSecond: 33 },
  'small/gender/queue': { stepsPerSecond: 33 },
  'small/gender/deque': { stepsPerSecond: 30 },
};
