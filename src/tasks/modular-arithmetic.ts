import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { calculate, MODULUS, randomExpression } from './expression.ts';
import type { Task } from './task.ts';

/**
 * Modular arithmetic with brackets, from Delétang et al. 2023 (deterministic context-free; see answering.ts for the
 * format): the value of an expression modulo 5. Sources of any length ≥ 1, one output:
 *
 *   task    modular-arithmetic
 *   source  ( ( 2 * 4 ) - - 3 )
 *   input   (  (  2  *  4  )  -  -  3  )  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  1
 *   phase   r  r  r  r  r  r  r  r  r  r  .
 *
 * Loss and metrics are over the output step. There is no writing phase. `symbols` is ignored.
 */
export function modularArithmetic({ name }: TaskConfig): Task {
  const operators = ['+', '-', '*'];
  const names = [...digitNames(MODULUS), ...operators, '(', ')'];
  return answering({
    name,
    symbolNames: names,
    outputNames: digitNames(MODULUS),
    example: '( ( 2 * 4 ) - 3 )',
    source: (rng, length) => randomExpression(rng, length, operators).map(symbol => names.indexOf(symbol)),
    targetOf: source => {
      const value = calculate(source.map(symbol => names[symbol]));
      return value === undefined ? undefined : [value];
    },
    longestTarget: () => 1,
  });
}
