import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { comparable } from '../support/comparable.ts';
import {
  downloaded,
  hide,
  openPage,
  press,
  ready,
  stepOf,
  text,
  waitFor,
  waitForText,
} from '../support/page.ts';
import { checkpointOf, countRuns, servedPage, storedStep, waitUntilDone } from '../support/served-page.ts';
import { pushdown } from '../support/terminal.ts';

/** A run on the page gives the same numbers as an uninterrupted run, however it is interrupted. */

const served = servedPage();

const STEPS = 1000;
/** A model whose kernels compile fast, and whose steps are fast. */
const SMALL = '&engine=gpu&model.hidden=8&task.minLength=1&task.maxLength=4&train.batch=8&train.stopAt=0';
const address = (rest = ''): string => `${served.url}#v=1&preset=reverse${SMALL}&train.steps=${STEPS}${rest}`;

let uninterrupted: Checkpoint;

beforeAll(async () => {
  const { page } = await openPage(served.context, address());
  await waitUntilDone(page);
  uninterrupted = await checkpointOf(page);
  expect(uninterrupted.state.step).toBe(STEPS);
});

test('a run that is paused, single-stepped, slowed down and continued', async () => {
  const { page } = await openPage(served.context, address('&paused'));
  for (let i = 0; i < 3; i++) await press(page, '#step');
  await waitForText(page, '#status', /Paused at step 3\b/);
  await press(page, '#go');
  await waitFor(page, 'some steps', async () => (await stepOf(page)) > 30);
  await page.select('#pace', '20');
  await waitFor(page, 'more steps', async () => (await stepOf(page)) > 60);
  await press(page, '#go');
  await waitForText(page, '#status', /Paused at step \d+/);
  await press(page, '#step');
  await page.select('#pace', '0');
  await press(page, '#go');
  await waitUntilDone(page);
  expect(comparable(await checkpointOf(page))).toEqual(comparable(uninterrupted));
});

test('a run that finishes after half of the steps, and is then extended', async () => {
  const { page } = await openPage(served.context, address().replace(`${STEPS}`, `${STEPS / 2}`));
  await waitUntilDone(page);
  expect(await text(page, '#go')).toBe('Keep training');
  await press(page, '#go');
  await waitForText(page, '#status', new RegExp(`Done: all ${STEPS.toLocaleString('en')} steps`), 60_000);
  expect(comparable(await checkpointOf(page))).toEqual(comparable(uninterrupted));
  expect(page.url()).toContain(`train.steps=${STEPS}`);
  // After a reload, the page shows the same run in its latest state.
  await page.reload();
  await ready(page);
  await waitForText(page, '#status', new RegExp(`Done: all ${STEPS.toLocaleString('en')} steps`));
  expect(await countRuns(page)).toBe(1);
});

test('a page that is reloaded during training', async () => {
  const { page } = await openPage(served.context, address());
  // The run of a hidden tab is saved at once, so the test need not wait for the timer.
  await waitFor(page, 'some steps', async () => (await stepOf(page)) > 60);
  await hide(page, true);
  await waitFor(page, 'a stored checkpoint', async () => (await storedStep(page)) >= 60);
  expect(await storedStep(page)).toBeLessThan(STEPS);
  await page.reload();
  await ready(page);
  await waitForText(page, '#keep-status', /Resumed from step \d+, saved in this browser/);
  await waitUntilDone(page);
  expect(comparable(await checkpointOf(page))).toEqual(comparable(uninterrupted));
  // The list has the same run, not a second one.
  expect(await countRuns(page)).toBe(1);
  const csv = new TextDecoder().decode((await downloaded(page, '#save-csv')).bytes);
  // Only rows with a loss, because push and pop are recorded at other steps.
  const rows = csv
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.split(','));
  const steps = rows.filter(([, loss]) => loss).map(([step]) => Number(step));
  expect(steps).toEqual(Array.from({ length: STEPS / 25 }, (_, i) => 25 * (i + 1)));
});

test('a tab that crashes, and whose address is opened again', async () => {
  const { page } = await openPage(served.context, address());
  await waitFor(page, 'a stored checkpoint', async () => {
    await hide(page, true);
    return (await storedStep(page)) > 30;
  });
  const session = await page.createCDPSession();
  // The call is never answered.
  session.send('Page.crash').catch(() => undefined);
  await new Promise(resolve => setTimeout(resolve, 500));
  await page.close().catch(() => undefined);
  const { page: second } = await openPage(served.context, address());
  await waitForText(second, '#keep-status', /Resumed from step \d+/);
  await waitUntilDone(second);
  expect(comparable(await checkpointOf(second))).toEqual(comparable(uninterrupted));
});

test('a run that is continued in the terminal, and then on the page again, reaches its last step', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pushdown-carried-'));
  try {
    const { page } = await openPage(served.context, address('&paused'));
    for (let i = 0; i < 5; i++) await press(page, '#step');
    await waitForText(page, '#status', /Paused at step 5\b/);
    const { name, bytes } = await downloaded(page, '#save-checkpoint');
    expect(name).toEqual(expect.stringMatching(/^pushdown-reverse-seed-0-.*-step5\.safetensors$/));
    const file = join(folder, name);
    await writeFile(file, bytes);
    const out = join(folder, 'run');
    const trained = await pushdown([
      'train',
      '--resume',
      file,
      '--out',
      out,
      '--steps',
      '300',
      '--engine',
      'cpu',
    ]);
    expect(trained.err).toBe('');
    expect(trained.code).toBe(0);

    // The page resumes from the file of the terminal; only the number of steps has to be reset.
    const checkpoint = decodeCheckpoint(await readFile(join(out, 'checkpoint.safetensors')));
    expect(checkpoint.state.step).toBe(300);
    checkpoint.config.train.steps = STEPS;
    const [input] = await Promise.all([
      page.waitForSelector('#files'),
      writeFile(file, encodeCheckpoint(checkpoint)),
    ]);
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(file);
    await waitForText(page, '#status', /Paused at step 300/);
    await press(page, '#go');
    await waitUntilDone(page);
    expect((await checkpointOf(page)).state.step).toBe(STEPS);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
