import { MARGIN, picture, straight, textAt } from '../../src/plot/svg.ts';
import type { AlgorithmCode } from '../algorithm-code.ts';
import { box, centred, small, strength, stroke } from './shapes.ts';

const [WIDTH, LEFT, TOP, AREA] = [860, 150, 84, 210];

/** The prefix sum over the rows nearest the end, and where it crosses the limit (docs/algorithm.md, section 9). */
export function prefixSumFigure({ prefixSums, popByBlocks }: AlgorithmCode, s: number[], u: number): string {
  const sums = prefixSums(s);
  const { removed, taken } = popByBlocks(s, u, s.length);
  const total = sums[sums.length - 1];
  const column = (WIDTH - LEFT - MARGIN) / s.length;
  const y = (sum: number): number => TOP + AREA * (1 - sum / total);
  const parts = [
    small(MARGIN, TOP + AREA + 20, 'row from the end'),
    small(MARGIN, TOP + AREA + 40, 'strength'),
    small(MARGIN, TOP + AREA + 60, 'prefix sum'),
    small(MARGIN, TOP + AREA + 80, 'the pop'),
  ];
  s.forEach((own, k) => {
    const x = LEFT + k * column;
    const before = k > 0 ? sums[k - 1] : 0;
    const middle = x + column / 2 - 3;
    const kind = k < removed ? 1 : k === removed ? 2 : 0;
    parts.push(box(kind, x, y(sums[k]), column - 6, y(before) - y(sums[k])));
    if (before > 0) parts.push(box(0, x, y(before), column - 6, y(0) - y(before), true));
    [
      String(k),
      strength(own),
      strength(sums[k]),
      k < removed ? 'removed' : k === removed ? `loses ${strength(taken)}` : '',
    ].forEach((text, line) => {
      parts.push(centred(middle, TOP + AREA + 20 + 20 * line, text, 'class="small"'));
    });
  });
  parts.push(straight('axis', LEFT, y(0), WIDTH - MARGIN, y(0)));
  parts.push(stroke(LEFT, y(u), WIDTH - MARGIN, y(u), 'stroke-dasharray="6 4" stroke-width="1.5"'));
  parts.push(textAt(LEFT - 10, y(u) + 4, `limit u = ${strength(u)}`, 'text-anchor="end"'));
  return picture(WIDTH, TOP + AREA + 96, 'A pop by a prefix sum', [
    ...parts,
    small(
      MARGIN,
      46,
      `Row ${removed} is the first whose sum exceeds the limit. One invocation per row; a read is the same with a limit of 1.`,
    ),
  ]);
}
