import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { openPage, text, waitForText } from '../support/page.ts';
import { type Server, servePage } from '../support/server.ts';

/** The engine `cpu` in the published page: several threads if the host sends the headers for isolation, else one. */

const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const RUN = '#v=1&preset=reverse&engine=cpu&train.steps=200&train.stopAt=0&train.restartAfter=0';

let browser: Browser;
const servers: Server[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) await server.close();
});

/** Trains to the end. Returns the page's description of its engine, and the loss. */
async function run(headers: Record<string, string>): Promise<{ engine: string; loss: string }> {
  const server = await servePage(inject('builtPage'), headers);
  servers.push(server);
  const { page, complaints } = await openPage(browser, `${server.url}${RUN}`);
  await waitForText(page, '#status', /Finished|Done|Trained/i);
  const result = { engine: await text(page, '#adapter'), loss: await text(page, '#loss') };
  expect(complaints).toEqual([]);
  await page.close();
  return result;
}

test('with cross-origin isolation the page uses several threads, without it one; the losses are the same', async () => {
  const single = await run({});
  expect(single.engine).toContain(
    'WebAssembly SIMD · requested; one thread: the page is not cross-origin isolated',
  );
  const several = await run(ISOLATED);
  expect(several.engine).toMatch(/WebAssembly SIMD, \d+ threads · requested /);
  expect(several.loss).toMatch(/\d/);
  expect(several.loss).toBe(single.loss);
});
