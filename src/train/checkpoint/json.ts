import { InputError, messageOf, show } from '../../base/errors.ts';
import { isPlain, type Plain } from '../../base/plain.ts';

/** Reads JSON from files that other programs may have written: nothing about the content is assumed. */

/** @throws InputError naming `what` */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${what} must be JSON: ${messageOf(error)}. The file is damaged.`);
  }
}

/**
 * Reads every field of `like` from parsed JSON. Each must be a finite number, or a boolean or an object where `like`
 * has one. Other fields are dropped.
 * @param what the name of the object in messages
 * @throws InputError naming the field
 */
export function readNumbers<T extends object>(what: string, given: unknown, like: T): T {
  if (!isPlain(given)) throw new InputError(`${what} must be a JSON object, got ${show(given)}.`);
  const numbers: Plain = {};
  for (const [key, example] of Object.entries(like)) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (isPlain(example)) numbers[key] = readNumbers(`${what}.${key}`, value, example);
    else if (typeof value === typeof example && (typeof value === 'boolean' || Number.isFinite(value)))
      numbers[key] = value;
    else throw new InputError(`${what}.${key} must be a ${typeof example}, got ${show(value)}.`);
  }
  return numbers as T;
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
 * The byte range of the string at a path of keys in a JSON object, without its quotes. Whitespace, the order of the
 * keys and escapes in them do not matter. If a key occurs twice, the last one counts, as for JSON.parse.
 *
 * @param json valid JSON in UTF-8, so that quotes, brackets and colons are single bytes
 */
export function spanOfString(json: Uint8Array, path: readonly string[]): Span | undefined {
  let found: Span | undefined;
  /** Keys of the open objects and arrays; '' for the outermost. */
  const openKeys: string[] = [];
  let key = '';
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (OPENING.has(byte)) {
      openKeys.push(key);
      key = '';
    } else if (CLOSING.has(byte)) openKeys.pop();
    else if (byte === QUOTE) {
      const span = { begin: at + 1, end: endOfString(json, at) };
      at = span.end;
      if (isKey(json, at)) {
        key = JSON.parse(new TextDecoder().decode(json.subarray(span.begin - 1, span.end + 1)));
      } else if (
        openKeys.length === path.length &&
        [...openKeys.slice(1), key].every((k, i) => k === path[i])
      ) {
        found = span;
      }
    }
  }
  return found;
}

/** The position of the closing quote. @param open the position of the opening quote */
function endOfString(json: Uint8Array, open: number): number {
  let at = open + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Whether the string that ends at this quote is a key, that is, whether a colon follows. */
function isKey(json: Uint8Array, close: number): boolean {
  let at = close + 1;
  while (SPACE.has(json[at])) at++;
  return json[at] === COLON;
}
