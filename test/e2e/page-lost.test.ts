import type { Page } from 'puppeteer';
import { expect, inject, test } from 'vitest';
import { type Checkpoint, decodeCheckpoint } from '../../src/train/checkpoint.ts';
import { launchBrowser } from '../support/browser.ts';
import { comparable } from '../support/comparable.ts';
import { downloaded, isHidden, openPage, stepOf, waitFor, waitForText } from '../support/page.ts';
import { servePage } from '../support/server.ts';

/**
 * Kills the browser's GPU process during training: the run resumes by itself, with the numbers of an uninterrupted run.
 * PUSHDOWN_CRASHES sets the number of crashes; the default is small.
 */
const CRASHES = Number(process.env['PUSHDOWN_CRASHES'] ?? 1);

const checkpointOf = async (page: Page): Promise<Checkpoint> =>
  decodeCheckpoint((await downloaded(page, '#save-checkpoint')).bytes);

test('after crashes of the GPU process, a run ends with the numbers of an uninterrupted run', async () => {
  // By default Chrome disables a GPU that crashes repeatedly, and blocks it for the site that was open at the time.
  const browser = await launchBrowser({
    args: ['--disable-gpu-process-crash-limit', '--disable-domain-blocking-for-3d-apis'],
  });
  const server = await servePage(inject('builtPage'));
  try {
    const steps = Math.max(600, 400 * CRASHES);
    const address = `${server.url}#v=1&preset=reverse&engine=gpu&model.hidden=8&train.steps=${steps}&train.stopAt=0`;
    const context = await browser.createBrowserContext();
    const { page: undisturbed } = await openPage(context, address);
    await waitForText(undisturbed, '#status', /Done: all/, 600_000);
    const expected = comparable(await checkpointOf(undisturbed));
    await context.close();

    const { page } = await openPage(browser, address);
    const session = await browser.target().createCDPSession();
    let crashes = 0;
    while (crashes < CRASHES) {
      const from = await stepOf(page);
      expect(from, `${crashes} crashes`).toBeLessThan(steps);
      await waitFor(page, 'some steps', async () => (await stepOf(page)) !== from);
      await session.send('Browser.crashGpuProcess' as never).catch(() => undefined);
      crashes++;
      const message = new RegExp(
        `the device was lost .* Training resumes from step [\\d,]+.* Devices lost so far: ${crashes}\\.`,
      );
      await waitForText(page, '#recovered', message, 60_000);
      // A snapshot is due every two seconds. Without a new one, the run would resume from the same step every time.
      if (crashes % 4 === 0) await new Promise(resolve => setTimeout(resolve, 2500));
    }
    await waitForText(page, '#status', /Done: all/, 600_000);
    expect(comparable(await checkpointOf(page))).toEqual(expected);
    expect(await isHidden(page, '#error')).toBe(true);
  } finally {
    await browser.close();
    await server.close();
  }
}, 3_600_000);
