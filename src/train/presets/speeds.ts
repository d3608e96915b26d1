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

export const SPEEDS: Readonly<Record<string, Speed>> = {
  reverse: { stepsPerSecond: 220, steps: 1000 },
};
