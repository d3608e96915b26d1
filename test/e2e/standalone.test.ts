import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { codeBlocks, readDocument } from '../support/documents.ts';
import { filesBelow, type StaticServer, serveFiles } from '../support/static-server.ts';

/** `dist/pushdown.js` in pages without a bundler, loaded from the host of the page and from another host, like a CDN. */

const ROOT = resolve(import.meta.dirname, '../..');
const bytes = readFileSync(join(ROOT, 'dist', 'pushdown.js'));

const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
/** The headers that CDNs send. */
const OPEN = { 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' };

interface Trained {
  adapter: { name: string; reason: string; threads: number };
  loss: number;
  /** The error of openEngine('cpu', { threads: 2 }). */
  refused: string;
}

/** A script that trains a few steps. */
const trainFrom = (module: string): string => `
import { assign, openEngine, preset, Trainer } from '${module}';
export async function train() {
  const engine = await openEngine('cpu');
  const trainer = await Trainer.start(engine, assign(preset('reverse'), ['steps=20']));
  await trainer.run();
  const { name, reason, threads } = engine.adapter;
  engine.destroy();
  const refused = await openEngine('cpu', { threads: 2 }).then(two => two.destroy() ?? '', String);
  return { adapter: { name, reason, threads }, loss: trainer.progress.loss, refused };
}`;

const PAGES: Record<string, string> = {
  '/page.html': `<!doctype html><title>page</title><script type="module">
    import { train } from './train.js';
    window.trained = train();
  </script>`,
  '/worker.html': `<!doctype html><title>worker</title><script type="module">
    const worker = new Worker('./worker.js', { type: 'module' });
    window.trained = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  </script>`,
  '/worker.js': `import { train } from './train.js'; postMessage(await train());`,
};

let browser: Browser;
let cdn: StaticServer;
const servers: StaticServer[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  cdn = await serveFiles(() => bytes, OPEN);
  servers.push(cdn);
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) await server.close();
});

/** Trains in a page or in its worker. @param from the host of the module; by default that of the page */
async function trainedOn(
  page: '/page.html' | '/worker.html',
  headers: Record<string, string>,
  from = '.',
): Promise<Trained> {
  const files: Record<string, string | Buffer> = {
    ...PAGES,
    '/train.js': trainFrom(`${from}/pushdown.js`),
    '/pushdown.js': bytes,
  };
  const server = await serveFiles(path => {
    if (!(path in files)) throw new Error(path);
    return files[path];
  }, headers);
  servers.push(server);
  const tab = await browser.newPage();
  // Without this, machines with one core have no second thread.
  await tab.evaluateOnNewDocument(() =>
    Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 2 }),
  );
  await tab.goto(`${server.url}${page}`);
  await tab.waitForFunction('"trained" in window');
  const trained = (await tab.evaluate('window.trained')) as Trained;
  await tab.close();
  return trained;
}

let loss: number;

test('trains on one thread if the page is not cross-origin isolated', async () => {
  const trained = await trainedOn('/page.html', {});
  expect(trained.adapter).toMatchObject({ name: 'WebAssembly SIMD', threads: 1 });
  expect(trained.adapter.reason).toMatch(/one thread: the page is not cross-origin isolated$/);
  expect(trained.refused).toMatch(/2 threads are not available: the page is not cross-origin isolated/);
  expect(trained.loss).toBeGreaterThan(0);
  loss = trained.loss;
});

test.each([
  ['from the host of the page', () => '.'],
  ['from another host', () => cdn.url],
])('trains on two threads in an isolated page, loaded %s, with exactly the same loss', async (_, from) => {
  for (const page of ['/page.html', '/worker.html'] as const) {
    const trained = await trainedOn(page, ISOLATED, from());
    expect(trained, page).toMatchObject({ adapter: { threads: 2 }, loss, refused: '' });
    expect(trained.adapter.reason, page).not.toContain('one thread');
  }
});

test('trains on one thread if it is loaded from another host, without isolation', async () => {
  expect(await trainedOn('/page.html', {}, cdn.url)).toMatchObject({ adapter: { threads: 1 }, loss });
});

test('trains on one thread, and gives the reason, if the page forbids workers from blobs', async () => {
  const policy = `script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' ${cdn.url}; worker-src 'self'`;
  const trained = await trainedOn('/page.html', { ...ISOLATED, 'Content-Security-Policy': policy }, cdn.url);
  expect(trained).toMatchObject({ adapter: { threads: 1 }, loss });
  const why = /the browser did not start a worker: .* worker-src blob:/;
  expect(trained.adapter.reason).toMatch(why);
  expect(trained.refused).toMatch(why);
});

test('the file contains the WebGPU kernels', async () => {
  const page = `<!doctype html><title>gpu</title><script type="module">
    import { openEngine } from './pushdown.js';
    const engine = await openEngine('gpu');
    const stack = await engine.memory({ kind: 'stack', B: 1, T: 3, M: 1 });
    const inputs = [[0.8, 0.5, 0.9], [0, 0.1, 0.9], [1, 2, 3]].map(numbers => new Float32Array(numbers));
    window.read = [...(await stack.forward(...inputs))];
  </script>`;
  const server = await serveFiles(path => (path === '/pushdown.js' ? bytes : page));
  servers.push(server);
  const tab = await browser.newPage();
  await tab.goto(`${server.url}/page.html`);
  await tab.waitForFunction('"read" in window');
  const read = (await tab.evaluate('window.read')) as number[];
  for (const [k, expected] of [0.8, 1.5, 2.8].entries()) expect(read[k]).toBeCloseTo(expected, 5);
});

test('examples/page.html trains and answers', async () => {
  const server = await serveFiles(filesBelow(ROOT));
  servers.push(server);
  const tab = await browser.newPage();
  await tab.goto(`${server.url}/examples/page.html`);
  const log = () => tab.$eval('#log', element => element.textContent ?? '');
  await tab.waitForFunction("/→|Error/.test(document.querySelector('#log').textContent)");
  expect(await log()).toMatch(/^engine \w+: .*\n(step .*\n)+ended: solved\na b c d → d c b a\n$/);
});

test('the file is smaller than 340 kB, and smaller than 115 kB gzipped', () => {
  expect(bytes.length).toBeLessThan(340_000);
  expect(gzipSync(bytes, { level: 9 }).length).toBeLessThan(115_000);
});

test('the page in the README trains, and gives the answer in its comment', async () => {
  const page = codeBlocks(readDocument('README.md')).find(({ language }) => language === 'html')!.code;
  const server = await serveFiles(path => (path === '/page.html' ? page : filesBelow(ROOT)(path)));
  servers.push(server);
  const tab = await browser.newPage();
  await tab.goto(`${server.url}/page.html`);
  await tab.waitForFunction('document.querySelector("#log").textContent.includes("→")');
  expect(await tab.$eval('#log', ({ textContent }) => textContent)).toBe('solved: a b c d → d c b a');
});
