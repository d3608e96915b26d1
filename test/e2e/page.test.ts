import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messageOf } from '../../src/base/errors.ts';
import { launchBrowser } from '../support/browser.ts';
import { type Server, servePage } from '../support/server.ts';

/** The published page in a real browser: with WebGPU, and without. */

let server: Server;
let screenshots: string;

beforeAll(async () => {
  server = await servePage();
  screenshots = await mkdtemp(join(tmpdir(), 'pushdown-screenshots-'));
});

afterAll(() => server?.close());

/** A page that is open and has its engine; everything it complains of ends up in `complaints`. */
async function openPage(browser: Browser): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(String(error)));
  page.on('requestfailed', request => complaints.push(`${request.url()} failed`));
  page.on('response', response => {
    if (response.status() >= 400) complaints.push(`${response.url()}: ${response.status()}`);
  });
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(server.url);
  await waitFor(page, 'the engine', async () => /Ready|ended/.test(await text(page, '#status'))).catch(
    error => {
      throw new Error(`${messageOf(error)} ${complaints.join('; ')}`);
    },
  );
  return { page, complaints };
}

const text = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, element => element.textContent?.trim() ?? '');

const stepOf = async (page: Page): Promise<number> =>
  Number((await text(page, '#steps-done')).replaceAll(',', ''));

async function waitFor(page: Page, what: string, holds: () => Promise<boolean>, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) {
      const seen = `status "${await text(page, '#status')}", error "${await text(page, '#error')}"`;
      throw new Error(`${what} did not come within ${ms / 1000} s: ${seen}.`);
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** The loss once it has been reported at `step` or later. */
async function lossAfter(page: Page, step: number): Promise<number> {
  const reported = async () => (await stepOf(page)) >= step && /\d/.test(await text(page, '#loss'));
  await waitFor(page, `a loss at step ${step}`, reported);
  return Number(await text(page, '#loss'));
}

/** How many different colours a canvas has; 1 is blank. */
const coloursOf = (page: Page, selector: string): Promise<number> =>
  page.$eval(selector, element => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });

/** Trains until the loss has fallen, then pauses. */
async function trainsAndPauses(page: Page): Promise<void> {
  await page.click('#go');
  await waitFor(page, 'the pause button', async () => (await text(page, '#go')) === 'Pause');
  const first = await lossAfter(page, 25);
  const later = await lossAfter(page, 125);
  expect(later).toBeLessThan(0.9 * first);

  await page.click('#go');
  await waitFor(page, 'the pause', async () => /Paused/.test(await text(page, '#status')));
}

describe('the page', () => {
  test('trains on WebGPU, pauses, steps, and shows its memory', async () => {
    const browser = await launchBrowser();
    try {
      const { page, complaints } = await openPage(browser);
      expect(await text(page, '#adapter')).toMatch(/^engine gpu · .+ · (no hardware adapter|the GPU of)/);
      expect(await page.$eval('#notice', element => (element as HTMLElement).hidden)).toBe(true);
      expect(await page.$eval('#preset', element => (element as HTMLSelectElement).value)).toBe('reverse');

      await trainsAndPauses(page);
      const paused = await stepOf(page);
      await new Promise(resolve => setTimeout(resolve, 500));
      expect(await stepOf(page)).toBe(paused);
      await page.click('#step');
      await waitFor(page, 'one step', async () => (await stepOf(page)) !== paused);
      await waitFor(page, 'its end', async () => (await text(page, '#status')).includes(`${paused + 1}`));
      expect(await stepOf(page)).toBe(paused + 1);

      expect(await coloursOf(page, '#heat')).toBeGreaterThan(10);
      expect(await coloursOf(page, '#loss-chart canvas')).toBeGreaterThan(5);
      expect(await page.$$eval('#samples tr', rows => rows.length)).toBe(5);
      expect(await text(page, '#samples tr:last-child .symbols:last-child')).toMatch(/^([a-h]|<\/s>)+$/);
      await page.screenshot({ path: join(screenshots, 'webgpu.png'), fullPage: true });

      await page.$eval('#source', element => {
        (element as HTMLInputElement).value = 'a z';
      });
      await page.click('#show button');
      await waitFor(page, 'the refusal', async () => /unknown symbol "z"/.test(await text(page, '#refused')));

      await page.click('#reset');
      await waitFor(page, 'a new run', async () => /Ready/.test(await text(page, '#status')));
      expect(await stepOf(page)).toBe(0);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  test('without a WebGPU adapter it says so, and trains on the CPU', async () => {
    // The flag that gives headless Chromium its software adapter.
    const browser = await launchBrowser({ ignoreDefaultArgs: ['--enable-unsafe-webgpu'] });
    try {
      const { page, complaints } = await openPage(browser);
      expect(await text(page, '#adapter')).toContain('engine cpu · float64 reference');
      expect(await text(page, '#notice')).toMatch(/no adapter|no WebGPU/);
      await trainsAndPauses(page);
      expect(await coloursOf(page, '#heat')).toBeGreaterThan(10);
      await page.screenshot({ path: join(screenshots, 'cpu.png'), fullPage: true });

      // What cannot be had is refused in words.
      await page.click('#reset');
      await waitFor(page, 'a new run', async () => /Ready/.test(await text(page, '#status')));
      await page.select('#engine', 'gpu');
      await waitFor(page, 'the refusal', async () => /no adapter|no WebGPU/.test(await text(page, '#error')));
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
