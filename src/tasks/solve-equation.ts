import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { calculate, MODULUS, randomExpression } from './expression.ts';
import type { Task } from './task.ts';

/**
 * Solve equation, from Delétang et al. 2023 (deterministic context-free; see answering.ts for the format): one digit
 * of an expression is replaced by `x`, and the value of the expression modulo 5 is given. The target is that digit.
 * There are only sums and differences, so that the solution is unique. Sources of any length ≥ 3, one output:
 *
 *   task    solve-equation
 *   source  ( 2 - x ) = 4
 *   input   (  2  -  x  )  =  4  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  3
 *   phase   r  r  r  r  r  r  r  .
 *
 * The replaced digit is the first one at or after a random position, wrapping around at the end. Loss and metrics are
 * over the output step. There is no writing phase. `symbols` is ignored.
 */
export function solveEquation({ name }: TaskConfig): Task {
  const operators = ['+', '-'];
  const names = [...digitNames(MODULUS), ...operators, '(', ')', 'x', '='];
  return answering({
    name,
    symbolNames: names,
    outputNames: digitNames(MODULUS),
    example: '( 2 - x ) = 4',
    shortest: 3,
    source: (rng, length) => {
      const expression = randomExpression(rng, length - 2, operators);
      const value = calculate(expression)!;
      let at = rng.int(0, expression.length - 1);
      while (!/\d/.test(expression[at])) at = (at + 1) % expression.length;
      expression[at] = 'x';
      return [...expression, '=', String(value)].map(symbol => names.indexOf(symbol));
    },
    targetOf: source => {
      const words = source.map(symbol => names[symbol]);
      const equals = words.length - 2;
      const value = Number(words[equals + 1]);
      const expression = words.slice(0, Math.max(0, equals));
      if (words[equals] !== '=' || !expression.includes('x') || !(value < MODULUS)) return undefined;
      const digits = Array.from({ length: MODULUS }, (_, digit) => digit);
      const solutions = digits.filter(digit => calculate(expression, digit) === value);
      return solutions.length === 1 ? solutions : undefined;
    },
    longestTarget: () => 1,
  });
}
