import type { MakeScale } from './scale.ts';
import { gridOfX, gridOfY, legend, lineOf, markOf, picture, round, straight, textAt } from './svg.ts';

/** A point, with the quartiles of y if known. */
export interface Point {
  x: number;
  y: number;
  low?: number;
  high?: number;
}

export interface LinePlot {
  title: string;
  width?: number;
  x: { label: string; scale: MakeScale };
  y: { label: string; scale: MakeScale };
  /** At most four lines, with points in the order of x. A point whose y is not finite breaks its line. */
  lines: readonly { label: string; points: readonly Point[] }[];
  /** A range of x to shade, with its label. */
  shaded?: { from: number; to: number; label: string };
}

const AREA = { left: 72, right: 24, height: 300, below: 54 };
/** A line with more points than this gets no marks. */
const MAX_MARKS = 70;

/** A line plot. Returns SVG. */
export function linePlot({ title, width = 860, x: xAxis, y: yAxis, lines, shaded }: LinePlot): string {
  const [left, right] = [AREA.left, width - AREA.right];
  const names = legend(
    lines.map(({ label }) => label),
    'line',
    left,
    right,
  );
  const [top, bottom] = [names.bottom, names.bottom + AREA.height];
  const x = xAxis.scale(left + 12, right - 12);
  const y = yAxis.scale(bottom, top);
  return picture(width, bottom + AREA.below, title, [
    ...names.parts,
    shaded ? shade(x.at(shaded.from), x.at(shaded.to), top, bottom, shaded.label) : '',
    ...gridOfX({ label: xAxis.label, ticks: x.ticks }, left, right, top, bottom),
    ...gridOfY({ label: yAxis.label, ticks: y.ticks }, left, right, top, bottom),
    straight('axis', left, bottom, right, bottom),
    ...lines.map(({ points }, k) => line(k, points, x.at, y.at)),
  ]);
}

function shade(from: number, to: number, top: number, bottom: number, label: string): string {
  // A range of a single number would have no width.
  const [left, right] = to - from < 4 ? [from - 2, to + 2] : [from, to];
  const area = `<rect class="shade" x="${round(left)}" y="${top}" width="${round(right - left)}" height="${bottom - top}"/>`;
  return right - left > 60
    ? area + textAt((left + right) / 2, bottom - 8, label, 'text-anchor="middle"')
    : area;
}

type At = (value: number) => number;

function line(k: number, points: readonly Point[], x: At, y: At): string {
  const known = points.filter(point => Number.isFinite(point.y));
  const spreads = known.map(point =>
    point.low === undefined || point.high === undefined
      ? ''
      : straight('spread', x(point.x), y(point.low), x(point.x), y(point.high)),
  );
  const marks = points.length > MAX_MARKS ? [] : known.map(point => markOf(k, x(point.x), y(point.y)));
  return [lineOf(k, pathOf(points, x, y)), ...spreads, ...marks].join('');
}

function pathOf(points: readonly Point[], x: At, y: At): string {
  let drawing = false;
  let path = '';
  for (const point of points) {
    const known = Number.isFinite(point.y);
    if (known) path += `${drawing ? 'L' : 'M'}${round(x(point.x))} ${round(y(point.y))}`;
    drawing = known;
  }
  return path;
}
