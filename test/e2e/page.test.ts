import type { Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import {
  coloursOf,
  downloaded,
  fill,
  hide,
  isHidden,
  lossOf,
  openPage,
  press,
  ready,
  stepOf,
  text,
  waitFor,
  waitForText,
} from '../support/page.ts';
import { type Server, servePage } from '../support/server.ts';

/** The published page in a real browser: every control, with WebGPU and without. */

let server: Server;

beforeAll(async () => {
  server = await servePage(inject('builtPage'));
});

afterAll(() => server?.close());

/** Trains until the loss has fallen, then pauses. */
async function trainAndPause(page: Page): Promise<void> {
  await waitForText(page, '#go', /Pause/);
  await waitForText(page, '#loss', /\d/);
  const first = await lossOf(page);
  // The loss leaves its first plateau within a few hundred steps.
  await waitFor(page, 'a lower loss', async () => (await lossOf(page)) < 0.9 * first);
  await press(page, '#go');
  await waitForText(page, '#status', /Paused/);
}

test('a run starts by itself, and can be paused, stepped, continued, slowed down, stopped and restarted', async () => {
  const browser = await launchBrowser();
  try {
    const { page, complaints } = await openPage(
      browser,
      `${server.url}#v=1&preset=reverse&engine=gpu&model.hidden=8&train.stopAt=0`,
    );
    expect(await text(page, '#adapter')).toMatch(/^engine gpu · .+ · (no hardware adapter|the GPU of)/);
    expect(await isHidden(page, '#notice')).toBe(true);
    expect(await page.$eval('#preset', element => (element as HTMLSelectElement).value)).toBe('reverse');
    await trainAndPause(page);

    const paused = await stepOf(page);
    await new Promise(resolve => setTimeout(resolve, 500));
    expect(await stepOf(page)).toBe(paused);
    await press(page, '#step');
    await waitForText(page, '#status', new RegExp(`Paused at step ${(paused + 1).toLocaleString('en')}\\b`));
    expect(await stepOf(page)).toBe(paused + 1);

    // At this speed there are five steps per second.
    await page.select('#pace', '5');
    await press(page, '#go');
    await waitFor(page, 'slow steps', async () => (await stepOf(page)) >= paused + 4);
    expect(await stepOf(page)).toBeLessThan(paused + 30);
    await page.select('#pace', '0');
    await waitFor(page, 'full speed', async () => (await stepOf(page)) > paused + 60);

    // In a hidden tab the run continues, unless the page is set to pause it; it resumes when the tab is shown again.
    await hide(page, true);
    const hidden = await stepOf(page);
    await waitFor(page, 'steps in a hidden tab', async () => (await stepOf(page)) > hidden + 60);
    await hide(page, false);
    await press(page, '#pause-hidden');
    await hide(page, true);
    await waitForText(page, '#status', /Paused/);
    await hide(page, false);
    await waitForText(page, '#status', /Training/);
    await page.select('#redraw', '1');

    await press(page, '#stop');
    await waitForText(page, '#status', /Stopped at step/);
    const stopped = await stepOf(page);
    expect(await text(page, '#go')).toBe('Keep training');
    await press(page, '#go');
    await waitFor(page, 'more steps', async () => (await stepOf(page)) > stopped + 25);
    await press(page, '#restart');
    await waitFor(page, 'a new run', async () => (await stepOf(page)) < paused);
    await waitForText(page, '#go', /Pause/);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});

describe('a paused run', () => {
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
    ({ page, complaints } = await openPage(
      browser,
      `${server.url}#v=1&preset=reverse&engine=gpu&model.hidden=8&paused`,
    ));
    await waitForText(page, '#status', /Ready/);
  });
  afterAll(async () => {
    await browser?.close();
    expect(complaints).toEqual([]);
  });

  test('the picture shows typed and random sources; it can be scrubbed and played, and each step is described', async () => {
    // The picture is drawn after the engine is ready.
    await waitFor(page, 'the picture', async () => (await coloursOf(page, '#heat')) > 10);
    await fill(page, '#source', 'a z');
    await press(page, '#show button');
    await waitForText(page, '#refused', /unknown symbol "z"/);
    await fill(page, '#source', 'abcabc');
    await press(page, '#show button');
    await waitFor(page, 'the source', async () => (await isHidden(page, '#refused')) === true);
    expect(await page.$eval('#source', element => (element as HTMLInputElement).value)).toBe('a b c a b c');
    await waitForText(page, '#detail-title', /Time step \d+ of 14/);

    await fill(page, '#time', '3');
    await waitForText(page, '#detail-title', /Time step 3 of 14, input b/);
    expect(await page.$$eval('#detail-rows tr', rows => rows.length)).toBeGreaterThan(0);
    expect(await text(page, '#detail-strengths')).toMatch(/^push \d\.\d\d · pop \d\.\d\d$/);
    expect(await page.$$eval('#detail-outputs tr', rows => rows.length)).toBeGreaterThanOrEqual(5);
    await page.focus('#time');
    await page.keyboard.press('ArrowRight');
    await waitForText(page, '#detail-title', /Time step 4 of 14/);
    await page.select('#tempo', '10');
    await press(page, '#play');
    await waitForText(page, '#detail-title', /Time step 1[0-4] of 14/);
    await waitForText(page, '#play', /Play/);

    const box = (await (await page.$('#heat'))!.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height - 60);
    await waitForText(page, '#under', /^step \d+ .*push 0\.\d+, pop 0\.\d+/);
    await page.mouse.click(box.x + box.width - 12, box.y + 20);
    await waitForText(page, '#detail-title', /Time step 14 of 14/);

    await fill(page, '#sample-length', '20');
    await press(page, '#sample');
    await waitForText(page, '#detail-title', /of 42/);
    await fill(page, '#sample-length', '1000');
    await press(page, '#sample');
    await waitForText(page, '#refused', /from 1 to 200, got 1000/);
  });

  test('the model answers a source, and its accuracy is measured by length', async () => {
    await fill(page, '#try-source', 'abc');
    await press(page, '#try button');
    await waitFor(
      page,
      'an answer',
      async () => (await page.$$eval('#try-answer li', items => items.length)) > 0,
    );
    expect(await text(page, '#try-verdict')).toMatch(/Correct|Not correct/);
    await fill(page, '#try-source', 'a!');
    await press(page, '#try button');
    await waitForText(page, '#try-refused', /unknown symbol "!"/);

    await press(page, '#measure-lengths');
    await waitForText(page, '#lengths-status', /At length 160, 10\.0 times/, 60_000);
    expect(await coloursOf(page, '#length-accuracy canvas')).toBeGreaterThan(5);
  });

  test('the verification compares every tensor with the reference', async () => {
    await press(page, '#verify');
    await waitForText(page, '#verify-status', /Agrees|Differs|fail/, 60_000);
    expect(await text(page, '#verify-status')).toMatch(
      /✓ Agrees: step 1 on .+ against the float64 reference/,
    );
    // Besides the relative bound there is an absolute one: the error of a gradient near 0 may exceed the gradient.
    expect(await text(page, '#verify-status')).toMatch(/\d\S* more in absolute terms/);
    expect(await page.$$eval('#verify-table tbody tr', rows => rows.length)).toBeGreaterThan(20);
    expect(await text(page, '#adapter-facts')).toMatch(/fallback adapter.*maxBufferSize/s);
  });

  test('bad settings are refused at their field; good ones start a new run, drawn together with the previous one', async () => {
    await fill(page, '#set-model-hidden', '99999');
    await waitForText(
      page,
      '#set-model-hidden-problem',
      /model.hidden must be a whole number from 1 to 4096, got 99999/,
    );
    const disabled = () => page.$eval('#begin', element => (element as HTMLButtonElement).disabled);
    expect(await disabled()).toBe(true);
    await fill(page, '#set-model-hidden', 'wide');
    await waitForText(page, '#set-model-hidden-problem', /got "wide"/);
    await fill(page, '#set-model-hidden', '24');
    await fill(page, '#set-task-minLength', '17');
    await waitForText(page, '#set-task-minLength-problem', /must not exceed task.maxLength \(16\)/);
    await fill(page, '#set-task-minLength', '1');
    await fill(page, '#set-train-batch', '65536');
    await fill(page, '#set-task-maxLength', '50000');
    await waitForText(page, '#set-train-batch-problem', /GiB .* a batch of up to \d+ would fit/);
    expect(await disabled()).toBe(true);
    expect(await text(page, '#status')).toBe('Ready.');

    await press(page, '#to-preset');
    await fill(page, '#set-train-steps', '100');
    await fill(page, '#set-model-hidden', '24');
    await fill(page, '#set-train-seed', '5');
    await waitForText(
      page,
      '#changes',
      /Hidden width H 8 → 24.*Seed 0 → 5|Seed 0 → 5.*Hidden width H 8 → 24/s,
    );
    await waitForText(page, '#sizes', /[\d,]+ parameters · up to .+ on the device/);
    await press(page, '#begin');
    await waitForText(page, '#status', /Done: all 100 steps/);
    expect(page.url()).toMatch(
      /#v=1&preset=reverse&model\.hidden=24&train\.seed=5&train\.steps=100&engine=gpu&check=/,
    );
    const rows = await page.$$eval('#runs tr', all => all.map(row => row.textContent));
    expect(rows[0]).toMatch(/Hidden width H 8 → 24/);
    expect(await page.$$eval('#runs input:checked', all => all.length)).toBe(1);
    expect(await text(page, '#loss-chart')).toMatch(/reverse, seed 0/);
  });

  test('charts are drawn, and exported as CSV, JSON and PNG', async () => {
    await fill(page, '#smoothing', '0.9');
    const csv = await downloaded(page, '#save-csv');
    const lines = new TextDecoder().decode(csv.bytes).trim().split('\n');
    expect(csv.name).toMatch(/^pushdown-reverse-seed-5.*\.csv$/);
    expect(lines[0]).toMatch(/^step,loss,coarse,fine,/);
    const rows = lines.slice(1).map(line => line.split(','));
    expect(rows.filter(([, loss]) => loss).map(([step]) => Number(step))).toEqual([25, 50, 75, 100]);
    const json = JSON.parse(new TextDecoder().decode((await downloaded(page, '#save-json')).bytes));
    expect(json.config.model.hidden).toBe(24);
    expect(json.history.step).toEqual(rows.map(([step]) => Number(step)));
    const png = await downloaded(page, '#save-png');
    expect([...png.bytes.subarray(1, 4)].map(byte => String.fromCharCode(byte)).join('')).toBe('PNG');
    for (const id of ['loss', 'accuracy', 'profile', 'gradient', 'length', 'speed']) {
      expect(await coloursOf(page, `#${id}-chart canvas`), id).toBeGreaterThan(5);
    }
  });

  test('two deques side by side are drawn, and each can be chosen', async () => {
    await page.select('#preset', 'small/copy/deque');
    await fill(page, '#set-model-memories', '2');
    await fill(page, '#set-model-hidden', '8');
    await page.$eval('#paused', element => (element as HTMLInputElement).click());
    await waitFor(page, 'a checked form', async () =>
      page.$eval('#begin', element => !(element as HTMLButtonElement).disabled),
    );
    await press(page, '#begin');
    await waitForText(page, '#detail-strengths', /push top \d.*pop bottom \d/);
    expect(await isHidden(page, '#which-memory-field')).toBe(false);
    await page.select('#which-memory', '1');
    expect(await coloursOf(page, '#heat')).toBeGreaterThan(10);
  });

  test('the link to the benchmarks works', async () => {
    const link = await page.$eval('header a[href*="bench"]', element => (element as HTMLAnchorElement).href);
    const other = await browser.newPage();
    await other.goto(link);
    await other.waitForFunction(() => /benchmarks/.test(document.title));
    await other.close();
  });
});

test('without a WebGPU adapter the page says so, and trains on the CPU', async () => {
  // Without this flag, headless Chromium has no software adapter.
  const browser = await launchBrowser({ ignoreDefaultArgs: ['--enable-unsafe-webgpu'] });
  try {
    const { page, complaints } = await openPage(browser, `${server.url}#v=1&preset=reverse&train.stopAt=0`);
    expect(await text(page, '#adapter')).toContain('engine cpu · WebAssembly SIMD · ');
    expect(await text(page, '#notice')).toMatch(/no adapter|no WebGPU/);
    // The notice has advice for this browser.
    expect(await text(page, '#notice')).toMatch(/chrome:\/\/(flags|gpu)/);
    await trainAndPause(page);
    expect(await coloursOf(page, '#heat')).toBeGreaterThan(10);

    // An engine that is not available is refused with a message, and the run continues.
    const paused = await stepOf(page);
    await page.select('#engine', 'gpu');
    await press(page, '#begin');
    await waitForText(page, '#settings-problem', /no adapter|no WebGPU/);
    expect(await stepOf(page)).toBe(paused);
    await press(page, '#go');
    await waitFor(page, 'more steps', async () => (await stepOf(page)) > paused);
    expect(complaints).toEqual([]);

    // A page that cannot start shows the reason.
    await page.goto('about:blank');
    await page.goto(`${server.url}#v=1&preset=reverse&engine=gpu`);
    await ready(page);
    expect(await text(page, '#error')).toMatch(/no adapter|no WebGPU/);
    expect(await text(page, '#status')).toBe('There is no run.');
  } finally {
    await browser.close();
  }
});
