import type { Page } from 'puppeteer';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeCheckpoint } from '../../src/train/checkpoint.ts';
import { FIREFOX_SUITE, hasFirefox, launchFirefox, whyNoWebGpu } from '../support/firefox.ts';
import {
  coloursOf,
  downloaded,
  fill,
  openPage,
  press,
  ready,
  stepOf,
  text,
  waitFor,
  waitForText,
} from '../support/page.ts';
import { countRuns, servedPage, storedStep, waitUntilDone } from '../support/served-page.ts';

/** The page with Firefox's WebGPU, if available: training, settings, verification, resuming. */

const SMALL = '&engine=gpu&model.hidden=8&task.minLength=1&task.maxLength=4&train.batch=8&train.stopAt=0';
const STEPS = 400;

describe.runIf(hasFirefox)(FIREFOX_SUITE, () => {
  const served = servedPage(() => launchFirefox({ webgpu: true }));
  /** Why there is no WebGPU; undefined if there is. */
  let missing: string | undefined;
  beforeAll(async () => {
    missing = await whyNoWebGpu(served.browser, served.url);
    if (missing) console.warn(`Pages ${FIREFOX_SUITE} have no WebGPU (${missing}): these tests are skipped.`);
  });

  /** Defines a test that is skipped, with the reason, if this Firefox has no WebGPU. */
  const onGpu = (name: string, work: (page: Page, complaints: string[]) => Promise<void>, rest = ''): void =>
    test(name, async context => {
      context.skip(missing !== undefined, `this Firefox has no WebGPU: ${missing}`);
      const address = `${served.url}#v=1&preset=reverse${SMALL}&train.steps=${STEPS}${rest}`;
      const { page, complaints } = await openPage(served.context, address);
      await work(page, complaints);
      expect(complaints).toEqual([]);
    });

  onGpu('trains to its last step', async page => {
    expect(await text(page, '#adapter')).toMatch(/^engine gpu · /);
    await waitUntilDone(page);
    expect(await coloursOf(page, '#heat')).toBeGreaterThan(10);
    expect(Number((await text(page, '#steps-done')).replaceAll(',', ''))).toBe(STEPS);
  });

  onGpu(
    'agrees with the reference',
    async page => {
      await press(page, '#verify');
      await waitForText(page, '#verify-status', /Agrees|Differs|fail/, 120_000);
      expect(await text(page, '#verify-status')).toMatch(/✓ Agrees/);
    },
    '&paused',
  );

  onGpu(
    'starts a new run with changed settings',
    async page => {
      await fill(page, '#set-train-seed', '5');
      await waitForText(page, '#changes', /Seed 0 → 5/);
      await press(page, '#begin');
      await waitFor(page, 'the new run', async () => (await countRuns(page)) === 2);
      await waitUntilDone(page);
      expect(page.url()).toMatch(/train\.seed=5/);
    },
    '&paused',
  );

  onGpu('resumes after a reload, and ends with the same numbers', async page => {
    const address = page.url();
    await waitUntilDone(page);
    const uninterrupted = decodeCheckpoint((await downloaded(page, '#save-checkpoint')).bytes);
    await served.context.close().catch(() => undefined);
    const { page: other } = await openPage(served.browser, `${address.replace(/&check=.*/, '')}&paused`);
    for (let k = 0; k < 3; k++) await press(other, '#step');
    await waitForText(other, '#status', /Paused at step 3\b/);
    await waitFor(other, 'step 3 to be stored', async () => (await storedStep(other)) === 3);
    await other.reload();
    await ready(other);
    await waitForText(other, '#status', /Paused at step 3\b/);
    await press(other, '#go');
    await waitUntilDone(other);
    expect(await stepOf(other)).toBe(STEPS);
    const resumed = decodeCheckpoint((await downloaded(other, '#save-checkpoint')).bytes);
    expect(resumed.state).toEqual(uninterrupted.state);
  });
});
