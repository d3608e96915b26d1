import type { Browser, BrowserContext, Page } from 'puppeteer';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { type Checkpoint, decodeCheckpoint } from '../../src/train/checkpoint.ts';
import { launchBrowser } from './browser.ts';
import { downloaded, waitForText } from './page.ts';
import { type Server, servePage } from './server.ts';

/** The published page on a server, and a browser in which every test starts with empty storage. */
export interface ServedPage {
  readonly url: string;
  readonly browser: Browser;
  /** The browser context of the current test, with its own storage. */
  readonly context: BrowserContext;
}

/**
 * Sets up a test file or one `describe`: call it once, at the top. The returned object can be used from beforeAll on.
 * @param launch opens the browser; Chrome by default
 */
export function servedPage(launch: () => Promise<Browser> = launchBrowser): ServedPage {
  let server: Server;
  let browser: Browser;
  let context: BrowserContext;
  beforeAll(async () => {
    [server, browser] = await Promise.all([servePage(inject('builtPage')), launch()]);
    context = await browser.createBrowserContext();
  });
  beforeEach(async () => {
    await context.close();
    context = await browser.createBrowserContext();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  return {
    get url() {
      return server.url;
    },
    get browser() {
      return browser;
    },
    get context() {
      return context;
    },
  };
}

export const waitUntilDone = (page: Page): Promise<void> =>
  waitForText(page, '#status', /Done: all|Solved/, 60_000);

export const countRuns = (page: Page): Promise<number> => page.$$eval('#runs tr', rows => rows.length);

/** The checkpoint that the page saves of its run. */
export const checkpointOf = async (page: Page): Promise<Checkpoint> =>
  decodeCheckpoint((await downloaded(page, '#save-checkpoint')).bytes);

/** The latest step of any run in the browser's storage; -1 if there is none. */
export const storedStep = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>(resolve => {
        const opening = indexedDB.open('pushdown');
        opening.onsuccess = () => {
          const all = opening.result.transaction('runs').objectStore('runs').getAll();
          all.onsuccess = () => {
            opening.result.close();
            resolve(Math.max(-1, ...all.result.map(run => run.step)));
          };
        };
      }),
  );
