import type { Page } from 'puppeteer';
import { expect, test } from 'vitest';
import { drop, fill, openPage, press, ready, stepOf, text, waitFor, waitForText } from '../support/page.ts';
import { servedPage } from '../support/served-page.ts';

/** Hurried, clumsy and hostile users. The tests use the CPU engine, which opens at once. */

const served = servedPage();
const address = (rest = '') => `${served.url}#v=1&preset=reverse&engine=cpu${rest}`;
const waitUntilPaused = (page: Page) => waitForText(page, '#status', /Ready|Paused/);

test('of several runs requested in a hurry, only the last one opens and trains', async () => {
  const { page, complaints } = await openPage(served.context, address('&train.batch=256'));
  for (const seed of [5, 6, 7]) {
    await page.evaluate(hash => {
      location.hash = hash;
    }, `#v=1&preset=reverse&engine=cpu&train.seed=${seed}`);
    await new Promise(resolve => setTimeout(resolve, seed === 5 ? 700 : 50));
  }
  // The address does not show which run is open, because the test has set it; the list of runs does.
  await waitForText(page, '#runs', /seed 7/);
  await waitFor(page, 'the last run', async () => /seed 7/.test(await text(page, '#runs tr.current')));
  await waitForText(page, '#go', /Pause/);
  await press(page, '#go');
  await waitForText(page, '#status', /Paused/);
  const at = await stepOf(page);
  await new Promise(resolve => setTimeout(resolve, 800));
  expect(await stepOf(page)).toBe(at);
  // At most one worker for the run and one for the settings.
  expect(page.workers().length).toBeLessThanOrEqual(2);
  expect(await page.evaluate(async () => (await navigator.locks.query()).held?.length)).toBe(1);
  expect(complaints).toEqual([]);
});

test('a run that is resumed, and replaced by a link at once, does not replace the run of the link', async () => {
  const { page, complaints } = await openPage(served.context, address('&train.seed=5'));
  await waitFor(page, 'a step', async () => (await stepOf(page)) > 0);
  await page.evaluate(() => {
    location.hash = '#v=1&preset=reverse&engine=cpu&train.seed=6&paused';
  });
  await waitForText(page, '#status', /Ready/);
  await page.waitForSelector('#runs [id^=resume-]');
  // The address changes right after the click, before the run is found in the browser's storage.
  await page.evaluate(() => {
    document.querySelector<HTMLElement>('#runs [id^=resume-]')!.click();
    location.hash = '#v=1&preset=reverse&engine=cpu&train.seed=7&paused';
  });
  await waitFor(page, 'the last run', async () => /seed 7/.test(await text(page, '#runs tr.current')));
  await new Promise(resolve => setTimeout(resolve, 500));
  expect(await text(page, '#runs tr.current')).toMatch(/seed 7/);
  expect(await text(page, '#status')).toBe('Ready.');
  expect(complaints).toEqual([]);
});

test('a value that is overwritten before it has been checked cannot start a run', async () => {
  const { page } = await openPage(served.context, address('&paused'));
  await waitUntilPaused(page);
  await page.evaluate(() => {
    const field = document.querySelector<HTMLInputElement>('#set-model-hidden')!;
    for (const value of ['24', 'wide']) {
      field.value = value;
      field.dispatchEvent(new Event('input'));
    }
  });
  await new Promise(resolve => setTimeout(resolve, 500));
  expect(await page.$eval('#begin', element => (element as HTMLButtonElement).disabled)).toBe(true);
  expect(await text(page, '#sizes')).toBe('');
});

test('a run that diverges is reported and saved, and can be resumed or replaced', async () => {
  const { page } = await openPage(
    served.context,
    address('&train.optimiser=adamw&train.weightDecay=1&train.rate=1000&train.clip=none'),
  );
  await waitForText(page, '#error', /training diverged: 10 steps in a row .* Lower train.rate \(now 1000\)/);
  expect(await text(page, '#error')).toMatch(/The run is saved as of step \d+/);
  // Requests to this run are refused with a message.
  await press(page, '#try button');
  await waitForText(page, '#try-refused', /the run has ended/);
  await press(page, '#verify');
  await waitForText(page, '#verify-status', /ended|nothing to compare/);
  await waitForText(page, '#runs', /Resume/);
  await press(page, '#runs button');
  await waitFor(page, 'the run to open again', async () =>
    /Pause|Resume|Start/.test(await text(page, '#go')),
  );
  await page.evaluate(() => {
    location.hash = '#v=1&preset=reverse&engine=cpu&paused';
  });
  await waitForText(page, '#status', /Ready/);
  expect(await text(page, '#error')).toBe('');
  expect(await text(page, '#try-refused')).toBe('');
});

test('your own data may have sources that are too long for the picture', async () => {
  const { page, complaints } = await openPage(served.context, address('&paused'));
  await waitUntilPaused(page);
  const line = (length: number) => `${'x y '.repeat(length / 2).trim()}\tx`;
  const pairs = [...Array.from({ length: 20 }, (_, i) => line(2 * i + 4)), line(300), line(302), line(304)];
  await drop(page, { name: 'long.tsv', content: pairs.join('\n') });
  await waitForText(page, '#dropped', /long.tsv/);
  await press(page, '#dropped button');
  await waitFor(page, 'a run on long.tsv', async () => page.url().includes('long.tsv'));
  await waitFor(page, 'a step', async () => (await stepOf(page)) > 0);
  expect(await text(page, '#error')).toBe('');
  expect(complaints).toEqual([]);
});

test('a link to a run on your own data waits for its file', async () => {
  const { page } = await openPage(served.context, address('&paused'));
  await waitUntilPaused(page);
  await page.evaluate(() => {
    location.hash =
      '#v=1&preset=reverse&engine=cpu&task.name=data&task.file=mine.tsv&task.minLength=1&task.maxLength=3&train.evaluateLength=3&task.heldOut=0&paused';
  });
  await waitForText(page, '#settings-problem', /needs your own data: open mine.tsv under “Runs”/);
  expect(page.url()).not.toContain('mine.tsv');
  await drop(page, { name: 'mine.tsv', content: 'p q r\tr q p\nq\tq\n' });
  await waitFor(page, 'the run of the link', async () => page.url().includes('mine.tsv'));
  expect(page.url()).toContain('task.heldOut=0');
});

test('symbols and file names are shown as text, whatever they contain', async () => {
  const { page } = await openPage(served.context, address('&paused'));
  await waitUntilPaused(page);
  const evil = '<img/src=x/onerror=alert(1)>';
  let alerts = 0;
  page.on('dialog', dialog => {
    alerts++;
    dialog.dismiss();
  });
  await drop(page, {
    name: `${evil}.tsv`,
    content: Array.from({ length: 9 }, (_, i) => `${'b '.repeat(i)}${evil}\t${evil} b`).join('\n'),
  });
  await waitForText(page, '#dropped', /onerror/);
  await press(page, '#dropped button');
  await waitFor(page, 'a run on the file', async () => page.url().includes('onerror'));
  await waitForText(page, '#detail-rows', /onerror/);
  await page.evaluate(
    hash => {
      location.hash = hash;
    },
    `#v=1&preset=${encodeURIComponent(evil)}`,
  );
  await waitForText(page, '#link-problem', /unknown preset "<img/);
  await fill(page, '#source', `<b>${evil}</b>`);
  await press(page, '#show button');
  await waitForText(page, '#refused', /unknown symbol "<b>/);
  expect(await page.$$eval('main img', images => images.length)).toBe(0);
  expect(alerts).toBe(0);
});

test('the page trains in a browser without storage', async () => {
  const page = await served.context.newPage();
  await page.evaluateOnNewDocument(() => {
    const denied = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    Object.defineProperty(window, 'sessionStorage', { get: denied });
    IDBFactory.prototype.open = denied;
  });
  await page.goto(address());
  await ready(page);
  await waitFor(page, 'training', async () => (await stepOf(page)) > 5);
  expect(await text(page, '#storage-problem')).toMatch(/stores nothing for this page \(denied\)/);
  // The run is in the list all the same.
  await waitForText(page, '#runs', /reverse, seed 0/);
});
