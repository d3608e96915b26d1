import { expect, test } from 'vitest';
import { fill, isHidden, openPage, press, stepOf, text, waitFor, waitForText } from '../support/page.ts';
import { checkpointOf, servedPage, waitUntilDone } from '../support/served-page.ts';

/** The buttons at the top, the experiments, the sentences about the run, and the picture of earlier steps. */

const served = servedPage();
const onCpu = (rest = ''): string => `${served.url}#v=1&preset=reverse&engine=cpu${rest}`;
const pressed = (page: Parameters<typeof text>[0]) =>
  page.$$eval('.choices [aria-pressed=true]', buttons =>
    buttons.map(button => button.textContent).join(' · '),
  );

test('choosing a task or a memory trains it at once, and sentences describe the run', async () => {
  const { page, complaints } = await openPage(served.context, onCpu('&paused'));
  expect(await pressed(page)).toBe('Reverse · stack · small RNN');
  expect(await text(page, '#story')).toMatch(
    /learns to reverse sequences with a neural stack, on sources of .*\. It has not been trained/,
  );

  await press(page, '#choose-task-copy');
  await waitForText(page, '#story', /learns to copy sequences/);
  await press(page, '#choose-memory-queue');
  await waitForText(page, '#story', /learns to copy sequences with a neural queue,/);
  expect(await pressed(page)).toBe('Copy · queue · small RNN');
  await waitUntilDone(page);
  expect(await text(page, '#story')).toMatch(/It has learned to use the queue|It partly uses the queue/);
  expect((await checkpointOf(page)).config).toMatchObject({
    task: { name: 'copy' },
    model: { memory: 'queue' },
  });

  expect((await text(page, '#memory-legend')).split(/\s+/).join(' ').trim()).toBe(
    'strength 0 1 read push pop',
  );

  // Parts of the page that are meaningless without a memory are hidden.
  expect(await isHidden(page, '#profile-now')).toBe(false);
  await press(page, '#choose-memory-none');
  await waitForText(page, '#story', /without a memory/);
  for (const id of ['#profile-now', '#memory-legend', '#detail-memory'])
    expect(await isHidden(page, id), id).toBe(true);
  // With other settings, no button is pressed.
  await fill(page, '#set-model-hidden', '20');
  await waitForText(page, '#sizes', /parameters/);
  await press(page, '#begin');
  await waitForText(page, '#story', /of 20 units/);
  expect(await pressed(page)).toBe('');
  expect(complaints).toEqual([]);
});

test.each([
  ['queue', /0\.0 % at 32\. .* a queue cannot reverse/],
  ['no-pop', /0\.0 % at 32\. Without pops the read contains only the latest values/],
  ['ten-times', /100\.0 % at 160\. It has learned a rule/],
])('experiment %s says what to watch, and reports its result', async (id, result) => {
  const { page, complaints } = await openPage(served.context, onCpu('&paused'));
  await press(page, `#experiment-${id}`);
  await waitFor(
    page,
    'the text on what to watch',
    async () => (await text(page, '#experiment-hint')).length > 40,
  );
  await waitForText(page, '#experiment-result', result, 90_000);
  // Starting another run ends the experiment.
  await press(page, '#choose-task-reverse');
  await waitFor(page, 'the end of the experiment', () => isHidden(page, '#experiment'));
  expect(complaints).toEqual([]);
});

test('typed pairs are used in training, or refused with a message', async () => {
  const { page } = await openPage(served.context, onCpu('&paused'));
  expect(await isHidden(page, '#own')).toBe(true);
  await press(page, '#experiment-own');
  expect(await isHidden(page, '#own')).toBe(false);
  const typed = await page.$eval('#own-pairs', element => (element as HTMLTextAreaElement).value);
  await fill(page, '#own-pairs', 'no target');
  await press(page, '#own button');
  await waitForText(page, '#own-problem', /my-pairs\.tsv line 1/);
  await fill(page, '#own-pairs', typed.replaceAll('\t', '   '));
  await press(page, '#own button');
  await waitForText(page, '#story', /the pairs of my-pairs\.tsv/);
  await waitFor(page, 'training', async () => (await stepOf(page)) > 20);
  expect(await text(page, '#own-problem')).toBe('');
});

test('the picture can show earlier steps of training, and play them', async () => {
  const { page } = await openPage(served.context, onCpu());
  await waitUntilDone(page);
  const last = await text(page, '#past-step');
  expect(last).toMatch(/^step [\d,]+, now$/);
  const picture = () => page.$eval('#heat', element => (element as HTMLCanvasElement).toDataURL());
  const late = await picture();
  await page.focus('#past');
  await page.keyboard.press('Home');
  await waitForText(page, '#past-step', /^step 0$/);
  await waitFor(page, 'the picture of step 0', async () => (await picture()) !== late);
  await press(page, '#play-past');
  await waitForText(page, '#past-step', /now$/);
  expect(await text(page, '#past-step')).toBe(last);
  await waitFor(page, 'the picture of the last step', async () => (await picture()) === late);
  await waitForText(page, '#play-past', /Play training/);
  // Another source has no earlier pictures yet.
  await fill(page, '#source', 'abab');
  await press(page, '#show button');
  await waitFor(page, 'the slider to be hidden', () => isHidden(page, '#past-field'));
});
