import { MARGIN, picture, round, straight } from '../../src/plot/svg.ts';
import type { AlgorithmCode } from '../algorithm-code.ts';
import { arrow, box, bracket, centred, small, strength, stroke } from './shapes.ts';

/** Pushes and pops of a stack, to draw as intervals of heights over time (docs/algorithm.md, sections 2 and 10). */
export interface IntervalExample {
  title: string;
  push: number[];
  pop: number[];
  /** Whether numbers are written at every step and row. */
  labelled: boolean;
  /** The largest height that is shown. */
  maxHeight: number;
  /** Links are drawn from this step. */
  linksOf?: number;
}

const [WIDTH, LEFT, TOP, AREA] = [860, 56, 78, 290];

export function intervalsFigure(
  { stackHeights, stackLinks }: AlgorithmCode,
  { title, push, pop, labelled, maxHeight, linksOf }: IntervalExample,
): string {
  const T = push.length;
  const { low, high } = stackHeights(push, pop, T);
  const { link } = stackLinks(low);
  const column = (WIDTH - LEFT - MARGIN) / T;
  const x = (t: number): number => LEFT + t * column;
  const y = (height: number): number => TOP + AREA * (1 - height / maxHeight);
  const parts: string[] = [];
  for (let h = 0; h <= maxHeight; h += 0.5) {
    parts.push(straight('grid', LEFT, y(h), WIDTH - MARGIN, y(h)));
    parts.push(`<text x="${LEFT - 8}" y="${round(y(h) + 4)}" text-anchor="end">${h}</text>`);
  }
  const room = column * 0.71;
  const middleOf = (t: number): number => x(t) + 4 + room / 2;
  for (let t = 0; t < T; t++) {
    const bottom = Math.max(0, high[t] - 1);
    for (let i = 0; i <= t; i++) {
      const top = Math.min(high[i], ...low.slice(i + 1, t + 1));
      if (top <= low[i]) continue;
      parts.push(box(i, x(t) + 4, y(top), room, y(low[i]) - y(top)));
      const middle = (y(top) + y(low[i])) / 2 + 4;
      if (labelled) parts.push(centred(middleOf(t), middle, `row ${i + 1}: ${strength(top - low[i])}`));
      else if ((i === t || t === linksOf) && y(low[i]) - y(top) > 13)
        parts.push(centred(middleOf(t), middle, String(i + 1), 'class="small"'));
    }
    parts.push(bracket(x(t) + 10 + room, y(high[t]), y(bottom)));
    parts.push(centred(middleOf(t), TOP + AREA + 20, labelled ? `step ${t + 1}` : String(t + 1)));
    if (!labelled) continue;
    parts.push(
      centred(
        middleOf(t),
        TOP + AREA + 40,
        `pop ${strength(pop[t])}, push ${strength(push[t])}`,
        'class="small"',
      ),
      centred(
        middleOf(t),
        TOP + AREA + 58,
        `L = ${strength(low[t])}, H = ${strength(high[t])}`,
        'class="small"',
      ),
    );
    if (pop[t] > 0) {
      parts.push(arrow(x(t) - 3, y(high[t - 1]), x(t) - 3, y(low[t]), 'stroke-dasharray="4 3"'));
      parts.push(stroke(x(t) - column * 0.28 + 4, y(low[t]), x(t) - 3, y(low[t]), 'stroke-dasharray="2 3"'));
    }
  }
  parts.push(straight('axis', LEFT, y(0), WIDTH - MARGIN, y(0)));
  if (linksOf !== undefined) parts.push(...linkArrows(linksOf, link, low, x, y, column));
  const below = labelled ? 74 : 52;
  if (!labelled) parts.push(centred((LEFT + WIDTH) / 2, TOP + AREA + 42, 'step'));
  return picture(WIDTH, TOP + AREA + below, title, [
    ...parts,
    small(MARGIN, 46, 'Height of the stack. Brackets: the window of each read, one unit from the top.'),
    small(
      MARGIN,
      64,
      labelled
        ? 'Dashed arrows: what the pop cuts off, from the height before to L.'
        : `Arrows: links, from the row of step ${(linksOf ?? 0) + 1} down to the ground.`,
    ),
  ]);
}

/**
 * Arrows from the base of each row, at the step that pushed it, to the row below it, at the step that pushed that row.
 */
function linkArrows(
  from: number,
  link: number[],
  low: number[],
  x: (t: number) => number,
  y: (height: number) => number,
  column: number,
): string[] {
  const parts: string[] = [];
  for (let row = from; link[row] >= 0; row = link[row]) {
    const under = link[row];
    const [x1, x2] = [x(row) + 4, x(under) + 4 + column * 0.7];
    parts.push(arrow(x1, y(low[row]) - 2, x2 - 3, y(low[row]) + 5, 'stroke-width="1.5"'));
  }
  return parts;
}
