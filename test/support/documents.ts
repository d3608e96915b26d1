import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** The documents for users: README.md and docs/*.md, and the commands in them. */

export const ROOT = resolve(import.meta.dirname, '../..');
export const readDocument = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
export const DOCUMENTS: readonly string[] = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
];

/** Runs a file of examples/ as its header says, and returns the lines of its output. */
export async function runExample(name: string, ...given: string[]): Promise<string[]> {
  const args = [join('examples', name), ...given];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return stdout.trim().split('\n');
}

export interface Fence {
  /** The language after the opening ```: `js`, `sh`, or nothing. */
  language: string;
  text: string;
  /** The number of its first line in the document, from 1. */
  line: number;
}

const FENCE = /^( *)```(.*)\n([\s\S]*?)^\1```$/gm;

export const fencesOf = (document: string): Fence[] =>
  [...document.matchAll(FENCE)].map(({ 2: language, 3: text, index }) => ({
    language: language.trim(),
    text,
    line: document.slice(0, index).split('\n').length + 1,
  }));

/** A document without its fenced blocks. */
export const fenceless = (document: string): string => document.replace(FENCE, '');

export interface DocumentedCommand {
  /** The words after `npx pushdown`, as a shell splits them. */
  words: string[];
  /** Contains `<…>`, `[…]` or `…`: a usage pattern, which cannot be run. */
  pattern: boolean;
  /** As written in the document. */
  text: string;
}

/** A quoted word, a placeholder, or a word up to the next space; or the end of a command: `|`, `;`, `&`, `#`, `(`, `)`, redirections. */
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

/** Every `npx pushdown …` of a document, in fenced blocks (where `\` continues a line) and between backticks. */
export function commandsIn(document: string): DocumentedCommand[] {
  const blocks = fencesOf(document).map(({ text }) => text.replace(/\\\n/g, ' ').split('\n'));
  const spans = [...fenceless(document).matchAll(/`([^`]+)`/g)].map(([, code]) =>
    code.replace(/\s*\n\s*/g, ' '),
  );
  return [...blocks.flat(), ...spans].flatMap(line =>
    line
      .split(/(?<![\w/.-])npx pushdown(?= |$)/)
      .slice(1)
      .map(rest => {
        const words = shellWords(rest);
        const pattern =
          words.some(word => /^\[|\]$|^<.*>|…$/.test(word)) || words.some(word => word.includes('|'));
        return { words, pattern, text: `npx pushdown${rest}`.trim() };
      }),
  );
}
