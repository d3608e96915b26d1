import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { drop, isHidden, openPage, press, ready, waitForText } from '../support/page.ts';
import { checkpointOf } from '../support/served-page.ts';
import { type Server, servePage } from '../support/server.ts';

/**
 * The look of the page after it has solved its default task without input: axe-core checks it in light and dark,
 * at the widths of a phone, a tablet and a desktop. With PUSHDOWN_SCREENSHOTS=<folder>, screenshots are saved.
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

test('without input, the default run is solved within three minutes; it can be measured at ten times the length and verified', async () => {
  await waitForText(page, '#status', /^Solved at step/, 180_000);
  // The first run that a new user sees must not need a restart.
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
  // For screenshots it is trained longer, so that the picture shows something; for the rules, 100 steps are enough.
  ['dark', 'a deque', `#v=1&preset=small/copy/deque&train.steps=${folder ? 3000 : 100}`],
] as const)('%s, %s: no violation of accessibility rules, no sideways scrolling', async (scheme, _, hash) => {
  if (hash) {
    await page.evaluate(hash => {
      location.hash = hash;
    }, hash);
    await waitForText(page, '#status', /Done: all [\d,]+ steps/, 120_000);
  }
  // Loads and opens the parts that are not shown at first, so that they are checked too.
  await page.$eval('#hand-title', title => title.scrollIntoView());
  await page.waitForSelector('#by-hand:not([inert])');
  if (await isHidden(page, '#own')) await press(page, '#experiment-own');
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  for (const details of ['closed', 'open'] as const) {
    for (const width of WIDTHS) {
      await page.setViewport({ width, height: 900 });
      // `closed` is the state after the first load: panels are open except on phones, other details are closed.
      await page.$$eval(
        'details',
        (elements, open, narrow) => {
          for (const element of elements) element.open = open || (!narrow && element.matches('.panel'));
        },
        details === 'open',
        width < 640,
      );
      // Charts and the picture adapt to the width one frame later.
      await new Promise(resolve => setTimeout(resolve, 300));
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, `${width} px wide, details ${details}`).toBeLessThanOrEqual(0);
      // One width is enough for the colours of the dark scheme.
      if (scheme === 'light' || width === WIDTHS[0])
        expect(await violations(axe), `${width} px wide, details ${details}`).toEqual([]);
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

/** The accessibility rules that the page violates, with the elements. @param axe source text of axe-core */
async function violations(axe: string): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    const found = (await axe.run()).violations;
    return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`);
  });
}

interface Violation {
  id: string;
  help: string;
  nodes: { html: string }[];
}

test('on a phone panels are closed; a message in a panel opens it', async () => {
  const { page: phone } = await openPage(browser, `${server.url}#v=1&preset=reverse&engine=cpu&paused`);
  await phone.setViewport({ width: 360, height: 900 });
  await phone.reload();
  await ready(phone);
  expect(await phone.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(5000);
  expect(await isHidden(phone, '#form')).toBe(true);
  await drop(phone, { name: 'picture.png', content: 'x' });
  await waitForText(phone, '#file-problem', /cannot be used here/);
  expect(await isHidden(phone, '#file-problem')).toBe(false);
  await phone.close();
});

test('the files that the page loads at first are smaller than 150 kB gzipped', async () => {
  const assets = join(server.folder, 'assets');
  const names = await readdir(assets);
  const sizes = new Map<string, number>();
  for (const name of names) sizes.set(name, gzipSync(await readFile(join(assets, name))).length);
  const sum = (names: string[]): number => names.reduce((all, name) => all + sizes.get(name)!, 0);
  const named = (pattern: RegExp): string[] => {
    const found = names.filter(name => pattern.test(name));
    expect(found.length, String(pattern)).toBe(1);
    return found;
  };
  // Loaded on demand: a model of the gallery, the memory operated by hand, a verification.
  const onDemand = [
    ...names.filter(name => name.endsWith('.safetensors')),
    ...named(/^hand-/),
    ...named(/^verifying-/),
    ...named(/^verify-/),
    // Loaded by the check of the device.
    ...named(/^doctor-/),
    ...named(/^examining-/),
    // Loaded when the gallery is near the viewport, and when all settings are opened.
    ...named(/^cards-/),
    ...named(/^field-help-/),
    ...named(/^reference-/),
    // Loaded for the picture of a superposition stack or a tape.
    ...named(/^shares-/),
    ...named(/^memory-/),
    // Loaded for the stepwise plan, and on a software adapter.
    ...named(/^autotune-/),
    ...named(/^private-memory-/),
    // The code of a memory as a layer, which the page does not use.
    ...named(/^gpu-memory-/),
    ...named(/^cpu-memory-/),
  ];
  // Only one of the two engines is loaded.
  const onGpu = [...named(/^gpu-(?!memory)/), ...named(/^device-/)];
  const onCpu = [...named(/^cpu-(?!memory)/), ...named(/^thread-/)];
  const always = names.filter(name => ![...onDemand, ...onGpu, ...onCpu].includes(name));
  const page = gzipSync(await readFile(join(server.folder, 'index.html'))).length;
  expect(page + sum(always) + Math.max(sum(onGpu), sum(onCpu))).toBeLessThan(150_000);
});

test('the Tab key reaches every kind of control, and nothing traps the focus', async () => {
  await page.setViewport({ width: 1400, height: 900 });
  // Starts at the top of the page, wherever the focus was.
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
  });
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
    'choose-memory-queue',
    'experiment-queue',
    'restart',
    'pace',
    'past',
    'hand-pop-0',
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
