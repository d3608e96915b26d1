import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Card } from '../../src/train/gallery.ts';
import { launchBrowser } from '../support/browser.ts';
import { openPage, showGallery, text, waitFor, waitForText } from '../support/page.ts';
import { type Server, servePage } from '../support/server.ts';

/** The gallery of the published page: every model opens with one click. */

const cards: Card[] = JSON.parse(readFileSync(join(import.meta.dirname, '../../gallery/cards.json'), 'utf8'));
let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = await servePage(inject('builtPage'));
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('the gallery lists every model, and each can be opened', async () => {
  const { page, complaints } = await openPage(
    browser,
    `${server.url}#v=1&preset=reverse&engine=cpu&paused=1`,
  );
  await showGallery(page);
  await waitFor(page, 'the cards', async () => (await page.$$('#gallery > li')).length === cards.length);
  for (const { name, title, parameters, steps, command } of cards) {
    expect(await text(page, `#gallery-${name} h3`)).toContain(title);
    expect(await text(page, `#gallery-${name} code`)).toBe(command);
    await page.$eval(`#gallery-${name} button`, element => (element as HTMLButtonElement).click());
    await waitForText(page, '#adapter', new RegExp(`${parameters.toLocaleString('en')} parameters`));
    await waitFor(
      page,
      `the step of ${name}`,
      async () => (await text(page, '#steps-done')).replaceAll(',', '') === String(steps),
    );
    await waitFor(page, `the picture of ${name}`, () =>
      page.$eval('#heat', element => {
        const canvas = element as HTMLCanvasElement;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        return data.some(number => number > 0);
      }),
    );
  }
  expect(complaints).toEqual([]);
});
