import { MARGIN, picture, textAt } from '../../src/plot/svg.ts';
import type { AlgorithmCode } from '../algorithm-code.ts';
import { arrow, box, centred, hollow, small, strength } from './shapes.ts';

const [WIDTH, SLOT, HEIGHT, LINE, TOP, LEFT] = [860, 104, 40, 84, 92, 176];
const SLOTS = 3;

/** Slots and log after every step of the example (docs/algorithm.md, section 4). */
export function undoFigure({ stackForward }: AlgorithmCode, push: number[], pop: number[]): string {
  const value = push.map((_, t) => [t + 1]);
  const logAt = LEFT + SLOTS * SLOT + 36;
  const parts = [
    ...Array.from({ length: SLOTS }, (_, i) => centred(LEFT + (i + 0.5) * SLOT - 4, TOP - 16, `slot ${i}`)),
    textAt(logAt, TOP - 16, 'log entry of the step'),
  ];
  for (let t = 0; t < push.length; t++) {
    const y = TOP + t * LINE;
    const { slots, undo } = stackForward(push.slice(0, t + 1), pop.slice(0, t + 1), value);
    const { edge, reached, before, overwritten } = undo[t];
    const hi = edge + 1;
    parts.push(textAt(MARGIN, y + 18, `step ${t + 1}`));
    parts.push(small(MARGIN, y + 36, `pop ${strength(pop[t])}, push ${strength(push[t])}`));
    for (let i = 0; i < SLOTS; i++) {
      const x = LEFT + i * SLOT;
      const slot = slots[i];
      if (!slot) {
        parts.push(hollow(x, y, SLOT - 8, HEIGHT));
        continue;
      }
      parts.push(box(slot.row, x, y, SLOT - 8, HEIGHT, i >= hi));
      parts.push(centred(x + SLOT / 2 - 4, y + 25, `row ${slot.row + 1}: ${strength(slot.s)}`));
    }
    // An arrow marks hi, the end of the live slots.
    const x = LEFT + hi * SLOT - 4;
    parts.push(
      arrow(x, y + HEIGHT + 24, x, y + HEIGHT + 4),
      centred(x + 22, y + HEIGHT + 24, `hi = ${hi}`, 'class="small"'),
    );
    const boundary = reached ? `reached, before ${strength(before)}` : 'not reached';
    const dead = overwritten ? `row ${overwritten.row + 1}: ${strength(overwritten.s)}` : 'nothing';
    parts.push(
      textAt(logAt, y + 17, `edge ${edge}, ${boundary}`),
      textAt(logAt, y + 37, `overwritten: ${dead}`),
    );
  }
  const title = 'Slots and log of the example';
  return picture(WIDTH, TOP + push.length * LINE + 8, title, [
    ...parts,
    small(
      MARGIN,
      46,
      'Slots after each step. The pop of step 3 leaves row 2 in slot 1, where the push of step 3 overwrites it.',
    ),
  ]);
}
