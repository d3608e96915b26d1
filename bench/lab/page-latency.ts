/**
 * Measures how fast the page responds to a person while it trains: typing, pressing buttons, moving the time slider.
 *   node bench/run.mjs bench/lab/page-latency.ts
 * `handled` is the time from the event to the end of its handlers, which the page's own work can delay. `shown`
 * is the time until the browser has drawn the next frame (Event Timing, in steps of 8 ms); without a GPU this
 * includes the browser's software rendering. Long tasks are tasks of more than 50 ms on the page's main thread.
 */
import { launchBrowser } from '../../test/support/browser.ts';
import { buildPage, servePage } from '../../test/support/server.ts';
import { spread } from '../measure.ts';

interface Timed {
  name: string;
  handled: number;
  shown: number;
}

declare global {
  interface Window {
    timed: Timed[];
    long: number[];
  }
}

export async function main(): Promise<number> {
  const server = await servePage(await buildPage());
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    // An unlimited run at full speed, so that the page trains throughout.
    await page.goto(`${server.url}#v=1&preset=reverse&engine=gpu&train.stopAt=0&train.steps=1000000`);
    await page.waitForFunction(() => Number(document.querySelector('#steps-done')?.textContent) > 50);
    await page.evaluate(() => {
      window.timed = [];
      window.long = [];
      new PerformanceObserver(list => {
        for (const entry of list.getEntries() as PerformanceEventTiming[]) {
          const { name, startTime, processingEnd, duration } = entry;
          if (/^(keydown|pointerdown|click|input)$/.test(name)) {
            window.timed.push({ name, handled: processingEnd - startTime, shown: duration });
          }
        }
      }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
      new PerformanceObserver(list => {
        for (const { duration } of list.getEntries()) window.long.push(duration);
      }).observe({ type: 'longtask' });
    });
    const step = async () =>
      Number((await page.$eval('#steps-done', e => e.textContent ?? '')).replaceAll(',', ''));
    const [from, start] = [await step(), performance.now()];
    for (let round = 0; round < 12; round++) {
      await page.click('#try-source');
      for (const key of 'abcabcab') await page.keyboard.type(key, { delay: 60 });
      await page.focus('#time');
      for (let i = 0; i < 6; i++) {
        await page.keyboard.press('ArrowRight');
        await new Promise(resolve => setTimeout(resolve, 60));
      }
      await page.click('#show button');
      await page.click('#try button');
      await page.click('#play');
    }
    const seconds = (performance.now() - start) / 1000;
    const { timed, long } = await page.evaluate(() => ({ timed: window.timed, long: window.long }));
    const line = (name: string, values: number[]) => {
      const { median, high } = spread(values);
      const [max, above] = [Math.max(...values), values.filter(value => value > 50).length];
      console.log(
        `${name}: median ${median.toFixed(1)} ms, upper quartile ${high.toFixed(1)}, maximum ${max.toFixed(1)}, above 50 ms ${above} of ${values.length}`,
      );
    };
    console.log(await page.$eval('#adapter', element => element.textContent));
    console.log(`trained ${(await step()) - from} steps in these ${seconds.toFixed(1)} s`);
    line(
      'handled',
      timed.map(({ handled }) => handled),
    );
    line(
      'shown',
      timed.map(({ shown }) => shown),
    );
    console.log(
      `long tasks: ${long.length}${long.length ? `, the longest ${Math.max(...long).toFixed(0)} ms` : ''}`,
    );
    return 0;
  } finally {
    await browser.close();
    await server.close();
  }
}
