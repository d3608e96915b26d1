import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { MODULUS } from './expression.ts';
import type { Task } from './task.ts';

const OPERATORS = ['+', '-', '*'];

/**
 * Modular arithmetic without brackets ("simple"), from Delétang et al. 2023 (regular; see answering.ts for the format):
 * the value modulo 5 of digits 0 … 4 with operators between them. Products take precedence. Sources of odd lengths, one
 * output:
 *
 *   task    modular-arithmetic-simple
 *   source  0 * 1 + 4 * 3 - 2
 *   input   0  *  1  +  4  *  3  -  2  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  ·  ·  0
 *   phase   r  r  r  r  r  r  r  r  r  .
 *
 * Loss and metrics are over the output step. There is no writing phase. `symbols` is ignored.
 */
export function modularArithmeticSimple({ name }: TaskConfig): Task {
  return answering({
    name,
    symbolNames: [...digitNames(MODULUS), ...OPERATORS],
    outputNames: digitNames(MODULUS),
    example: '1 + 2 * 3',
    has: length => length % 2 === 1,
    because: 'its sources have odd lengths',
    source: (rng, length) =>
      Array.from({ length }, (_, i) =>
        i % 2 === 0 ? rng.int(0, MODULUS - 1) : MODULUS + rng.int(0, OPERATORS.length - 1),
      ),
    targetOf: source => {
      const value = valueModulo(source);
      return value === undefined ? undefined : [value];
    },
    longestTarget: () => 1,
  });
}

/**
 * The value of an expression, given as symbol numbers: digits, then operators. Undefined if digits and operators do not
 * alternate.
 */
function valueModulo(source: readonly number[]): number | undefined {
  if (source.length % 2 === 0) return undefined;
  let sum = 0;
  let product = 1;
  for (const [i, symbol] of source.entries()) {
    if (symbol < MODULUS !== (i % 2 === 0)) return undefined;
    if (i % 2 === 0) {
      product = (product * symbol) % MODULUS;
      continue;
    }
    const operator = OPERATORS[symbol - MODULUS];
    if (operator === '*') continue;
    sum += product;
    // The sign of the next term; −1 is 4 modulo 5.
    product = operator === '-' ? MODULUS - 1 : 1;
  }
  return (sum + product) % MODULUS;
}
