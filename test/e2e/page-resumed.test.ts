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
import { checkpointOf, isDone, keptStep, rowsOfRuns, servedPage } from '../support/served-page.ts';
import { pushdown } from '../support/terminal.ts';

/** A run on the page gives the same numbers, however it is interrupted. */

const served = servedPage();

const STEPS = 2000;
/** A model whose kernels compile fast, and whose steps are fast. */
const SMALL = '&engine=gpu&model.hidden=8&task.minLength=1&task.maxLength=4&train.batch=8&train.stopAt=0';
const address = (rest = ''): string => `${served.url}#v=1&preset=reverse${SMALL}&train.steps=${STEPS}${rest}`;

let uninterrupted: Checkpoint;

beforeAll(async () => {
  const { page } = await openPage(served.context, address());
  await isDone(page);
  uninterrupted = await checkpointOf(page);
  expect(uninterrupted.state.step).toBe(STEPS);
});

test('paused, single-stepped, slowed down, continued', async () => {
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
  await isDone(page);
  expect(comparable(await checkpointOf(page))).toEqual(comparable(uninterrupted));
});

test('finished after half of the steps, then extended', async () => {
  const { page } = await openPage(served.context, address().replace(`${STEPS}`, `${STEPS / 2}`));
  await isDone(page);
  expect(await text(page, '#go')).toBe('Keep training');
  await press(page, '#go');
  await waitForText(page, '#status', new RegExp(`Done: all ${STEPS.toLocaleString('en')} steps`), 60_000);
  expect(comparable(await checkpointOf(page))).toEqual(comparable(uninterrupted));
  expect(page.url()).toContain(`train.steps=${STEPS}`);
  // A reload finds the same run in its present state.
  await page.reload();
  await ready(page);
  await waitForText(page, '#status', new RegExp(`Done: all ${STEPS.toLocaleString('en')} steps`));
  expect(await rowsOfRuns(page)).toBe(1);
});

test('reloaded during training', async () => {
  const { page } = await openPage(served.context, address());
  // A hidden tab is saved at once, so the test need not wait for the timer.
  await waitFor(page, 'some steps', async () => (await stepOf(page)) > 60);
  await hide(page, true);
  await waitFor(page, 'a kept checkpoint', async () => (await keptStep(page)) >= 60);
  const kept = await keptStep(page);
  expect(kept).toBeLessThan(STEPS);
  await page.reload();
  await ready(page);
  await waitForText(page, '#keep-status', /Resumed from step \d+, saved in this browser/);
  await isDone(page);
  expect(comparable(await checkpointOf(page))).toEqual(comparable(uninterrupted));
  // The same run, not a second one.
  expect(await rowsOfRuns(page)).toBe(1);
  const csv = new TextDecoder().decode((await downloaded(page, '#save-csv')).bytes);
  // Only rows with a loss: push and pop are recorded at steps of their own.
  const rows = csv
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.split(','));
  const steps = rows.filter(([, loss]) => loss).map(([step]) => Number(step));
  expect(steps).toEqual(Array.from({ length: STEPS / 25 }, (_, i) => 25 * (i + 1)));
});

test('its tab crashed, its address opened again', async () => {
  const { page } = await openPage(served.context, address());
  await waitFor(page, 'a kept checkpoint', async () => {
    await hide(page, true);
    return (await keptStep(page)) > 30;
  });
  const session = await page.createCDPSession();
  // The call is never answered.
  session.send('Page.crash').catch(() => undefined);
  await new Promise(resolve => setTimeout(resolve, 500));
  await page.close().catch(() => undefined);
  const { page: anew } = await openPage(served.context, address());
  await waitForText(anew, '#keep-status', /Resumed from step \d+/);
  await isDone(anew);
  expect(comparable(await checkpointOf(anew))).toEqual(comparable(uninterrupted));
});

test('carried to the terminal during training, and back to the page', async () => {
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

    // The page resumes the terminal's file; only the number of steps has to be reset.
    const back = decodeCheckpoint(await readFile(join(out, 'checkpoint.safetensors')));
    expect(back.state.step).toBe(300);
    back.config.train.steps = STEPS;
    const [input] = await Promise.all([
      page.waitForSelector('#files'),
      writeFile(file, encodeCheckpoint(back)),
    ]);
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(file);
    await waitForText(page, '#status', /Paused at step 300/);
    await press(page, '#go');
    await isDone(page);
    expect((await checkpointOf(page)).state.step).toBe(STEPS);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
