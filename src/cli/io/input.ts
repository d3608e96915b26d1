import { InputError, messageOf } from '../../base/errors.ts';
import type { Io } from './io.ts';

/**
 * Maximum bytes of stdin. Node limits strings to 2^29 characters, and parsed JSON takes several times the size of its
 * text.
 */
const MAX_BYTES = 256 * 2 ** 20;
/** Maximum characters of a line. A longer line means that the file has no line ends. */
const MAX_LINE = 10 * 2 ** 20;

/** Reads a stream to its end, as text. @throws InputError if it has more than `maxBytes` bytes */
export async function readAll(stream: Io['stdin'], maxBytes = MAX_BYTES): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes)
      throw new InputError(`stdin must have at most ${mebi(maxBytes)}: split it into smaller inputs.`);
    parts.push(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }));
  }
  parts.push(decoder.decode());
  return parts.join('');
}

/**
 * Yields the lines of a stream without their line ends, in groups as they arrive.
 * @throws InputError for a line of more than `longest` characters, after yielding the lines before it
 */
export async function* readLines(stream: Io['stdin'], longest = MAX_LINE): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  let count = 0;
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    // Only the new chunk is searched: the text kept from earlier chunks has no line end.
    const lines = text.split('\n');
    lines[0] = rest + lines[0];
    const tooLong = lines.findIndex(line => line.length > longest);
    if (tooLong >= 0) {
      if (tooLong > 0) yield lines.slice(0, tooLong).map(withoutReturn);
      throw new InputError(
        `line ${count + tooLong + 1} of stdin must have at most ${mebi(longest)}: write one source per line.`,
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

/** Parses JSON. @throws InputError that says what is not JSON, where it fails, and `advice` */
export function parseJson(text: string, what: string, advice = ''): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${what} is not JSON: ${messageOf(error)}.${advice}`);
  }
}
