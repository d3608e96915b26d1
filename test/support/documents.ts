import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The project's documents and their content. */

export const ROOT = resolve(import.meta.dirname, '../..');

/** Paths of all documents, from the root. */
export const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
];

export const readDocument = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The documents on using the tool; tests check their commands and transcripts. */
export const MANUAL: readonly string[] = DOCUMENTS.filter(path => /^(README|docs\/)/.test(path));

const BLOCK = /^( *)```(.*)\n([\s\S]*?)^\1```$/gm;

export interface CodeBlock {
  /** The text after the opening ```: `js`, `sh`, or empty. */
  language: string;
  code: string;
  /** The comment on the line before, as in `<!-- examples/quick-start.js -->`; '' if there is none. */
  marker: string;
}

export const codeBlocks = (text: string): CodeBlock[] =>
  [...text.matchAll(BLOCK)].map(({ 2: language, 3: code, index }) => ({
    language: language.trim(),
    code,
    marker: /<!-- (.+) -->\n+$/.exec(text.slice(0, index))?.[1] ?? '',
  }));

/** A document without its fenced blocks. */
export const withoutCodeBlocks = (text: string): string => text.replace(BLOCK, '');

/** Removes all code, because brackets in code are not links. */
const prose = (text: string): string => withoutCodeBlocks(text).replace(/`[^`\n]*`/g, '``');

/** The targets of links and images, in Markdown and in HTML. */
export const linksOf = (text: string): string[] => [
  ...[...prose(text).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target),
  ...[...prose(text).matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, target]) => target),
];

/** The anchors of the headings, as GitHub creates them. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutCodeBlocks(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}
