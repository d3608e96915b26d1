import { powers } from './decades.ts';
import type { ColumnName } from './history.ts';

/** A line (or series of points) of a chart: a column of the history, and a colour of the style sheet. */
export interface Line {
  column: ColumnName;
  label: string;
  colour: string;
  width: number;
  dashed?: boolean;
  /** Draws points of this size instead of a line. */
  points?: number;
}

export interface ChartSpec {
  id: string;
  title: string;
  /** Text below the chart. */
  caption: string;
  scale: 'logarithmic' | 'share' | 'linear';
  /** Whether the page's smoothing applies. */
  smooth?: boolean;
  lines: readonly Line[];
  /** The column that is drawn for compared runs. */
  compared?: ColumnName;
}

export const CHARTS: readonly ChartSpec[] = [
  {
    id: 'loss',
    title: 'Loss',
    caption: 'On training batches, logarithmic scale. Lower is better.',
    scale: 'logarithmic',
    smooth: true,
    lines: [{ column: 'loss', label: 'loss', colour: 'push', width: 2 }],
    compared: 'loss',
  },
  {
    id: 'accuracy',
    title: 'Accuracy',
    caption:
      'Lines: training batches, with noise on the push and pop logits, if it is set. Points: 256 new sequences. Coarse: share of fully correct sequences. Fine: share of symbols before the first error.',
    scale: 'share',
    // Both are 1 when everything is correct. Coarse is drawn first and wider, so that both stay visible.
    lines: [
      { column: 'coarse', label: 'coarse', colour: 'push', width: 4 },
      { column: 'fine', label: 'fine', colour: 'pop', width: 1.5 },
      { column: 'evaluatedCoarse', label: 'coarse, new', colour: 'push', width: 2, points: 12 },
      { column: 'evaluatedFine', label: 'fine, new', colour: 'pop', width: 2, points: 7 },
    ],
    compared: 'coarse',
  },
  {
    id: 'profile',
    title: 'Push and pop over training',
    caption:
      'Mean strengths over the sample predictions and the sequence in the picture. A stack that is used well is pushed while reading and popped while writing.',
    scale: 'share',
    lines: [
      { column: 'readingPush', label: 'push, reading', colour: 'push', width: 2 },
      { column: 'writingPush', label: 'push, writing', colour: 'push', width: 2, dashed: true },
      { column: 'readingPop', label: 'pop, reading', colour: 'pop', width: 2 },
      { column: 'writingPop', label: 'pop, writing', colour: 'pop', width: 2, dashed: true },
    ],
  },
  {
    id: 'gradient',
    title: 'Gradient norm',
    caption: 'Over all parameters, before clipping, logarithmic scale.',
    scale: 'logarithmic',
    smooth: true,
    lines: [{ column: 'gradientNorm', label: 'norm', colour: 'push', width: 2 }],
    compared: 'gradientNorm',
  },
  {
    id: 'length',
    title: 'Longest source trained on',
    caption: 'In symbols. A curriculum increases it when the error is small.',
    scale: 'linear',
    lines: [{ column: 'length', label: 'length', colour: 'push', width: 2 }],
    compared: 'length',
  },
  {
    id: 'speed',
    title: 'Speed',
    caption: 'Time steps per second, over all sequences of the batch.',
    scale: 'linear',
    lines: [{ column: 'timeStepsPerSecond', label: 'time steps/s', colour: 'push', width: 2 }],
    compared: 'timeStepsPerSecond',
  },
];

/** Tick positions and labels of each scale. */
export const TICKS = {
  logarithmic: {
    splits: (min: number, max: number) => powers(min, max),
    value: (tick: number) => (tick < 1e-3 ? tick.toExponential(0) : String(tick)),
  },
  share: { splits: () => [0, 0.25, 0.5, 0.75, 1], value: (tick: number) => `${100 * tick} %` },
  linear: {
    splits: undefined,
    value: (tick: number) =>
      tick >= 1e4
        ? tick.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 })
        : String(tick),
  },
} as const;

/** Colours of compared runs, chosen for colour-blind readers; the dashes differ too. */
export const COMPARED = ['other-1', 'other-2', 'other-3', 'other-4'] as const;
export const DASHES = [
  [6, 3],
  [2, 3],
  [10, 3, 2, 3],
  [1, 2],
];
export const MAX_COMPARED = COMPARED.length;

/** The colour of a compared run, as in the charts. */
export const comparedColour = (index: number): string => `var(--${COMPARED[index % MAX_COMPARED]})`;
