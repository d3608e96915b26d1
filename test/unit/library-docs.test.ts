import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * docs/library.md and docs/tutorial.md contain the files of examples/, each below a comment with its name. After
 * changing an example, update both documents with `npx vitest run --project unit test/unit/library-docs.test.ts -u`.
 */

const ROOT = resolve(import.meta.dirname, '../..');
const DOCUMENTS = ['docs/library.md', 'docs/tutorial.md'];
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const MARKER = /<!-- (examples\/[\w.-]+) -->\n(\n```(?:js|html)\n[\s\S]*?```\n)?/g;

test.each(DOCUMENTS)('%s shows the examples unchanged', async document => {
  const shown = read(document).replace(
    MARKER,
    (_, path) => `<!-- ${path} -->\n\n\`\`\`${extname(path).slice(1)}\n${read(path)}\`\`\`\n`,
  );
  await expect(shown).toMatchFileSnapshot(join(ROOT, document));
});

test('every example is shown once', () => {
  const shown = DOCUMENTS.flatMap(document => [...read(document).matchAll(MARKER)].map(([, path]) => path));
  expect(shown.sort()).toEqual(readdirSync(join(ROOT, 'examples')).map(name => `examples/${name}`));
});

describe.each(readdirSync(join(ROOT, 'examples')))('examples/%s', name => {
  const code = read(`examples/${name}`);

  test('has at most 80 lines, starts with a comment, and contains its path', () => {
    expect(code.split('\n').length).toBeLessThanOrEqual(80);
    expect(code).toMatch(/^(\/\*\*|<!doctype html>\n<!--)\n/);
    expect(code).toContain(`examples/${name}`);
  });
});
