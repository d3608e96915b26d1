import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/**
 * Imports run downwards only:
 *   cli, web → train → engine → kernels, reference, tasks, gpu → base
 * train sees the engine's types only; only cli and web choose an engine, touch files or the DOM.
 */
const ROOT = resolve(import.meta.dirname, '../..');

/** What each shelf may import from, besides itself. */
const BELOW: Record<string, string[]> = {
  base: [],
  gpu: ['base'],
  tasks: ['base'],
  reference: ['base'],
  shaders: ['kernels (types)'],
  kernels: ['base', 'gpu', 'shaders'],
  engine: ['base', 'gpu', 'tasks', 'reference', 'kernels', 'shaders'],
  train: ['base', 'tasks', 'engine (types)'],
  cli: ['base', 'gpu', 'tasks', 'reference', 'kernels', 'engine', 'train', 'index'],
  web: ['base', 'gpu', 'tasks', 'reference', 'kernels', 'engine', 'train'],
  index: ['base', 'gpu', 'tasks', 'engine', 'train'],
};

const shelfOf = (file: string): string => {
  const [top, second] = relative(ROOT, file).split(/[\\/]/);
  if (top === 'shaders') return 'shaders';
  return second === 'index.ts' ? 'index' : second;
};

const files = ['src', 'shaders'].flatMap(top =>
  readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map(name => join(ROOT, top, name)),
);

/** Every import and re-export of a file: its path, and whether it is of types only. */
function importsOf(file: string): { path: string; types: boolean }[] {
  const text = readFileSync(file, 'utf8');
  const found = [...text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+['"]([^'"]+)['"]/gm)];
  const dynamic = [...text.matchAll(/import\(\s*['"]([^'"]+)['"]\s*\)/g)];
  return [
    ...found.map(([, types, path]) => ({ path, types: types !== undefined })),
    ...dynamic.map(([, path]) => ({ path, types: false })),
  ];
}

test('every file stands on a known shelf', () => {
  expect(files.length).toBeGreaterThan(50);
  for (const file of files) expect(Object.keys(BELOW), file).toContain(shelfOf(file));
});

test('imports run downwards', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const shelf = shelfOf(file);
    for (const { path, types } of importsOf(file)) {
      if (!path.startsWith('.')) continue;
      const other = shelfOf(resolve(dirname(file), path));
      const allowed =
        other === shelf ||
        BELOW[shelf].includes(other) ||
        (types && BELOW[shelf].includes(`${other} (types)`));
      if (!allowed) wrong.push(`${relative(ROOT, file)} (${shelf}) imports ${path} (${other})`);
    }
  }
  expect(wrong).toEqual([]);
});

test('only cli touches Node, only web the DOM', () => {
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    if (shelfOf(file) !== 'cli') expect(text, file).not.toMatch(/from 'node:/);
    if (shelfOf(file) !== 'web') expect(text, file).not.toMatch(/\bdocument\.|\bwindow\./);
  }
});

test('nothing of a file or an address is evaluated, or becomes HTML', () => {
  for (const file of files) {
    expect(readFileSync(file, 'utf8'), file).not.toMatch(
      /\beval\(|new Function\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write/,
    );
  }
});

test('only engine and below know WebGPU', () => {
  for (const file of files) {
    if (['gpu', 'kernels', 'engine', 'shaders', 'cli', 'web', 'index'].includes(shelfOf(file))) continue;
    expect(readFileSync(file, 'utf8'), file).not.toMatch(/\bGPU[A-Z]\w+/);
  }
});
