import { closest, distance } from 'fastest-levenshtein';

/**
 * The user's input is wrong. The message says what, where, what was expected, what came and what to do, in
 * one line; the terminal prints it without a stack and exits with code 2.
 */
export class InputError extends Error {
  override name = 'InputError';
}

/** The device cannot do this, or failed at it. Never the user's spelling. */
export class DeviceError extends Error {
  override name = 'DeviceError';
}

/** ` Did you mean "x"?` where one of the choices is near the word, else the list of choices. */
export function suggest(word: string, choices: readonly string[]): string {
  if (choices.length === 0) return '';
  const near = closest(word.toLowerCase(), choices);
  if (distance(word.toLowerCase(), near) <= Math.max(2, word.length / 3)) return ` Did you mean "${near}"?`;
  return ` Known: ${choices.join(', ')}.`;
}

/** Throws the InputError of an unknown name: `unknown preset "revrse". Did you mean "reverse"?` */
export function unknown(what: string, word: string, choices: readonly string[]): never {
  throw new InputError(`unknown ${what} "${word}".${suggest(word, choices)}`);
}

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
