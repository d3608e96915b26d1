import { expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { preset } from '../../src/train/all-presets.ts';
import { readAddress } from '../../src/web/settings/address.ts';
import { MANUAL, readDocument, withoutCodeBlocks } from '../support/documents.ts';

/** Links from the documents to the page open the run that their text names. */

interface Link {
  document: string;
  text: string;
  target: string;
}

const links: Link[] = MANUAL.flatMap(document =>
  [
    ...withoutCodeBlocks(readDocument(document)).matchAll(
      /\[((?:[^[\]]|\[[^\]]*\]\([^)]*\))*)\]\(([^)\s]+)\)/g,
    ),
  ].map(([, text, target]) => ({ document, text, target })),
);

/** The address of the page under `npm run dev`. */
const PAGE = 'http://localhost:5173/#';
const toPage = links.filter(({ target }) => target.startsWith(PAGE));

test.each(toPage)('$document: the page opens $text', ({ text, target }) => {
  const address = readAddress(target.slice(PAGE.length - 1));
  const [name, ...sets] = [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
  expect(address).toEqual({
    config: assign(preset(name), sets),
    engine: 'auto',
    paused: text.includes('paused'),
    warning: undefined,
  });
});

test('the tutorial has a link to the page for each of its models', () => {
  const names = toPage
    .filter(({ document }) => document === 'docs/tutorial.md')
    .map(({ target }) => new URLSearchParams(target.slice(PAGE.length)).get('preset'));
  for (const name of ['reverse', 'tutorial-part5', 'tutorial-part6']) expect(names).toContain(name);
});
