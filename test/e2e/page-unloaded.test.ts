import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { fill, press, text, waitFor, waitForText } from '../support/page.ts';
import { servePage } from '../support/server.ts';

/** The page reports scripts that do not load: all of them, or a single one that an update of the site has removed. */

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

/** Serves the published page without the scripts whose names match. Calls `look` with a new tab and the page's URL. */
async function openWithout(scripts: RegExp, look: (page: Page, url: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pushdown-stale-'));
  await cp(inject('builtPage'), folder, { recursive: true });
  const assets = join(folder, 'some/folder/assets');
  const gone = (await readdir(assets)).filter(name => scripts.test(name));
  expect(gone.length).toBeGreaterThan(0);
  for (const name of gone) await rm(join(assets, name));
  const server = await servePage(folder);
  const page = await browser.newPage();
  try {
    await look(page, `${server.url}#v=1&preset=reverse&engine=cpu&paused`);
  } finally {
    await page.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const isVisible = (page: Page, selector: string): Promise<boolean> =>
  page.$eval(selector, element => element.checkVisibility({ visibilityProperty: true }));

/** Expects the message that the page has not started, and that no button can be focused. */
async function expectNotStarted(page: Page, words: RegExp): Promise<void> {
  await waitFor(page, 'the message', async () => isVisible(page, '#unloaded'));
  expect(await text(page, '#unloaded')).toMatch(words);
  expect(await text(page, 'header')).not.toMatch(/right now/);
  await page.$eval('#verify', button => (button as HTMLElement).focus());
  expect(await page.evaluate(() => document.activeElement?.id)).not.toBe('verify');
}

test('the page says that it has not started if it is opened as a file', async () => {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(join(inject('builtPage'), 'some/folder/index.html')).href);
  await expectNotStarted(page, /has not started.*opened as a file/s);
  await page.close();
});

test('the page says that it has not started if its first script is missing', () =>
  openWithout(/^index-.*\.js$/, async (page, url) => {
    await page.goto(url);
    await expectNotStarted(page, /has not started.*Allow JavaScript/s);
  }));

test('the page says that it has not started if a script that the first one loads is missing', () =>
  openWithout(/^page-.*\.js$/, async (page, url) => {
    await page.goto(url);
    await waitForText(page, '#unloaded', /did not start/);
    await expectNotStarted(page, /one of its scripts did not load\. Reload the page/);
  }));

test.each([
  ['the worker', /^worker-.*\.js$/],
  ['the training code of the worker', /^training-.*\.js$/],
  ['the engine', /^cpu-.*\.js$/],
])('the page says that there is no run if a script is missing: %s', (_, scripts) =>
  openWithout(scripts, async (page, url) => {
    await page.goto(url);
    await waitForText(page, '#error', /did not load|dynamically imported/);
    expect(await text(page, '#error')).toMatch(/Reload the page/);
    expect(await text(page, '#error')).not.toMatch(/report it/);
    expect(await text(page, '#status')).toBe('There is no run.');
  }),
);

test('the page says that settings were not checked if the script of the checks is missing', () =>
  openWithout(/^checking-.*\.js$/, async (page, url) => {
    await page.goto(url);
    await waitForText(page, '#status', /Ready/);
    await fill(page, '#set-train-rate', '0.003');
    await waitForText(page, '#settings-problem', /the settings were not checked: .*did not load.*Reload/);
  }));

test('the page trains if the script of the memory operated by hand is missing', () =>
  openWithout(/^hand-.*\.js$/, async (page, url) => {
    await page.goto(url);
    await waitForText(page, '#status', /Ready/);
    await page.$eval('#hand-title', title => title.scrollIntoView());
    await waitForText(page, '#hand-problem', /did not load\. Reload the page/);
    await press(page, '#step');
    await waitForText(page, '#status', /step 1\b/);
  }));

test('if every script loads, the page shows no such message', async () => {
  const server = await servePage(inject('builtPage'));
  const page = await browser.newPage();
  await page.goto(`${server.url}#v=1&preset=reverse&engine=cpu&paused`);
  await waitForText(page, '#status', /Ready/);
  expect(await isVisible(page, '#unloaded')).toBe(false);
  await press(page, '#step');
  await waitForText(page, '#status', /step 1\b/);
  await page.close();
  await server.close();
});
