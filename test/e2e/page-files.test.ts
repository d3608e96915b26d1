import { expect, test } from 'vitest';
import {
  downloaded,
  drop,
  isHidden,
  openPage,
  press,
  ready,
  stepOf,
  text,
  waitFor,
  waitForText,
} from '../support/page.ts';
import { countRuns, servedPage, storedStep } from '../support/served-page.ts';

/** Files dropped on the page. */

const served = servedPage();

/** For tests in which the engine does not matter: the engine cpu opens at once. */
const onCpu = (rest = ''): string => `${served.url}#v=1&preset=reverse&engine=cpu${rest}`;

const pairs = Array.from({ length: 60 }, (_, i) => {
  const symbols = [...(i + 8).toString(3)].map(digit => 'xyz'[Number(digit)]);
  return `${symbols.join(' ')}\t${symbols.toReversed().join(' ')}`;
}).join('\n');

test('your own pairs are used in training, also after a reload, and for answers', async () => {
  const { page, complaints } = await openPage(served.context, onCpu('&paused'));
  await drop(page, { name: 'mine.tsv', content: 'a b c\tc b a\nd e\td e\n' });
  await waitForText(page, '#dropped', /mine.tsv: your own pairs/);
  await press(page, '#dropped button:last-of-type');
  await waitForText(page, '#tested', /mine.tsv: \d of 2 pairs fully correct/);

  await drop(page, { name: 'own.tsv', content: pairs });
  await waitForText(page, '#dropped', /own.tsv/);
  await press(page, '#dropped button');
  await waitForText(page, '#go', /Pause/);
  await waitFor(page, 'training', async () => (await stepOf(page)) > 50);
  expect(page.url()).toMatch(/task\.name=data.*task\.file=own\.tsv/);
  await press(page, '#go');
  await waitForText(page, '#status', /Paused at step/);
  const step = await stepOf(page);
  await waitFor(page, 'the step to be stored', async () => (await storedStep(page)) === step);
  await page.reload();
  await ready(page);
  await waitForText(page, '#status', new RegExp(`Paused at step ${step.toLocaleString('en')}\\b`));
  await press(page, '#step');
  await waitForText(page, '#status', new RegExp(`Paused at step ${(step + 1).toLocaleString('en')}\\b`));
  expect(complaints).toEqual([]);

  // The checkpoint alone is not enough to train on.
  const { bytes } = await downloaded(page, '#save-checkpoint');
  await drop(page, { name: 'own.safetensors', content: bytes });
  await waitForText(
    page,
    '#file-problem',
    /own.safetensors: .*open own.tsv together with the checkpoint.*The current run continues/,
  );
  await drop(page, { name: 'own.safetensors', content: bytes }, { name: 'own.tsv', content: pairs });
  await waitFor(page, 'the run of the file', async () => (await countRuns(page)) === 3);
});

test('a run that is resumed on a file that has grown shows the number of new pairs', async () => {
  const { page } = await openPage(served.context, onCpu('&paused'));
  await drop(page, { name: 'own.tsv', content: pairs });
  await waitForText(page, '#dropped', /own.tsv/);
  await press(page, '#dropped button');
  await waitFor(page, 'a run on own.tsv', async () => page.url().includes('own.tsv'));
  await waitFor(page, 'training', async () => (await stepOf(page)) > 20);
  await press(page, '#go');
  await waitForText(page, '#status', /Paused at step/);
  const { bytes } = await downloaded(page, '#save-checkpoint');
  const checkpoint = { name: 'own.safetensors', content: bytes };
  // With the same file there is no message.
  await drop(page, checkpoint, { name: 'own.tsv', content: pairs });
  await waitFor(page, 'the run of the file', async () => (await countRuns(page)) === 3);
  expect(await isHidden(page, '#new-data')).toBe(true);
  const grown = `${pairs}\nx x x x x x\tx x x x x x\nz z z z z z\tz z z z z z`;
  await drop(page, checkpoint, { name: 'own.tsv', content: grown });
  await waitForText(
    page,
    '#new-data',
    /^data own\.tsv · \d+ train, \d+ validation, \d+ test pairs · 2 new pairs \(.+\)$/,
  );
  expect(await isHidden(page, '#new-data')).toBe(false);
});

test('unusable files are named in a message, and the run continues', async () => {
  const { page, complaints } = await openPage(served.context, onCpu('&paused'));
  await press(page, '#step');
  await waitForText(page, '#status', /Paused at step 1\b/);
  const { bytes } = await downloaded(page, '#save-checkpoint');
  const cut = bytes.subarray(0, bytes.length - 100);
  const nan = Uint8Array.from(bytes);
  nan.fill(255, nan.length - 4);
  const refusals: [string, string | Uint8Array, RegExp][] = [
    ['run.safetensors', cut, /this checkpoint cannot be used: .*truncated/],
    ['run.safetensors', nan, /this checkpoint cannot be used: .*finite/],
    ['run.safetensors', 'x', /this checkpoint cannot be used/],
    ['run.safetensors', '', /run.safetensors is empty/],
    ['settings.json', '{', /settings.json is not JSON/],
    ['settings.json', '{"model":{"hidden":0}}', /model.hidden must be a whole number from 1/],
    ['picture.png', 'x', /"picture.png" cannot be used here/],
    ['pairs.tsv', Uint8Array.of(255, 254, 253), /pairs.tsv must be UTF-8 text/],
  ];
  for (const [name, content, words] of refusals) {
    await drop(page, { name, content });
    await waitForText(page, '#file-problem', words);
    expect(await text(page, '#file-problem')).toContain('The current run continues.');
    expect(await text(page, '#status')).toMatch(/Paused at step 1\b/);
  }
  await drop(page, { name: 'a.tsv', content: 'a\tb' }, { name: 'b.tsv', content: 'a\tb' });
  await waitForText(page, '#file-problem', /2 files at once/);
  // A checkpoint whose shapes differ from its configuration.
  const changed = Buffer.from(bytes).toString('latin1').replace('\\"hidden\\":32', '\\"hidden\\":16');
  await drop(page, { name: 'changed.safetensors', content: Buffer.from(changed, 'latin1') });
  await waitForText(page, '#file-problem', /changed.safetensors: .*(must have shape|bytes of data)/);
  // Pairs that cannot be parsed, or whose symbols the model does not know.
  await drop(page, { name: 'bad.tsv', content: 'a b\n' });
  await waitForText(page, '#dropped', /bad.tsv/);
  await press(page, '#dropped button');
  await waitForText(page, '#file-problem', /bad.tsv line 1: .*no tab/);
  await drop(page, { name: 'foreign.tsv', content: 'q\tq\n' });
  await waitForText(page, '#dropped', /foreign.tsv/);
  await press(page, '#dropped button:last-of-type');
  await waitForText(
    page,
    '#file-problem',
    /foreign.tsv line 1: "q" is not one of the source symbols of task reverse/,
  );
  expect(await text(page, '#status')).toMatch(/Paused at step 1\b/);
  expect(complaints).toEqual([]);
});

test('the settings in a file fill the form', async () => {
  const { page } = await openPage(served.context, onCpu('&paused'));
  const { name, bytes } = await downloaded(page, '#save-config');
  expect(name).toMatch(/config\.json$/);
  const config = JSON.parse(new TextDecoder().decode(bytes));
  config.model.hidden = 12;
  await drop(page, { name: 'other.json', content: JSON.stringify(config) });
  await waitForText(page, '#changes', /Hidden width H 32 → 12/);
  expect(await text(page, '#status')).toBe('Ready.');
});
