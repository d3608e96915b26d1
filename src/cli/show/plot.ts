import { linePlot } from '../../plot/lines.ts';
import { linear, roundTicks } from '../../plot/scale.ts';

/** The part of an evaluation that is drawn. */
export interface PlotRow {
  length: number;
  coarse: number;
  fine: number;
  accuracy: number;
}

export interface PlotOptions {
  /** Range of lengths used in training, drawn shaded. */
  trained: readonly [low: number, high: number];
  title: string;
}

const SERIES = [
  { key: 'coarse', label: 'coarse: sequences right in every symbol' },
  { key: 'fine', label: 'fine: before the first error' },
  { key: 'accuracy', label: 'symbols right' },
] as const;

/**
 * Draws coarse, fine and symbol accuracy against source length as an SVG, with the lengths used in training shaded:
 *
 *   writeFile('plot.svg', accuracyPlot(evaluations, { trained: [1, 10], title: 'reverse with a stack' }));
 */
export function accuracyPlot(rows: readonly PlotRow[], { trained, title }: PlotOptions): string {
  const sorted = rows.toSorted((a, b) => a.length - b.length);
  const low = Math.min(trained[0], ...sorted.map(({ length }) => length));
  const high = Math.max(trained[1], ...sorted.map(({ length }) => length), low + 1);
  return linePlot({
    title,
    width: 720,
    x: { label: 'length of the source, in symbols', scale: linear(low, high, roundTicks(low, high)) },
    y: { label: 'accuracy', scale: linear(0, 1, [0, 0.25, 0.5, 0.75, 1], share => share.toFixed(2)) },
    lines: SERIES.map(({ key, label }) => ({
      label,
      points: sorted.map(row => ({ x: row.length, y: row[key] })),
    })),
    shaded: { from: trained[0], to: trained[1], label: 'trained' },
  });
}
