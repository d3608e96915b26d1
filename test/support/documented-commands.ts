import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeBlocks, ROOT, withoutCodeBlocks } from './documents.ts';

/** The commands in the project's documents. */

/** Runs a file of examples/ as its header describes. Returns the lines that it prints. */
export async function runExample(name: string, ...args: string[]): Promise<string[]> {
  const argv = [join('examples', name), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: ROOT });
  return stdout.trim().split('\n');
}

export interface DocumentedCommand {
  /** The arguments after `npx pushdown`, as a shell splits them. */
  words: string[];
  /** Whether it contains `<…>`, `[…]`, `…` or `a|b`: it describes usage and cannot be run. */
  pattern: boolean;
  /** The text in the document. */
  text: string;
}

/**
 * Matches a word (quoted, a placeholder, or up to the next space), or
 * what ends a command: `|`, `;`, `&`, a parenthesis, a redirection or a backtick.
 */
const WORD = /\s*(?:((?:'[^']*'|"[^"]*"|<[\w.|-]+>|[^\s'"|;&<>()`]|(?<=\S)\|(?=\S))+)|([|;&<>()`]))/y;

/** Splits a command line up to the end of the command. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  WORD.lastIndex = 0;
  for (let found = WORD.exec(line); found?.[1]; found = WORD.exec(line)) {
    if (found[1].startsWith('#')) break;
    words.push(found[1].replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
  }
  return words;
}

/**
 * Returns every `npx pushdown …` of a document, in fenced blocks (where `\` continues a line) and between backticks.
 */
export function commandsIn(document: string): DocumentedCommand[] {
  const blocks = codeBlocks(document).map(({ code }) => code.replace(/ *\\\n */g, ' ').split('\n'));
  const spans = [...withoutCodeBlocks(document).matchAll(/`([^`]+)`/g)].map(([, code]) =>
    code.replace(/\s*\n\s*/g, ' '),
  );
  return [...blocks.flat(), ...spans].flatMap(line =>
    line
      .split(/(?<![\w/.-])npx pushdown(?= |$)/)
      .slice(1)
      // Two or more spaces start a description, as in a table of commands.
      .map(rest => rest.split(/(?<=\S) {2,}/)[0])
      .map(rest => {
        const words = shellWords(rest);
        const pattern =
          words.some(word => /^\[|\]$|^<.*>|…$/.test(word)) || words.some(word => word.includes('|'));
        return { words, pattern, text: `npx pushdown${rest}`.trim() };
      }),
  );
}
