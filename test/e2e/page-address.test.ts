import { expect, test } from 'vitest';
import { fill, openPage, press, stepOf, text, waitFor, waitForText } from '../support/page.ts';
import { checkpointOf, countRuns, servedPage } from '../support/served-page.ts';

/** The address of the page, which contains every setting. */

const served = servedPage();

/** A model whose kernels compile fast, and whose steps are fast. */
const SMALL = '&engine=gpu&model.hidden=8&task.minLength=1&task.maxLength=4&train.batch=8&train.stopAt=0';
/** For tests in which the engine does not matter: the engine cpu opens at once. */
const onCpu = (rest = ''): string => `${served.url}#v=1&preset=reverse&engine=cpu${rest}`;

test('the address contains every setting, and opens the same run in another browser context', async () => {
  const { page } = await openPage(served.context, `${served.url}#v=1&preset=reverse${SMALL}&paused`);
  await fill(page, '#set-model-hidden', '20');
  await fill(page, '#set-train-rate', '0.003');
  await fill(page, '#set-train-seed', '7');
  await page.select('#set-model-memory', 'queue');
  await page.select('#engine', 'cpu');
  await page.$eval('#paused', element => (element as HTMLInputElement).click());
  await waitForText(page, '#sizes', /parameters/);
  await press(page, '#begin');
  await waitFor(page, 'the address of the new run', async () => page.url().includes('model.hidden=20'));
  const { config } = await checkpointOf(page);
  const link = page.url();

  const other = await served.browser.createBrowserContext();
  const { page: opened } = await openPage(other, link);
  expect(await text(opened, '#adapter')).toContain('engine cpu');
  expect((await checkpointOf(opened)).config).toEqual(config);
  expect(opened.url()).toBe(link);
  await other.close();
});

test.each([
  ['from another version', 'v=9&preset=reverse', /version "9", this page reads version 1/],
  ['without a version', 'preset=reverse', /must contain v=1/],
  [
    'with an unknown setting',
    'v=1&model.hiden=3',
    /unknown setting in the link "model.hiden". Did you mean "model.hidden"\?/,
  ],
  [
    'with an impossible value',
    'v=1&train.rate=fast',
    /train.rate must be a number from 0 to 1000, got "fast"/,
  ],
  ['with an unknown preset', 'v=1&preset=revrse', /unknown preset "revrse". Did you mean "reverse"\?/],
  ['with a setting twice', 'v=1&train.seed=1&train.seed=2', /has train.seed twice/],
])('a link %s is refused with a message, and the run continues', async (_, hash, words) => {
  const { page } = await openPage(served.context, onCpu('&paused'));
  await press(page, '#step');
  await waitForText(page, '#status', /Paused at step 1\b/);
  const before = page.url();
  await page.evaluate(hash => {
    location.hash = hash;
  }, hash);
  await waitForText(page, '#link-problem', words);
  expect(await text(page, '#link-problem')).toContain('The current run continues.');
  expect(await text(page, '#status')).toMatch(/Paused at step 1\b/);
  await waitFor(page, 'the address of the run', async () => page.url() === before.replace('&paused', ''));
});

test('a link shows a warning if its preset has changed since the link was made', async () => {
  const { page } = await openPage(served.context, onCpu('&check=00000000&paused'));
  expect(await text(page, '#link-problem')).toMatch(/made by another version of pushdown/);
});

test('a link opened in a page with a run starts its own run', async () => {
  const { page } = await openPage(served.context, onCpu('&paused'));
  await page.evaluate(() => {
    location.hash = 'v=1&preset=small/copy/queue&engine=cpu&paused';
  });
  await waitFor(page, 'the run of the link', async () => page.url().includes('copy%2Fqueue'));
  await waitFor(page, 'two runs', async () => (await countRuns(page)) === 2);
});

test('Back and Forward resume earlier runs', async () => {
  const { page, complaints } = await openPage(served.context, onCpu('&train.steps=1000000&train.stopAt=0'));
  await waitFor(page, 'some steps', async () => (await stepOf(page)) > 100);
  await press(page, '#go');
  await waitForText(page, '#status', /Paused at step/);
  const first = await stepOf(page);
  // Opens a link, then starts a run from the form.
  await page.evaluate(() => {
    location.hash = 'v=1&preset=reverse&engine=cpu&train.seed=8&train.steps=1000000&train.stopAt=0';
  });
  await waitForText(page, '#runs tr.current', /seed 8/);
  await waitFor(page, 'steps of the second run', async () => (await stepOf(page)) > 100);
  await fill(page, '#set-train-seed', '9');
  await waitForText(page, '#sizes', /parameters/);
  await press(page, '#begin');
  await waitForText(page, '#runs tr.current', /seed 9/);

  await page.goBack();
  await waitForText(page, '#runs tr.current', /seed 8/);
  // The run continues from its last step.
  await waitFor(page, 'the second run', async () => (await stepOf(page)) > 100);
  expect(await text(page, '#go')).toBe('Pause');
  expect(page.url()).toContain('train.seed=8');
  await page.goBack();
  await waitForText(page, '#runs tr.current', /seed 0/);
  // This run was paused.
  await waitForText(page, '#status', new RegExp(`Paused at step ${first.toLocaleString('en')}\\b`));
  await page.goForward();
  await waitForText(page, '#runs tr.current', /seed 8/);
  await waitFor(page, 'the second run again', async () => (await stepOf(page)) > 100);
  expect(await countRuns(page)).toBe(3);
  expect(complaints).toEqual([]);
});
