import type { Rng } from '../base/rng.ts';

/** The modulus of the arithmetic tasks of Delétang et al. 2023. */
export const MODULUS = 5;

const mod = (value: number): number => ((value % MODULUS) + MODULUS) % MODULUS;

/**
 * A random expression of exactly `length` symbols, generated as in the authors' code: `d`, `-d`, `(d)`, `(-d)`, or
 * `(left op right)` with the length split at random, where d is a digit 0 … 4.
 */
export function randomExpression(rng: Rng, length: number, operators: readonly string[]): string[] {
  const digit = (): string => String(rng.int(0, MODULUS - 1));
  if (length === 1) return [digit()];
  if (length === 2) return ['-', digit()];
  if (length === 3) return ['(', digit(), ')'];
  if (length === 4) return ['(', '-', digit(), ')'];
  const left = rng.int(1, length - 4);
  return [
    '(',
    ...randomExpression(rng, left, operators),
    operators[rng.int(0, operators.length - 1)],
    ...randomExpression(rng, length - 3 - left, operators),
    ')',
  ];
}

/** What has been parsed of a parenthesised expression, or of the whole expression. */
interface Bracket {
  left?: number;
  operator?: string;
  right?: number;
  /** Whether a minus sign precedes the next value. */
  minus: boolean;
}

/**
 * The value of an expression modulo 5.
 * @param x the value of the symbol `x`
 * @returns undefined if the expression is malformed, or contains `x` and no value is given
 */
export function calculate(expression: readonly string[], x?: number): number | undefined {
  const open: Bracket[] = [{ minus: false }];
  /** Adds a value to the innermost open bracket. Returns false if no value is expected there. */
  const addValue = (value: number): boolean => {
    const bracket = open[open.length - 1];
    const signed = mod(bracket.minus ? -value : value);
    bracket.minus = false;
    if (bracket.left === undefined) bracket.left = signed;
    else if (bracket.operator !== undefined && bracket.right === undefined) bracket.right = signed;
    else return false;
    return true;
  };
  for (const symbol of expression) {
    const bracket = open[open.length - 1];
    const expectsValue =
      bracket.left === undefined || (bracket.operator !== undefined && bracket.right === undefined);
    if (symbol === '(') {
      if (!expectsValue || bracket.minus) return undefined;
      open.push({ minus: false });
    } else if (symbol === ')') {
      open.pop();
      const value = bracketValue(bracket);
      if (value === undefined || open.length === 0 || !addValue(value)) return undefined;
    } else if (/[-+*]/.test(symbol)) {
      if (expectsValue) {
        if (symbol !== '-' || bracket.minus) return undefined;
        bracket.minus = true;
      } else if (bracket.operator !== undefined || open.length === 1) return undefined;
      else bracket.operator = symbol;
    } else {
      const value = symbol === 'x' ? x : Number(symbol);
      if (value === undefined || !(value < MODULUS) || !addValue(value)) return undefined;
    }
  }
  return open.length === 1 ? bracketValue(open[0]) : undefined;
}

/** The value of a parenthesised expression; undefined if it is incomplete. */
function bracketValue({ left, operator, right, minus }: Bracket): number | undefined {
  if (left === undefined || minus || (operator !== undefined && right === undefined)) return undefined;
  switch (operator) {
    case '+':
      return mod(left + right!);
    case '-':
      return mod(left - right!);
    case '*':
      return mod(left * right!);
    default:
      return left;
  }
}
