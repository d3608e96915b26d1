import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'puppeteer';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { launchBrowser } from '../support/browser.ts';
import { comparable } from '../support/comparable.ts';
import {
  downloaded,
  drop,
  fill,
  hide,
  openPage,
  press,
  ready,
  stepOf,
  text,
  waitFor,
  waitForText,
} from '../support/page.ts';
import { type Server, servePage } from '../support/server.ts';
import { pushdown } from '../support/terminal.ts';

/** What the page keeps: addresses, the browser's storage, files. */

let server: Server;
let browser: Browser;
/** Of every test its own: storage that is empty. */
let context: BrowserContext;

beforeAll(async () => {
  [server, browser] = await Promise.all([servePage(inject('builtPage')), launchBrowser()]);
});
beforeEach(async () => {
  await context?.close();
  context = await browser.createBrowserContext();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const STEPS = 2000;
/** A model whose kernels compile in a moment; its steps are quick, too. */
const SMALL = '&engine=gpu&model.hidden=8&task.minLength=1&task.maxLength=4&train.batch=8&train.stopAt=0';
const address = (rest = ''): string => `${server.url}#v=1&preset=reverse${SMALL}&train.steps=${STEPS}${rest}`;
/** For what is the same on every engine: this one opens at once. */
const onCpu = (rest = ''): string => `${server.url}#v=1&preset=reverse&engine=cpu${rest}`;
const isDone = (page: Page): Promise<void> => waitForText(page, '#status', /Done: all|Solved/, 60_000);

/** The run of this page, as a file has it. */
const checkpointOf = async (page: Page): Promise<Checkpoint> =>
  decodeCheckpoint((await downloaded(page, '#save-checkpoint')).bytes);

/** The last step that is in the browser's storage. */
const keptStep = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>(resolve => {
        const opening = indexedDB.open('pushdown');
        opening.onsuccess = () => {
          const all = opening.result.transaction('runs').objectStore('runs').getAll();
          all.onsuccess = () => {
            opening.result.close();
            resolve(Math.max(-1, ...all.result.map(run => run.step)));
          };
        };
      }),
  );

describe('the same numbers, however a run was interrupted', () => {
  let uninterrupted: Checkpoint;

  beforeAll(async () => {
    context = await browser.createBrowserContext();
    const { page } = await openPage(context, address());
    await isDone(page);
    uninterrupted = await checkpointOf(page);
    expect(uninterrupted.state.step).toBe(STEPS);
  });

  test('paused, stepped, slowed down, continued', async () => {
    const { page } = await openPage(context, address('&paused'));
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

  test('over after half of the steps, and trained on', async () => {
    const { page } = await openPage(context, address().replace(`${STEPS}`, `${STEPS / 2}`));
    await isDone(page);
    expect(await text(page, '#go')).toBe('Train on');
    await press(page, '#go');
    await waitForText(page, '#status', new RegExp(`Done: all ${STEPS.toLocaleString('en')} steps`), 60_000);
    expect(comparable(await checkpointOf(page))).toEqual(comparable(uninterrupted));
    expect(page.url()).toContain(`train.steps=${STEPS}`);
    // The same run, which a reload finds as it is now.
    await page.reload();
    await ready(page);
    await waitForText(page, '#status', new RegExp(`Done: all ${STEPS.toLocaleString('en')} steps`));
    expect(await page.$$eval('#runs tr', rows => rows.length)).toBe(1);
  });

  test('reloaded in mid-training', async () => {
    const { page } = await openPage(context, address());
    // A tab that is hidden is kept at once; so the test need not wait for the clock.
    await waitFor(page, 'some steps', async () => (await stepOf(page)) > 60);
    await hide(page, true);
    await waitFor(page, 'a kept checkpoint', async () => (await keptStep(page)) >= 60);
    const kept = await keptStep(page);
    expect(kept).toBeLessThan(STEPS);
    await page.reload();
    await ready(page);
    await waitForText(page, '#keep-status', /Went on from step \d+, kept in this browser/);
    await isDone(page);
    expect(comparable(await checkpointOf(page))).toEqual(comparable(uninterrupted));
    // The same run, not another one beside it.
    expect(await page.$$eval('#runs tr', rows => rows.length)).toBe(1);
    const csv = new TextDecoder().decode((await downloaded(page, '#save-csv')).bytes);
    // Those that have a loss: what was seen of push and pop has steps of its own.
    const rows = csv
      .trim()
      .split('\n')
      .slice(1)
      .map(line => line.split(','));
    const steps = rows.filter(([, loss]) => loss).map(([step]) => Number(step));
    expect(steps).toEqual(Array.from({ length: STEPS / 25 }, (_, i) => 25 * (i + 1)));
  });

  test('its tab crashed, its address opened anew', async () => {
    const { page } = await openPage(context, address());
    await waitFor(page, 'a kept checkpoint', async () => {
      await hide(page, true);
      return (await keptStep(page)) > 30;
    });
    const session = await page.createCDPSession();
    // The answer never comes.
    session.send('Page.crash').catch(() => undefined);
    await new Promise(resolve => setTimeout(resolve, 500));
    await page.close().catch(() => undefined);
    const { page: anew } = await openPage(context, address());
    await waitForText(anew, '#keep-status', /Went on from step \d+/);
    await isDone(anew);
    expect(comparable(await checkpointOf(anew))).toEqual(comparable(uninterrupted));
  });

  test('carried to the terminal in the middle, and back to the page', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pushdown-carried-'));
    try {
      const { page } = await openPage(context, address('&paused'));
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

      // The terminal's file goes on in the page; only the number of steps is to be set back.
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
});

describe('the address', () => {
  test('carries every setting there and back', async () => {
    const { page } = await openPage(context, `${server.url}#v=1&preset=reverse${SMALL}&paused`);
    await fill(page, '#set-model-hidden', '20');
    await fill(page, '#set-train-rate', '0.003');
    await fill(page, '#set-train-seed', '7');
    await page.select('#set-model-memory', 'queue');
    await page.select('#engine', 'cpu');
    await page.$eval('#paused', element => (element as HTMLInputElement).click());
    await waitForText(page, '#sizes', /parameters/);
    await press(page, '#begin');
    await waitFor(page, 'its address', async () => page.url().includes('model.hidden=20'));
    const { config } = await checkpointOf(page);
    const link = page.url();

    const other = await browser.createBrowserContext();
    const { page: opened } = await openPage(other, link);
    expect(await text(opened, '#adapter')).toContain('engine cpu');
    expect((await checkpointOf(opened)).config).toEqual(config);
    expect(opened.url()).toBe(link);
    await other.close();
  });

  test.each([
    ['of another version', 'v=9&preset=reverse', /version "9", this page reads version 1/],
    ['without one', 'preset=reverse', /must begin with v=1/],
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
    ['that says a thing twice', 'v=1&train.seed=1&train.seed=2', /has train.seed twice/],
  ])('a link %s is refused in words, and the run goes on', async (_, hash, words) => {
    const { page } = await openPage(context, onCpu('&paused'));
    await press(page, '#step');
    await waitForText(page, '#status', /Paused at step 1\b/);
    const before = page.url();
    await page.evaluate(hash => {
      location.hash = hash;
    }, hash);
    await waitForText(page, '#link-problem', words);
    expect(await text(page, '#link-problem')).toContain('The current run goes on.');
    expect(await text(page, '#status')).toMatch(/Paused at step 1\b/);
    await waitFor(page, 'the address of the run', async () => page.url() === before.replace('&paused', ''));
  });

  test('a link whose preset has changed since says so', async () => {
    const { page } = await openPage(context, onCpu('&check=00000000&paused'));
    expect(await text(page, '#link-problem')).toMatch(/made by another version of pushdown/);
  });

  test('a link in a page that trains begins its run', async () => {
    const { page } = await openPage(context, onCpu('&paused'));
    await page.evaluate(() => {
      location.hash = 'v=1&preset=small/copy/queue&engine=cpu&paused';
    });
    await waitFor(page, 'the other run', async () => page.url().includes('copy%2Fqueue'));
    await waitFor(page, 'two runs', async () => (await page.$$eval('#runs tr', rows => rows.length)) === 2);
  });
});

describe('files that are dropped', () => {
  const pairs = Array.from({ length: 60 }, (_, i) => {
    const symbols = [...(i + 8).toString(3)].map(digit => 'xyz'[Number(digit)]);
    return `${symbols.join(' ')}\t${symbols.toReversed().join(' ')}`;
  }).join('\n');

  test('pairs of your own are trained on, over a reload too, and tested on', async () => {
    const { page, complaints } = await openPage(context, onCpu('&paused'));
    await drop(page, { name: 'mine.tsv', content: 'a b c\tc b a\nd e\td e\n' });
    await waitForText(page, '#dropped', /mine.tsv: pairs of your own/);
    await press(page, '#dropped button:last-of-type');
    await waitForText(page, '#tested', /mine.tsv: \d of 2 pairs wholly right/);

    await drop(page, { name: 'own.tsv', content: pairs });
    await waitForText(page, '#dropped', /own.tsv/);
    await press(page, '#dropped button');
    await waitForText(page, '#go', /Pause/);
    await waitFor(page, 'training', async () => (await stepOf(page)) > 50);
    expect(page.url()).toMatch(/task\.name=data.*task\.file=own\.tsv/);
    await press(page, '#go');
    await waitForText(page, '#status', /Paused at step/);
    const step = await stepOf(page);
    await waitFor(page, 'it to be kept', async () => (await keptStep(page)) === step);
    await page.reload();
    await ready(page);
    await waitForText(page, '#status', new RegExp(`Paused at step ${step}\\b`));
    await press(page, '#step');
    await waitForText(page, '#status', new RegExp(`Paused at step ${step + 1}\\b`));
    expect(complaints).toEqual([]);

    // Its checkpoint alone is not enough to train on.
    const { bytes } = await downloaded(page, '#save-checkpoint');
    await drop(page, { name: 'own.safetensors', content: bytes });
    await waitForText(
      page,
      '#file-problem',
      /own.safetensors: .*open own.tsv together with the checkpoint.*The current run goes on/,
    );
    await drop(page, { name: 'own.safetensors', content: bytes }, { name: 'own.tsv', content: pairs });
    await waitFor(
      page,
      'the run of the file',
      async () => (await page.$$eval('#runs tr', rows => rows.length)) === 3,
    );
  });

  test('bad ones are named, and cost nothing', async () => {
    const { page, complaints } = await openPage(context, onCpu('&paused'));
    await press(page, '#step');
    await waitForText(page, '#status', /Paused at step 1\b/);
    const { bytes } = await downloaded(page, '#save-checkpoint');
    const cut = bytes.subarray(0, bytes.length - 100);
    const nan = Uint8Array.from(bytes);
    nan.fill(255, nan.length - 4);
    const refusals: [string, string | Uint8Array, RegExp][] = [
      ['run.safetensors', cut, /no checkpoint that can be used: .*cut off/],
      ['run.safetensors', nan, /no checkpoint that can be used: .*finite/],
      ['run.safetensors', 'x', /no checkpoint that can be used/],
      ['run.safetensors', '', /run.safetensors is empty/],
      ['settings.json', '{', /settings.json is not JSON/],
      ['settings.json', '{"model":{"hidden":0}}', /model.hidden must be a whole number from 1/],
      ['picture.png', 'x', /"picture.png" is no file that can be used here/],
      ['pairs.tsv', Uint8Array.of(255, 254, 253), /pairs.tsv is not text in UTF-8/],
    ];
    for (const [name, content, words] of refusals) {
      await drop(page, { name, content });
      const place = '#file-problem';
      await waitForText(page, place, words);
      expect(await text(page, place)).toContain('The current run goes on.');
      expect(await text(page, '#status')).toMatch(/Paused at step 1\b/);
    }
    await drop(page, { name: 'a.tsv', content: 'a\tb' }, { name: 'b.tsv', content: 'a\tb' });
    await waitForText(page, '#file-problem', /2 files at once/);
    // A checkpoint of another shape than its configuration says.
    const bent = Buffer.from(bytes).toString('latin1').replace('\\"hidden\\":32', '\\"hidden\\":16');
    await drop(page, { name: 'bent.safetensors', content: Buffer.from(bent, 'latin1') });
    await waitForText(page, '#file-problem', /bent.safetensors: .*(must have shape|bytes of data)/);
    // Pairs that cannot be read, or that the model knows nothing of.
    await drop(page, { name: 'bad.tsv', content: 'a b\n' });
    await waitForText(page, '#dropped', /bad.tsv/);
    await press(page, '#dropped button');
    await waitForText(page, '#file-problem', /bad.tsv line 1: .*no tab/);
    await drop(page, { name: 'foreign.tsv', content: 'q\tq\n' });
    await waitForText(page, '#dropped', /foreign.tsv/);
    await press(page, '#dropped button:last-of-type');
    await waitForText(page, '#file-problem', /foreign.tsv: "q" is no source symbol of task reverse/);
    expect(await text(page, '#status')).toMatch(/Paused at step 1\b/);
    expect(complaints).toEqual([]);
  });

  test('settings of a file fill the form in', async () => {
    const { page } = await openPage(context, onCpu('&paused'));
    const { name, bytes } = await downloaded(page, '#save-config');
    expect(name).toMatch(/config\.json$/);
    const config = JSON.parse(new TextDecoder().decode(bytes));
    config.model.hidden = 12;
    await drop(page, { name: 'other.json', content: JSON.stringify(config) });
    await waitForText(page, '#changes', /Hidden width H 32 → 12/);
    expect(await text(page, '#status')).toBe('Ready.');
  });
});

describe('the list of runs', () => {
  test('runs are opened again, drawn beside each other, taken away, deleted', async () => {
    const { page } = await openPage(context, onCpu('&train.steps=50'));
    await isDone(page);
    await press(page, '#restart');
    await waitFor(
      page,
      'a second run',
      async () => (await page.$$eval('#runs tr', rows => rows.length)) === 2,
    );
    await isDone(page);
    expect(await text(page, '#runs tr td:nth-child(3)')).toBe('the same settings');
    await press(page, '#runs tr:nth-child(2) button');
    await waitFor(page, 'the first run', async () =>
      page.$eval('#runs tr:nth-child(2)', row => row.classList.contains('current')),
    );
    await isDone(page);
    page.on('dialog', dialog => dialog.accept());
    await press(page, '#runs tr:nth-child(1) button:last-child');
    await waitFor(
      page,
      'one run less',
      async () => (await page.$$eval('#runs tr', rows => rows.length)) === 1,
    );
  });

  test('a run that another tab has is not trained twice', async () => {
    const { page } = await openPage(context, onCpu('&paused'));
    await press(page, '#step');
    await waitFor(page, 'it to be kept', async () => (await keptStep(page)) === 1);
    const { page: second } = await openPage(
      context,
      `${server.url}#v=1&preset=small/copy/queue&engine=cpu&paused`,
    );
    await waitFor(
      second,
      'both runs',
      async () => (await second.$$eval('#runs tr', rows => rows.length)) === 2,
    );
    await press(second, '#runs tr:nth-child(2) button');
    await waitForText(second, '#settings-problem', /open in another tab. The current run goes on/);
  });

  test('storage that is full is told, and training goes on', async () => {
    const { page } = await openPage(context, onCpu('&train.stopAt=0&train.steps=100000&paused'));
    const session = await page.createCDPSession();
    await session.send('Storage.overrideQuotaForOrigin', {
      origin: new URL(server.url).origin,
      quotaSize: 1,
    });
    await press(page, '#go');
    await waitForText(page, '#storage-problem', /storage is full: training goes on, but is not kept/, 60_000);
    // Chrome looks at what is left every ten seconds or so.
    const step = await stepOf(page);
    await waitFor(page, 'more steps', async () => (await stepOf(page)) > step);
    await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(server.url).origin });
    await press(page, '#go');
    await waitFor(page, 'it to be kept again', async () => (await text(page, '#storage-problem')) === '');
  });
});
