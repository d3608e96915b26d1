import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/**
 * Imports only point downwards, including type imports:
 *   cli, web, entries → doctor → platform → train → engine → kernels, simd, reference → shaders, tasks, gpu, plot → layout → base
 * `entries` are the files directly in src. Only cli and platform/node use Node, only web uses the DOM, and train uses
 * engines only through their interface.
 */
const ROOT = resolve(import.meta.dirname, '../..');

/** The layers that each layer may import from, besides itself. */
const BELOW: Record<string, string[]> = {
  base: [],
  layout: ['base'],
  gpu: ['base'],
  tasks: ['base'],
  plot: [],
  shaders: ['base', 'layout'],
  reference: ['base'],
  simd: ['base', 'layout'],
  kernels: ['base', 'layout', 'gpu', 'shaders'],
  engine: ['base', 'layout', 'gpu', 'shaders', 'reference', 'simd', 'kernels'],
  train: ['base', 'tasks', 'engine'],
  platform: ['base', 'gpu', 'kernels', 'engine'],
  doctor: ['base', 'gpu', 'kernels', 'engine', 'train', 'platform'],
  entries: ['base', 'gpu', 'tasks', 'kernels', 'engine', 'train', 'platform'],
  cli: ['base', 'plot', 'tasks', 'kernels', 'engine', 'train', 'platform', 'doctor', 'entries'],
  // The page's memory operated by hand runs on the reference itself.
  web: ['base', 'tasks', 'reference', 'kernels', 'engine', 'train', 'platform', 'doctor'],
};

const layerOf = (file: string): string => {
  const [top, second] = relative(ROOT, file).split(/[\\/]/);
  if (top === 'shaders') return 'shaders';
  return second.endsWith('.ts') ? 'entries' : second;
};

const filesBelow = (top: string): string[] =>
  readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .filter(name => !/simd[\\/]assembly|node_modules/.test(name))
    .map(name => join(ROOT, top, name));

const files = ['src', 'shaders'].flatMap(filesBelow);

/** The files that a file imports and re-exports, including types, and the workers that it opens, as paths. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found = [...text.matchAll(/^\s*(?:import|export)\s+(?:type\s)?[^;'"]*?from\s+['"]([^'"]+)['"]/gm)];
  const dynamic = [...text.matchAll(/import\(\s*['"]([^'"]+)['"]\s*\)/g)];
  const workers = [...text.matchAll(/new Worker\(new URL\(\s*['"]([^'"]+)['"]/g)];
  return [...found, ...dynamic, ...workers]
    .map(([, path]) => path)
    .filter(path => path.startsWith('.'))
    .map(path => resolve(dirname(file), path));
}

test('every file belongs to a known layer', () => {
  expect(files.length).toBeGreaterThan(50);
  for (const file of files) expect(Object.keys(BELOW), file).toContain(layerOf(file));
});

test('imports point downwards', () => {
  const layers = Object.keys(BELOW);
  for (const [k, layer] of layers.entries()) {
    for (const below of BELOW[layer]) expect(layers.slice(0, k), layer).toContain(below);
  }
  const wrong: string[] = [];
  for (const file of files) {
    const layer = layerOf(file);
    for (const path of importsOf(file)) {
      const other = layerOf(path);
      if (other === layer || BELOW[layer].includes(other)) continue;
      wrong.push(`${relative(ROOT, file)} (${layer}) imports ${relative(ROOT, path)} (${other})`);
    }
  }
  expect(wrong).toEqual([]);
});

/** The folders of src/cli, each of which may import from those before it; then the files beside them. */
const CLI = ['io', 'files', 'show', 'arguments', 'run', 'sweep', 'commands', 'program.ts', 'main.ts'];

test('imports point downwards within src/cli too', () => {
  const cli = join(ROOT, 'src', 'cli');
  const levelOf = (file: string): number => CLI.indexOf(relative(cli, file).split(/[\\/]/)[0]);
  const wrong: string[] = [];
  for (const file of files.filter(name => layerOf(name) === 'cli')) {
    expect(levelOf(file), file).toBeGreaterThanOrEqual(0);
    for (const path of importsOf(file)) {
      if (layerOf(path) !== 'cli' || levelOf(path) <= levelOf(file)) continue;
      wrong.push(`${relative(cli, file)} imports ${relative(cli, path)}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('only one module of src/cli claims the folder of a run and writes to it', () => {
  const owner = /run[\\/]folder\.ts$/;
  for (const file of files.filter(name => layerOf(name) === 'cli' && !owner.test(name))) {
    const imported =
      readFileSync(file, 'utf8')
        .match(/^import [^;]*;/gm)
        ?.join('\n') ?? '';
    expect(imported, file).not.toMatch(
      /\b(claimFolder|clearTemporaries|encodeCheckpoint|keepLast|renameEarlier|Log)\b/,
    );
  }
});

/** The cycles of a graph, each as its nodes in order. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const at = path.indexOf(node);
    if (at >= 0) {
      cycles.push([...path.slice(at), node].join(' → '));
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return cycles;
}

test('cycles are found', () => {
  const graph = { a: ['b'], b: ['c', 'd'], c: [], d: ['b', 'a'] };
  expect(cyclesOf(new Map(Object.entries(graph)))).toEqual(['b → d → b', 'a → b → d → a']);
});

test('no import cycles, also in benchmarks and tests', () => {
  const all = [...files, ...filesBelow('bench'), ...filesBelow('test')];
  expect(all.length).toBeGreaterThan(300);
  const fromRoot = (file: string): string => relative(ROOT, file);
  expect(cyclesOf(new Map(all.map(file => [fromRoot(file), importsOf(file).map(fromRoot)])))).toEqual([]);
});

test("no cycles between the page's folders", () => {
  const web = join(ROOT, 'src/web');
  const folderOf = (file: string): string => relative(web, dirname(file));
  const folders = new Map<string, string[]>();
  for (const file of files.filter(name => layerOf(name) === 'web')) {
    const others = importsOf(file)
      .map(folderOf)
      .filter(folder => folder !== folderOf(file) && folder !== '' && !folder.startsWith('..'));
    // Files directly in src/web connect the folders, or are shared by them.
    if (folderOf(file)) folders.set(folderOf(file), [...(folders.get(folderOf(file)) ?? []), ...others]);
  }
  expect(folders.size).toBeGreaterThan(5);
  expect(cyclesOf(folders)).toEqual([]);
});

test('train uses engines only through their interface', () => {
  for (const file of files.filter(name => layerOf(name) === 'train')) {
    for (const path of importsOf(file)) {
      if (layerOf(path) === 'engine') expect(relative(ROOT, path), file).toMatch(/engine[\\/]engine\.ts$/);
    }
  }
});

test('only cli and platform/node use Node, only web uses the DOM', () => {
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const node = layerOf(file) === 'cli' || /src[\\/]platform[\\/]node/.test(file);
    if (!node) expect(text, file).not.toMatch(/from 'node:/);
    if (layerOf(file) !== 'web') expect(text, file).not.toMatch(/\bdocument\.|\bwindow\./);
  }
});

test('no text of a file or an address is evaluated or becomes HTML', () => {
  for (const file of files) {
    expect(readFileSync(file, 'utf8'), file).not.toMatch(
      /\beval\(|new Function\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write/,
    );
  }
});

test('base, layout, reference, simd, tasks, plot, train, doctor and the entries use no types of WebGPU', () => {
  for (const file of files) {
    if (['gpu', 'kernels', 'engine', 'shaders', 'platform', 'cli', 'web'].includes(layerOf(file))) continue;
    expect(readFileSync(file, 'utf8'), file).not.toMatch(/\bGPU[A-Z]\w+/);
  }
});
