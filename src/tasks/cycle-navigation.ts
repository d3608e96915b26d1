import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/** Places on the circle. */
const PLACES = 5;
const MOVES = ['left', 'stay', 'right'];

/**
 * Cycle navigation, of the Chomsky hierarchy (regular; see answering.ts for the format): moves on a circle of 5 places,
 * from place 0; at which place do they end? Sources of any length ≥ 1, one output:
 *
 *   task    cycle-navigation
 *   source  right left stay left left
 *   input   right  left  stay  left  left  ?
 *   target  ·      ·     ·     ·     ·     3
 *   phase   r      r     r     r     r     .
 *
 * Measured: the output step. There is no writing phase. `symbols` does not matter.
 */
export function cycleNavigation({ name }: TaskConfig): Task {
  return answering({
    name,
    symbolNames: MOVES,
    outputNames: digitNames(PLACES),
    example: 'right left stay left left',
    source: (rng, length) => randomSource(MOVES.length, rng, length),
    // −1, 0 or 1 each; −1 is 4 of 5.
    answer: source => [source.reduce((place, move) => (place + move + PLACES - 1) % PLACES, 0)],
    longestAnswer: () => 1,
  });
}
