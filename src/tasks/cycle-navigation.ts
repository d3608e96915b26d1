import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/** Number of positions on the circle. */
const POSITIONS = 5;
const MOVES = ['left', 'stay', 'right'];

/**
 * Cycle navigation, from Delétang et al. 2023 (regular; see answering.ts for the format): the final position after a
 * series of moves on a circle of 5 positions, starting from position 0. Sources of any length ≥ 1, one output:
 *
 *   task    cycle-navigation
 *   source  right left stay left left
 *   input   right  left  stay  left  left  ?
 *   target  ·      ·     ·     ·     ·     3
 *   phase   r      r     r     r     r     .
 *
 * Loss and metrics are over the output step. There is no writing phase. `symbols` is ignored.
 */
export function cycleNavigation({ name }: TaskConfig): Task {
  return answering({
    name,
    symbolNames: MOVES,
    outputNames: digitNames(POSITIONS),
    example: 'right left stay left left',
    source: (rng, length) => randomSource(MOVES.length, rng, length),
    // Symbol s moves by s − 1. Adding POSITIONS keeps the left operand of % non-negative.
    targetOf: source => [
      source.reduce((position, symbol) => (position + symbol - 1 + POSITIONS) % POSITIONS, 0),
    ],
    longestTarget: () => 1,
  });
}
