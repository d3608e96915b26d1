import { closest, distance } from 'fastest-levenshtein';

/** Control characters, those that turn the direction of text, and what else has no shape of its own. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const visible = (text: string): string =>
  text.replace(INVISIBLE, char => `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`);

/**
 * The user's input is wrong. The message says what, where, what was expected, what came and what to do, in
 * one line; the terminal prints it without a stack and exits with code 2.
 */
export class InputError extends Error {
  override name = 'InputError';

  /** @param message may quote what came, in the words of others (JSON.parse): it stays one line, and shows what it has */
  constructor(message: string) {
    super(visible(message));
  }
}

/** The device cannot do this, or failed at it. Never the user's spelling. */
export class DeviceError extends Error {
  override name = 'DeviceError';
}

/** The device is gone, and everything on it: another one may go on from what the host has. */
export class DeviceLost extends DeviceError {
  override name = 'DeviceLost';
}

/** The device has not compiled kernels, and run them once, in the time that it was given. It may still be compiling. */
export class CompileTimeout extends DeviceError {
  override name = 'CompileTimeout';
  /** A plan with smaller kernels, which may compile on another device of the same adapter; undefined where there is none. */
  readonly next: 'stepwise' | undefined;

  /** @param of the plan of the kernels, where it is known */
  constructor(seconds: number, of?: string, next?: 'stepwise') {
    super(`the kernels${of ? ` of the ${of} plan` : ''} did not compile and run once within ${seconds} s`);
    this.next = next;
  }
}

/** Letters that may be wrong in a word of this length: of one letter none, or every other would be near. */
const slips = (length: number): number =>
  length < 2 ? 0 : length < 4 ? 1 : Math.max(2, Math.floor(length / 3));

/** ` Did you mean "x"?` where one of the choices is near the word, else the list of choices. */
export function suggest(word: string, choices: readonly string[]): string {
  if (choices.length === 0) return '';
  // Nobody mistypes at such length, and comparing takes time.
  if (word.length > 100) return ` Known: ${choices.join(', ')}.`;
  const near = closest(word.toLowerCase(), choices);
  if (distance(word.toLowerCase(), near) <= slips(word.length)) return ` Did you mean "${near}"?`;
  return ` Known: ${choices.join(', ')}.`;
}

/** Throws the InputError of an unknown name: `unknown preset "revrse". Did you mean "reverse"?` */
export function unknown(what: string, word: string, choices: readonly string[]): never {
  throw new InputError(`unknown ${what} ${show(word)}.${suggest(word, choices)}`);
}

/** The first line of it: compilers and drivers go on for many. */
export const firstLineOf = (error: unknown): string => messageOf(error).split('\n')[0];

/** With a full stop, where it has no end of its own. */
export const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * What came, for an error message: like JSON, but in one line of at most `most` characters, and whatever it
 * is: NaN and infinities by their names, cycles and nesting as deep as they like, for no more is looked at
 * than is shown.
 */
export function show(value: unknown, most = 60): string {
  const text = visible(sketch(value, most));
  // Not in the middle of a character of two units.
  return text.length > most ? `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}

/** More than `room` characters where there is more to show than that. */
function sketch(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, Math.max(room, 0)));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  const list = Array.isArray(value);
  let text = list ? '[' : '{';
  // Not Object.entries of an array: it may have millions.
  const keys = list ? undefined : Object.keys(value);
  const length = keys ? keys.length : (value as unknown[]).length;
  for (let i = 0; i < length && text.length < room; i++) {
    if (i > 0) text += ',';
    if (keys) text += `${sketch(keys[i], room - text.length)}:`;
    text += sketch((value as Record<PropertyKey, unknown>)[keys ? keys[i] : i], room - text.length);
  }
  return text + (list ? ']' : '}');
}
