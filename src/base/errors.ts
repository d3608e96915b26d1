import { closest, distance } from 'fastest-levenshtein';

/** Characters that do not show: control characters, changes of text direction, line separators. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const visible = (text: string): string =>
  text.replace(INVISIBLE, char => `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`);

/**
 * The user's input is wrong. The message says, in one line, what is wrong and where, what was expected, what was given
 * and what to do. The command line prints it without a stack trace and exits with code 2.
 */
export class InputError extends Error {
  override name = 'InputError';

  /**
   * @param message may quote foreign text (input, a message of JSON.parse): invisible characters and line breaks are
   * escaped, so that it stays on one line
   */
  constructor(message: string) {
    super(visible(message));
  }
}

/** The device cannot do something or failed at it, or training diverged (`Diverged`). The exit code is 1. */
export class DeviceError extends Error {
  override name = 'DeviceError';
}

/** The device is lost, with all of its buffers. A run can resume on another device from the state on the host. */
export class DeviceLost extends DeviceError {
  override name = 'DeviceLost';
}

/** A device did not compile the kernels and run them once within the time limit. It may still be compiling. */
export class CompileTimeout extends DeviceError {
  override name = 'CompileTimeout';
  /**
   * A plan with smaller kernels, which may compile on another device of the same adapter; undefined if there is none.
   */
  readonly next: 'stepwise' | undefined;

  /** @param plan the plan of the kernels, if it is known */
  constructor(seconds: number, plan?: string, next?: 'stepwise') {
    super(
      `the kernels${plan ? ` of the ${plan} plan` : ''} did not compile and run once within ${seconds} s`,
    );
    this.next = next;
  }
}

/**
 * Whether a word is `near` with a typing error or two. A single letter is close to every word, and a short word with
 * another first letter is mostly another word (size, file).
 */
function isMistyped(word: string, near: string): boolean {
  const length = word.length;
  const isShort = length < 4 || (length < 6 && word[0] !== near[0]);
  const tolerated = length < 2 ? 0 : isShort ? 1 : Math.max(2, Math.floor(length / 3));
  return distance(word, near) <= tolerated;
}

/** ` Did you mean "x"?` if one of the choices is close to the word, otherwise the list `known`. */
export function suggest(word: string, choices: readonly string[], known = choices): string {
  const all = known.length ? ` Known: ${known.join(', ')}.` : '';
  // A word this long is not a typing error, and comparing it would be slow. JavaScript callers may pass no string at
  // all.
  if (choices.length === 0 || typeof word !== 'string' || word.length > 100) return all;
  const near = closest(word.toLowerCase(), choices);
  return isMistyped(word.toLowerCase(), near) ? ` Did you mean "${near}"?` : all;
}

/** Throws the InputError of an unknown name: `unknown preset "revrse". Did you mean "reverse"?` */
export function unknown(what: string, word: string, choices: readonly string[]): never {
  throw new InputError(`unknown ${what} ${show(word)}.${suggest(word, choices)}`);
}

/** The first line of an error's message: compilers and drivers report many lines. */
export const firstLineOf = (error: unknown): string => messageOf(error).split('\n')[0];

/** Adds a full stop unless the text ends with `.`, `!` or `?`. */
export const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The message of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Formats any value for an error message: like JSON, but one line of at most `limit` characters. Also handles NaN,
 * infinity, functions, cycles and deep nesting, because it visits no more of the value than it shows.
 */
export function show(value: unknown, limit = 60): string {
  const text = visible(formatStart(value, limit));
  // Do not cut a surrogate pair in half.
  return text.length > limit ? `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}

/** Formats the start of a value. The result exceeds `room` characters if the full text is longer than that. */
function formatStart(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, Math.max(room, 0)));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  const list = Array.isArray(value);
  let text = list ? '[' : '{';
  // Object.keys of an array would list all its indices, possibly millions.
  const keys = list ? undefined : Object.keys(value);
  const length = keys ? keys.length : (value as unknown[]).length;
  for (let i = 0; i < length && text.length < room; i++) {
    if (i > 0) text += ',';
    if (keys) text += `${formatStart(keys[i], room - text.length)}:`;
    text += formatStart((value as Record<PropertyKey, unknown>)[keys ? keys[i] : i], room - text.length);
  }
  return text + (list ? ']' : '}');
}
