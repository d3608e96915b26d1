import { decades, short } from './scale.ts';
import { barOf, gridOfX, legend, MARGIN, picture, straight, textAt, widthOf } from './svg.ts';

/** A median with its quartiles. */
export interface Value {
  median: number;
  low: number;
  high: number;
}

export interface BarPlot {
  title: string;
  /** Unit of the values: `ms per pass`. */
  unit: string;
  /** Names of the series, in the order of their colours. At most four. */
  series: readonly string[];
  /** Groups of bars, one below the other. `series` is an index. A bar without a value shows `text`, the reason. */
  groups: readonly { label: string; bars: readonly { series: number; value?: Value; text?: string }[] }[];
}

const WIDTH = 860;
const BAR = 16;
const GAP = 14;

/** Horizontal bars on a log axis: a value ten times as large is one decade longer. Returns SVG. */
export function barPlot({ title, unit, series, groups }: BarPlot): string {
  const widest = Math.max(0, ...groups.map(({ label }) => widthOf(label)));
  const [left, right] = [Math.min(400, MARGIN + widest + 10), WIDTH - 70];
  const names = series.length > 1 ? legend(series, 'bar', left, right) : { parts: [], bottom: 44 };
  const top = names.bottom;
  const heights = groups.map(({ bars }) => bars.length * BAR + GAP);
  const bottom = top + heights.reduce((sum, height) => sum + height, 0);
  const values = groups.flatMap(({ bars }) => bars.flatMap(({ value }) => value ?? []));
  const x = decades(values.flatMap(({ median, low, high }) => [median, low, high]))(left, right);
  const parts = [
    ...names.parts,
    ...gridOfX({ label: `${unit}, log scale`, ticks: x.ticks }, left, right, top, bottom),
  ];
  let y = top + GAP / 2;
  for (const [g, { label, bars }] of groups.entries()) {
    parts.push(textAt(left - 10, y + (heights[g] - GAP) / 2 + 4, label, 'text-anchor="end"'));
    for (const { series, value, text = '' } of bars) {
      if (value) parts.push(bar(series, value, x.at, left, y));
      else parts.push(textAt(left + 6, y + BAR - 4, text, 'class="small"'));
      y += BAR;
    }
    y += GAP;
  }
  parts.push(straight('axis', left, top, left, bottom));
  return picture(WIDTH, bottom + 54, title, parts);
}

function bar(
  series: number,
  { median, low, high }: Value,
  x: (value: number) => number,
  left: number,
  y: number,
): string {
  const [middle, end] = [y + BAR / 2, x(median)];
  return (
    barOf(series, left, y + 1, end - left, BAR - 2) +
    straight('spread', x(low), middle, x(high), middle) +
    textAt(Math.max(x(high), end) + 6, y + BAR - 4, short(median), 'class="small"')
  );
}
