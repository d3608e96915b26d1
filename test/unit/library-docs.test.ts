import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';

/**
 * docs/library.md contains the files of examples/, each below a comment with its name. After a change of an example, update it with
 * `npx vitest run --project unit test/unit/library-docs.test.ts -u`.
 */

const ROOT = resolve(import.meta.dirname, '../..');
const FILE = join(ROOT, 'docs/library.md');
const text = readFileSync(FILE, 'utf8');
const example = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const MARKER = /<!-- (examples\/[\w.-]+) -->\n(\n```\w+\n[\s\S]*?```\n)?/g;

test('docs/library.md shows the examples unchanged', async () => {
  const shown = text.replace(
    MARKER,
    (_, path) => `<!-- ${path} -->\n\n\`\`\`${extname(path).slice(1)}\n${example(path)}\`\`\`\n`,
  );
  await expect(shown).toMatchFileSnapshot(FILE);
});

test('docs/library.md shows all examples', () => {
  const shown = [...text.matchAll(MARKER)].map(([, path]) => path);
  expect(shown.sort()).toEqual(readdirSync(join(ROOT, 'examples')).map(name => `examples/${name}`));
});

test('an example is short, and says what it shows and how to run it', () => {
  for (const name of readdirSync(join(ROOT, 'examples'))) {
    const code = example(`examples/${name}`);
    expect(code.split('\n').length, name).toBeLessThanOrEqual(80);
    expect(code, name).toMatch(/^(\/\*\*|<!doctype html>\n<!--)\n/);
    expect(code, name).toContain(`examples/${name}`);
  }
});
