import { rm } from 'node:fs/promises';
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { openPage, stepOf, text, waitFor, waitForText } from '../support/page.ts';
import { pageWithWorkerScript, servePage } from '../support/server.ts';

/** The page on a GPU whose driver never finishes compiling. */

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

/**
 * A script for the worker: the first `devices` devices never build a pipeline, and their time limit passes in a second.
 */
const slow = (devices: number): string => `
  let [left, isSlow] = [${devices}, false];
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await request.call(this, descriptor);
    isSlow = left-- > 0;
    if (isSlow) device.createComputePipelineAsync = () => new Promise(() => undefined);
    return device;
  };
  const set = setTimeout;
  self.setTimeout = (call, ms) => set(call, isSlow && ms >= 60_000 ? 1000 : ms);
`;

async function onPage(devices: number, look: (url: string) => Promise<void>): Promise<void> {
  const folder = await pageWithWorkerScript(inject('builtPage'), slow(devices));
  const server = await servePage(folder);
  try {
    await look(server.url);
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const SMALL = '&model.hidden=8&task.minLength=1&task.maxLength=4&train.batch=8';

test('the page uses the next plan, and shows the reason', () =>
  onPage(1, async url => {
    const { page, complaints } = await openPage(browser, `${url}#v=1&preset=reverse&engine=gpu${SMALL}`);
    await waitForText(page, '#adapter', /plan stepwise, because the kernels .*did not compile/, 120_000);
    await waitFor(page, 'training', async () => (await stepOf(page)) > 5, 60_000);
    expect(complaints).toEqual([]);
    await page.close();
  }));

test('if no plan is left, the page shows why there is no run', () =>
  onPage(2, async url => {
    const { page } = await openPage(browser, `${url}#v=1&preset=reverse&engine=gpu${SMALL}`);
    expect(await text(page, '#status')).toBe('There is no run.');
    expect(await text(page, '#error')).toMatch(
      /did not compile.*then with plan stepwise: the kernels of the stepwise plan did not compile.*Choose engine “auto”: it uses any engine that works/,
    );
    await page.close();
  }));
