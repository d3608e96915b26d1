import { expect, test } from 'vitest';
import { fill, openPage, press, text, waitForText } from '../support/page.ts';
import { servedPage } from '../support/served-page.ts';

/** The memory operated by hand: with sliders, with keys, as a stack and as a queue. */

const served = servedPage();

test('the memory operated by hand starts with Figure 1; a slider changes strengths, reads and equations at once', async () => {
  const { page, complaints } = await openPage(
    served.context,
    `${served.url}#v=1&preset=reverse&engine=cpu&paused`,
  );
  // Its script is loaded when it is scrolled into view.
  await page.$eval('#hand-title', title => title.scrollIntoView());
  await page.waitForSelector('#by-hand:not([inert]) #hand-read-2');
  expect(await text(page, '#hand-read-2')).toBe('2.8');
  expect(await text(page, '#hand-row-0-2')).toBe('0.3, 0.1 read');
  expect(await text(page, '#hand-strengths')).toContain('max(0, 0.7 − max(0, 0.9 − 0.5)) = 0.3');

  await page.focus('#hand-push-2');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await waitForText(page, '#hand-reads', /1 · 3 \+ 0 · 2 \+ 0 · 1 = 3/);
  expect(await text(page, '#hand-text')).toBe('');

  // An earlier step has its own equations.
  await press(page, '#hand thead th:nth-of-type(2) button');
  await waitForText(page, '#hand-step', /Step 2/);
  await waitForText(page, '#hand-strengths', /s₂\[1\] = .* = 0\.7/);

  await press(page, '#hand-kinds button:nth-of-type(2)');
  await waitForText(page, '#hand-strengths', /over j < 1/);
  await press(page, '#hand-more');
  await fill(page, '#hand-pop-3', '1');
  await waitForText(page, '#hand-step', /Step 4/);
  // Of the 2.3 pushed, 2 have been popped, starting with the oldest rows.
  expect(await text(page, '#hand-row-0-3')).toBe('0');
  for (let i = 0; i < 3; i++) await press(page, '#hand-less');
  expect(await page.$$eval('#hand thead th', all => all.length)).toBe(1);
  await press(page, '#hand-examples button:nth-of-type(3)');
  await waitForText(page, '#hand-text', /in the order in which they were pushed/);
  expect(await text(page, '#hand-read-4')).toBe('3');
  expect(complaints).toEqual([]);
});
