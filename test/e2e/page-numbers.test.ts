import { expect, test } from 'vitest';
import { openPage, press, showGallery, text, waitFor, waitForText } from '../support/page.ts';
import { servedPage, waitUntilDone } from '../support/served-page.ts';

/** The numbers that the page shows, and its layout on different screens. */

const served = servedPage();
const onCpu = (rest = ''): string => `${served.url}#v=1&preset=reverse&engine=cpu${rest}`;

test('a solved model from the gallery shows its numbers', async () => {
  const { page } = await openPage(served.context, onCpu('&paused'));
  expect(await text(page, '#go')).toBe('Start');
  await showGallery(page);
  await page.waitForSelector('#gallery-reverse-rnn button');
  await press(page, '#gallery-reverse-rnn button');
  await waitForText(page, '#coarse', /100\.0 %/);
  expect(await text(page, '#fine')).toBe('100.0 %');
  expect(await text(page, '#length')).toBe('16');
  expect(Number(await text(page, '#loss'))).toBeLessThan(0.1);
});

test('the button of a paused run says Resume', async () => {
  const { page } = await openPage(served.context, onCpu('&paused'));
  expect(await text(page, '#go')).toBe('Start');
  await press(page, '#step');
  await waitForText(page, '#status', /Paused at step 1\b/);
  expect(await text(page, '#go')).toBe('Resume');
});

const mibIn = (text: string): number => {
  const [, number, unit] = /([\d.]+) ([KM])iB on the device/.exec(text)!;
  return Number(number) * (unit === 'K' ? 1 / 1024 : 1);
};

test('the memory estimated before a run is near what a GPU uses; the CPU uses less', async () => {
  const { page } = await openPage(served.context, `${served.url}#v=1&preset=reverse&engine=gpu&paused`);
  await waitForText(page, '#sizes', /on the device/);
  const estimated = mibIn(await text(page, '#sizes'));
  const used = mibIn(await text(page, '#adapter'));
  expect(used / estimated).toBeGreaterThan(0.6);
  expect(used / estimated).toBeLessThan(1.5);
  const { page: other } = await openPage(served.context, onCpu('&train.seed=1&paused'));
  expect(mibIn(await text(other, '#adapter'))).toBeLessThan(estimated);
});

test('on a phone the list of runs fits the screen, with several words per line', async () => {
  const { page } = await openPage(served.context, onCpu('&train.steps=50'));
  await waitUntilDone(page);
  await page.setViewport({ width: 360, height: 800 });
  await waitForText(page, '#runs', /reverse, seed 0/);
  const table = await page.$eval('.runs', element => {
    const box = element.closest('.scroll')!;
    const nameWidth = element.querySelector('tbody th')!.getBoundingClientRect().width;
    return { overflow: box.scrollWidth - box.clientWidth, nameWidth };
  });
  expect(table.overflow).toBeLessThanOrEqual(0);
  expect(table.nameWidth).toBeGreaterThan(200);
});

interface Label {
  text: string;
  y: number;
  left: number;
  right: number;
}

test('on a phone the labels of the picture do not overlap', async () => {
  const page = await served.context.newPage();
  await page.setViewport({ width: 360, height: 800 });
  // Records the texts drawn into the picture, and their widths.
  await page.evaluateOnNewDocument(() => {
    const labels: Label[] = [];
    Object.assign(window, { labels });
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y, maxWidth = Number.POSITIVE_INFINITY) {
      if (this.canvas.id === 'heat' && this.textAlign === 'center') {
        const half = Math.min(maxWidth, this.measureText(text).width) / 2;
        labels.push({ text, y, left: x - half, right: x + half });
      }
      return fillText.call(this, text, x, y, maxWidth);
    };
  });
  await page.goto(onCpu('&paused'));
  await waitForText(page, '#status', /Ready/);
  // The labels of the last drawing: input, output and target of 14 steps.
  const labels = (): Promise<Label[]> =>
    page.evaluate(() => (window as unknown as { labels: Label[] }).labels.slice(-42));
  await waitFor(page, 'labels', async () => (await labels()).some(({ text }) => text === '</s>'));
  const all = (await labels()).toSorted((a, b) => a.y - b.y || a.left - b.left);
  const overlapping = all.filter(
    (label, i) => i > 0 && all[i - 1].y === label.y && all[i - 1].right > label.left + 0.5,
  );
  expect(overlapping.filter(({ left }, i) => i === 0 || left !== overlapping[i - 1].left)).toEqual([]);
});

test('the device is checked and timed, with a report; a check can be cancelled', async () => {
  const { page } = await openPage(served.context, onCpu('&paused'));
  await press(page, '#doctor');
  await waitForText(page, '#doctor', /Cancel/);
  await press(page, '#doctor');
  await waitForText(page, '#doctor', /Check this device/);
  expect(await text(page, '#doctor-status')).toBe('');
  // A part of the checks: the others are reported as not run.
  await page.$eval('#doctor', button => button.setAttribute('data-seconds', '3'));
  await press(page, '#doctor');
  await waitForText(page, '#doctor-status', /✓ Everything that ran agrees/);
  const report = await text(page, '#doctor-report');
  expect(report).toMatch(/^# pushdown doctor\n\n- 20\d\d-.*Chrome/);
  expect(report).toMatch(/\| software \| \d+ \|/);
  expect(report).toMatch(/\| cpu \| \d+ \|/);
});
