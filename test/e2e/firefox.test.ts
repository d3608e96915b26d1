import { describe, expect, test } from 'vitest';
import { FIREFOX_SUITE, hasFirefox, launchFirefox } from '../support/firefox.ts';
import { openPage, ready, text, waitFor, waitForText } from '../support/page.ts';
import { servedPage, storedStep, waitUntilDone } from '../support/served-page.ts';

/** One test of the page in Firefox, without WebGPU: `npm run verify` runs the others. */

// Printed because many reporters do not list skipped tests.
if (!hasFirefox) console.warn(`The page's tests ${FIREFOX_SUITE}.`);

describe.runIf(hasFirefox)(FIREFOX_SUITE, () => {
  const served = servedPage(launchFirefox);

  test('opens, trains on the CPU until the task is solved, and shows the same run after a reload', async () => {
    const { page, complaints } = await openPage(served.context, `${served.url}#v=1&preset=reverse`);
    expect(await text(page, '#adapter')).toContain('engine cpu · WebAssembly SIMD · ');
    expect(await text(page, '#notice')).toMatch(/WebGPU/);
    await waitUntilDone(page);
    const solved = await text(page, '#status');
    expect(solved).toMatch(/^Solved at step [\d,]+/);
    const step = await text(page, '#steps-done');
    await waitFor(
      page,
      'the last step to be stored',
      async () => (await storedStep(page)) === Number(step.replaceAll(',', '')),
    );
    await page.reload();
    await ready(page);
    await waitForText(page, '#status', /^Solved at step/);
    expect(await text(page, '#status')).toBe(solved);
    expect(await text(page, '#steps-done')).toBe(step);
    expect(complaints).toEqual([]);
  });
});
