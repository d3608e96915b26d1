import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { DOCUMENTS, ROOT, readDocument } from '../support/documents.ts';

/** The documentation site, built as in `npm run build`. The first build installs TypeDoc, which needs a registry. */

const SITE = join(ROOT, 'dist-page', 'docs');
const page = (path: string): string => readFileSync(join(SITE, path), 'utf8');

test('the site has every document and three modules, no dead links, and a link to the page', async () => {
  // The build fails if a link is dead.
  await promisify(execFile)(process.execPath, [join(ROOT, 'site/build.mjs')], { cwd: ROOT });
  for (const path of DOCUMENTS.filter(path => path.startsWith('docs/') && path !== 'docs/README.md')) {
    const [, name] = /docs\/(.+)\.md$/.exec(path)!;
    const heading = /^# (.+)$/m.exec(readDocument(path))![1].replaceAll('`', '');
    expect(page(`${name}.html`), path).toContain(`<title>${heading} | pushdown</title>`);
  }
  for (const name of ['pushdown', 'pushdown_node', 'pushdown_browser'])
    expect(existsSync(join(SITE, `api/modules/${name}.html`)), name).toBe(true);
  expect(page('index.html')).toContain('href="../"');
  expect(page('api/classes/pushdown.Trainer.html')).toContain('href="../../../"');
}, 600_000);
