import { MARGIN, picture, textAt } from '../../src/plot/svg.ts';
import { arrow, box, centred, hollow, small } from './shapes.ts';

const [WIDTH, SLOT, HIGH, LINE, TOP] = [860, 44, 34, 96, 76];
const T = 6;

interface Kind {
  name: string;
  slots: number;
  live: [lo: number, hi: number];
  ends: [bottom: string, top: string];
  notes: [string, string];
}

const KINDS: Kind[] = [
  {
    name: 'stack',
    slots: T,
    live: [0, 4],
    ends: ['', 'push, pop, read'],
    notes: [`T = ${T} slots`, 'lo is always 0'],
  },
  {
    name: 'queue',
    slots: T,
    live: [2, 5],
    ends: ['pop, read', 'push'],
    notes: [`T = ${T} slots`, 'row t in slot t'],
  },
  {
    name: 'deque',
    slots: 2 * T,
    live: [4, 9],
    ends: ['push, pop, read', 'push, pop, read'],
    notes: [`2T = ${2 * T} slots`, `starts at slot ${T}`],
  },
];

/** The live slots of each kind, and the operations at each end (docs/algorithm.md, section 7). */
export function slotsFigure(): string {
  const parts: string[] = [];
  KINDS.forEach(({ name, slots, live: [lo, hi], ends: [bottom, top], notes }, k) => {
    const y = TOP + k * LINE;
    const left = WIDTH / 2 - (slots * SLOT) / 2;
    parts.push(textAt(MARGIN, y + 14, name), ...notes.map((note, n) => small(MARGIN, y + 32 + 17 * n, note)));
    for (let i = 0; i < slots; i++) {
      const x = left + i * SLOT;
      parts.push(i >= lo && i < hi ? box(0, x, y, SLOT - 5, HIGH) : hollow(x, y, SLOT - 5, HIGH));
      parts.push(centred(x + SLOT / 2 - 2, y + 22, String(i), 'class="small"'));
    }
    const [from, to] = [left + lo * SLOT, left + hi * SLOT - 5];
    parts.push(
      centred(from + 4, y + HIGH + 18, 'lo', 'class="small"'),
      centred(to, y + HIGH + 18, 'hi', 'class="small"'),
    );
    const above = y - 10;
    if (top)
      parts.push(arrow(to - 40, above, to + 4, above), textAt(to + 10, above + 4, top, 'class="small"'));
    if (bottom)
      parts.push(
        arrow(from + 40, above, from - 4, above),
        textAt(from - 10, above + 4, bottom, 'class="small" text-anchor="end"'),
      );
  });
  return picture(WIDTH, TOP + KINDS.length * LINE - 16, 'Slots of each kind', [
    ...parts,
    small(MARGIN, 46, 'Filled: live slots [lo, hi). The bottom is on the left, the top on the right.'),
  ]);
}
