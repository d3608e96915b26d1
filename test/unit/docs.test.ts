import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { checkoutCompiler } from '../support/consumer.ts';
import { anchorsOf, codeBlocks, DOCUMENTS, linksOf, ROOT, readDocument } from '../support/documents.ts';

/** README, docs/ and the other documents: links resolve, code compiles, and the README stays short. */

test('anchors are computed as GitHub computes them', () => {
  const text =
    "# A *b*: `c`, d's\n\n## Same\n\n```sh\n# no heading\n```\n\n## Same\n\n### T = 2², [link](x.md)\n";
  expect(anchorsOf(text)).toEqual(['a-b-c-ds', 'same', 'same-1', 't--2²-link']);
});

test('links are found in text, pictures and HTML, and not in code', () => {
  const text = '[a](b.md#c) ![d](e.png) <img src="f.svg"> `[g](h)`\n\n```js\n[i](j)\n```\n';
  expect(linksOf(text)).toEqual(['b.md#c', 'e.png', 'f.svg']);
});

test.each(DOCUMENTS)('%s: relative links and anchors resolve', path => {
  const broken = linksOf(readDocument(path)).filter(target => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file, anchor] = target.split('#');
    const found = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file));
    if (!existsSync(join(ROOT, found))) return true;
    return anchor !== undefined && !anchorsOf(readDocument(found)).includes(decodeURIComponent(anchor));
  });
  expect(broken).toEqual([]);
});

test('docs/README.md links to every document of docs/', () => {
  const linked = linksOf(readDocument('docs/README.md'));
  const documents = DOCUMENTS.filter(path => path.startsWith('docs/') && path !== 'docs/README.md');
  expect(documents.filter(path => !linked.includes(path.slice('docs/'.length)))).toEqual([]);
});

test('every document starts with a heading, which is the title of its page on the site', () => {
  for (const path of DOCUMENTS) expect(readDocument(path), path).toMatch(/^# \S/);
});

test('the README has at most 150 lines', () => {
  expect(readDocument('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});

/** In node_modules, so that the package resolves by its name. Only this process uses it. */
const FOLDER = join(ROOT, 'node_modules', `.docs-${process.pid}`);
afterAll(() => rm(FOLDER, { recursive: true, force: true }));

/** Compiles these files of FOLDER. Returns what the compiler prints: '' if there are no errors. */
async function compile(files: string[], strict: boolean): Promise<string> {
  const compilerOptions = {
    ...{ noEmit: true, allowJs: true, checkJs: true, skipLibCheck: true, strict },
    ...{ target: 'es2023', lib: ['ES2023', 'DOM'], module: 'nodenext', types: ['node'] },
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  const config = join(FOLDER, `tsconfig-${strict}.json`);
  await writeFile(config, JSON.stringify({ compilerOptions, files }));
  const { folder } = await checkoutCompiler();
  const compiled = promisify(execFile)(process.execPath, [join(folder, 'bin/tsc'), '-p', config]);
  return compiled.then(
    () => '',
    error => error.stdout || String(error),
  );
}

test('programs in TypeScript and JavaScript compile (those of examples/ are run by other tests)', async () => {
  await mkdir(FOLDER, { recursive: true });
  const files: string[] = [];
  for (const path of DOCUMENTS) {
    // A program may use names that earlier programs of its document declare: these are imported.
    const declared = new Map<string, string>();
    for (const [k, { language, code, marker }] of codeBlocks(readDocument(path)).entries()) {
      if (!/^(ts|js|typescript|javascript)$/.test(language) || marker.startsWith('examples/')) continue;
      const name = `${path.replace(/\W/g, '-')}-${k + 1}.${language.startsWith('t') ? 'mts' : 'mjs'}`;
      const exported = [...code.matchAll(/^(?:async )?(?:function|class|const|let) (\w+)/gm)].map(
        ([, id]) => id,
      );
      const used = [...declared].filter(
        ([id]) => !exported.includes(id) && new RegExp(`\\b${id}\\b`).test(code),
      );
      const imports = used.map(([id, from]) => `import { ${id} } from './${from}';\n`);
      await writeFile(join(FOLDER, name), `${imports.join('')}${code}\nexport { ${exported.join(', ')} };\n`);
      files.push(name);
      for (const id of exported) declared.set(id, name.replace(/\.m[tj]s$/, '.mjs'));
    }
  }
  expect(files.length).toBeGreaterThan(0);
  // JavaScript declares no types, so types that cannot be inferred are not errors there.
  for (const strict of [true, false]) {
    const programs = files.filter(name => name.endsWith('.mts') === strict);
    if (programs.length > 0) expect(await compile(programs, strict)).toBe('');
  }
}, 60_000);
