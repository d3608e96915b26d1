import { InputError, messageOf } from '../../base/errors.ts';
import type { Io } from './io.ts';

/** A string of JavaScript ends at 512 MiB, and JSON takes several times its length when it is parsed. */
const MOST = 256 * 2 ** 20;
/** A source of some millions of symbols is a file without line ends. */
const LONGEST_LINE = 10 * 2 ** 20;

/** All of a stream as text. @throws InputError beyond `most` bytes */
export async function readAll(stream: Io['stdin'], most = MOST): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > most)
      throw new InputError(`stdin must have at most ${mebi(most)}: divide it into smaller runs.`);
    parts.push(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }));
  }
  parts.push(decoder.decode());
  return parts.join('');
}

/**
 * The lines of a stream without their ends, as many at a time as come at a time.
 * @throws InputError for a line beyond `longest` characters, after those before it
 */
export async function* readLines(stream: Io['stdin'], longest = LONGEST_LINE): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  let count = 0;
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    // Only what is new is looked through; what came before has no line end.
    const lines = text.split('\n');
    lines[0] = rest + lines[0];
    const long = lines.findIndex(line => line.length > longest);
    if (long >= 0) {
      if (long > 0) yield lines.slice(0, long).map(withoutReturn);
      throw new InputError(
        `line ${count + long + 1} of stdin must have at most ${mebi(longest)}: write a source a line.`,
      );
    }
    rest = lines.pop() ?? '';
    count += lines.length;
    if (lines.length > 0) yield lines.map(withoutReturn);
  }
  rest += decoder.decode();
  if (rest) yield [withoutReturn(rest)];
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);

const mebi = (bytes: number): string => `${bytes / 2 ** 20} MiB`;

/** @throws InputError naming what is not JSON, and where, followed by `advice` */
export function parseJson(text: string, what: string, advice = ''): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${what} is not JSON: ${messageOf(error)}.${advice}`);
  }
}
