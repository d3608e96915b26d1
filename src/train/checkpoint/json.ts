import { InputError, messageOf, show } from '../../base/errors.ts';
import { isPlain, type Plain } from '../../base/plain.ts';

/** JSON of a file that somebody else may have written: nothing is assumed about what it holds. */

/** @throws InputError naming `what` */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${what} must be JSON: ${messageOf(error)}. The file is damaged.`);
  }
}

/** Every field of `like` from parsed JSON, each a number (or a flag where `like` has one). */
export function readNumbers<T extends object>(what: string, given: unknown, like: T): T {
  if (!isPlain(given)) throw new InputError(`${what} must be a JSON object, got ${show(given)}.`);
  const made: Plain = {};
  for (const [key, example] of Object.entries(like)) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (isPlain(example)) made[key] = readNumbers(`${what}.${key}`, value, example);
    else if (typeof value === typeof example && (typeof value === 'boolean' || Number.isFinite(value)))
      made[key] = value;
    else throw new InputError(`${what}.${key} must be a ${typeof example}, got ${show(value)}.`);
  }
  return made as T;
}

export interface Span {
  begin: number;
  end: number;
}

const [QUOTE, BACKSLASH, COLON] = [...'"\\:'].map(char => char.charCodeAt(0));
const OPENING = new Set([...'{['].map(char => char.charCodeAt(0)));
const CLOSING = new Set([...'}]'].map(char => char.charCodeAt(0)));
const SPACE = new Set([...' \t\n\r'].map(char => char.charCodeAt(0)));

/**
 * Where the string at a path of keys stands in the bytes of a JSON object, without its quotes. Spaces, the order of the
 * keys and escapes in them do not matter; of a key that comes twice the last counts, as for JSON.parse.
 *
 * @param json valid, in UTF-8: its special characters are single bytes
 */
export function spanOfString(json: Uint8Array, path: readonly string[]): Span | undefined {
  let found: Span | undefined;
  /** Keys by which the open objects and arrays were reached; the whole has none. */
  const reached: string[] = [];
  let key = '';
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (OPENING.has(byte)) {
      reached.push(key);
      key = '';
    } else if (CLOSING.has(byte)) reached.pop();
    else if (byte === QUOTE) {
      const span = { begin: at + 1, end: endOfString(json, at) };
      at = span.end;
      if (isKey(json, at)) {
        key = JSON.parse(new TextDecoder().decode(json.subarray(span.begin - 1, span.end + 1)));
      } else if (
        reached.length === path.length &&
        [...reached.slice(1), key].every((k, i) => k === path[i])
      ) {
        found = span;
      }
    }
  }
  return found;
}

/** The place of the closing quote. @param open the place of the opening one */
function endOfString(json: Uint8Array, open: number): number {
  let at = open + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Whether the string that ends at this quote is a key: a colon follows. */
function isKey(json: Uint8Array, close: number): boolean {
  let at = close + 1;
  while (SPACE.has(json[at])) at++;
  return json[at] === COLON;
}
