import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/**
 * Missing duplicate, from Delétang et al. 2023 (context-sensitive; see answering.ts for the format): a string is
 * repeated, with one symbol replaced by `_`. The target is that symbol. A source of odd length ends with `.` (in the
 * phase row, `.` means no phase). Sources of any length ≥ 2, one output. The authors use 2 symbols:
 *
 *   task    missing-duplicate
 *   source  0 1 1 0 _ 1 .
 *   input   0  1  1  0  _  1  .  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  1
 *   phase   r  r  r  r  r  r  r  .
 *
 * Loss and metrics are over the output step. There is no writing phase.
 */
export function missingDuplicate({ name, symbols }: TaskConfig): Task {
  const names = digitNames(symbols);
  const hidden = symbols;
  const filler = symbols + 1;
  return answering({
    name,
    symbolNames: [...names, '_', '.'],
    outputNames: names,
    example: [names[0], names[1 % symbols], '_', names[1 % symbols]].join(' '),
    shortest: 2,
    source: (rng, length) => {
      const half = randomSource(symbols, rng, Math.floor(length / 2));
      const twice = [...half, ...half];
      twice[rng.int(0, twice.length - 1)] = hidden;
      return length % 2 ? [...twice, filler] : twice;
    },
    targetOf: source => {
      const twice = source.length % 2 && source.at(-1) === filler ? source.slice(0, -1) : source;
      const half = twice.length / 2;
      const at = twice.indexOf(hidden);
      const found = twice[(at + half) % twice.length];
      const whole = (i: number): number => (i === at ? found : twice[i]);
      const isTwice = twice.every(
        (_, i) => whole(i) === whole((i + half) % twice.length) && whole(i) < symbols,
      );
      return at >= 0 && Number.isInteger(half) && isTwice ? [found] : undefined;
    },
    longestTarget: () => 1,
  });
}
