import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { openPage, press, waitForText } from '../support/page.ts';
import { checkpointOf } from '../support/served-page.ts';
import { type Server, servePage } from '../support/server.ts';

/**
 * How the page looks and reads, once it has solved its default task untouched: by axe-core, in light and dark, at the
 * widths of a phone, a tablet and a desk. PUSHDOWN_SCREENSHOTS=<folder> keeps the pictures.
 */

const WIDTHS = [360, 800, 1400];
const folder = process.env['PUSHDOWN_SCREENSHOTS'];

let server: Server;
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  [server, browser] = await Promise.all([servePage(inject('builtPage')), launchBrowser()]);
  ({ page, complaints } = await openPage(browser, server.url));
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('untouched, the default run is solved within three minutes; it is right ten times as long, and verified', async () => {
  await waitForText(page, '#status', /^Solved at step/, 180_000);
  // Nobody's first run gets stuck.
  expect((await checkpointOf(page)).run.restarts).toBe(0);
  await press(page, '#measure-lengths');
  await press(page, '#try button');
  await press(page, '#verify');
  await waitForText(page, '#lengths-status', /At length 160/, 60_000);
  await waitForText(page, '#verify-status', /Agrees/, 60_000);
  expect(complaints).toEqual([]);
});

test.each([
  ['light', 'a stack', ''],
  // For a picture of it trained; the rules are about the page.
  ['dark', 'a deque', `#v=1&preset=small/copy/deque&train.steps=${folder ? 3000 : 100}`],
] as const)('%s, %s: no violation of accessibility rules, no sideways scrolling', async (scheme, _, hash) => {
  if (hash) {
    await page.evaluate(hash => {
      location.hash = hash;
    }, hash);
    await waitForText(page, '#status', /Done: all [\d,]+ steps/, 120_000);
  }
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  for (const details of ['closed', 'open'] as const) {
    await page.$$eval(
      'details',
      (all, open) => {
        for (const one of all) one.open = open;
      },
      details === 'open',
    );
    for (const width of WIDTHS) {
      await page.setViewport({ width, height: 900 });
      // Charts and picture follow the width a frame later.
      await new Promise(resolve => setTimeout(resolve, 300));
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(over, `${width} px wide, details ${details}`).toBeLessThanOrEqual(0);
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
        const found = (await axe.run()).violations;
        return found.map(
          ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`,
        );
      });
      expect(violations, `${width} px wide, details ${details}`).toEqual([]);
      if (folder && details === 'closed') {
        await mkdir(folder, { recursive: true });
        const path = (part: string) => join(folder, `page-${scheme}-${width}${part}.png`) as `${string}.png`;
        await page.screenshot({ path: path(''), fullPage: true });
        const clip = { x: 0, y: 0, width, height: 1.1 * Math.max(width, 1200) };
        await page.screenshot({ path: path('-top'), clip, captureBeyondViewport: true });
      }
    }
  }
});

interface Violation {
  id: string;
  help: string;
  nodes: { html: string }[];
}

test('the first load is below 150 kB gzipped', async () => {
  // All that page and workers may ever load, but of the engines, which are loaded on demand, the largest alone.
  const assets = join(server.folder, 'assets');
  const names = await readdir(assets);
  const sizeOf = async (file: string): Promise<number> => gzipSync(await readFile(file)).length;
  const engines: number[] = [];
  let rest = await sizeOf(join(server.folder, 'index.html'));
  let threads = 0;
  for (const name of names) {
    // Models of the gallery are loaded with a click.
    if (name.endsWith('.safetensors')) continue;
    const size = await sizeOf(join(assets, name));
    if (/^(gpu|cpu|reference)-/.test(name)) engines.push(size);
    else if (name.startsWith('thread-')) threads = size;
    else rest += size;
  }
  expect(threads).toBeGreaterThan(0);
  expect(names.length).toBeGreaterThan(5);
  expect(engines.length).toBeGreaterThanOrEqual(3);
  expect(rest + threads + Math.max(...engines)).toBeLessThan(150_000);
});

test('by keys alone: the first stop is a link, then the buttons; nothing traps the focus', async () => {
  await page.setViewport({ width: 1400, height: 900 });
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const seen: string[] = [];
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const { activeElement: at } = document;
      return at && at !== document.body ? at.id || at.textContent?.trim().slice(0, 30) || at.tagName : '';
    });
    if (at === '') break;
    seen.push(at);
  }
  for (const id of [
    'restart',
    'pace',
    'source',
    'play',
    'time',
    'heat-scroll',
    'smoothing',
    'try-source',
    'preset',
    'begin',
    'files',
    'verify',
  ]) {
    expect(seen).toContain(id);
  }
  expect(seen.length).toBeLessThan(200);
});
