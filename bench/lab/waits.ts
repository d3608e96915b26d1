/**
 * Measures how long waits for the GPU take in Chrome and in Firefox, with
 * and without nudges, which are empty submissions (src/gpu/waits.ts):
 *   node bench/run.mjs bench/lab/waits.ts [--seconds 8] [--rounds 3]
 *   FIREFOX_PATH=/opt/firefox/firefox node bench/run.mjs bench/lab/waits.ts
 * First it measures waits on an idle queue, then training on the page, alternating with and without nudges. For training
 * without nudges, a script drops empty submissions.
 */
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'puppeteer';
import { launchBrowser } from '../../test/support/browser.ts';
import { launchFirefox, whyNoWebGpu } from '../../test/support/firefox.ts';
import { FIREFOX } from '../../test/support/firefox-path.ts';
import { buildPage, pageWithWorkerScript, servePage } from '../../test/support/server.ts';
import { figures, sample, spread } from '../measure.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '8' }, rounds: { type: 'string', default: '3' } },
});
const SECONDS = Number(values.seconds);
const ROUNDS = Number(values.rounds);
const PRESETS = ['reverse', 'tutorial-part5'];

/** A script for the worker that drops empty submissions. So nudges do not help, and pushdown does not use them. */
const WITHOUT =
  'const submit = GPUQueue.prototype.submit; GPUQueue.prototype.submit = function (all) { if (all.length) submit.call(this, all); };';

/** The ms of waits on an idle queue: without nudges, and with a nudge at once and every 2 ms. */
const idleWaits = (page: Page): Promise<{ plain: number[]; nudged: number[] }> =>
  page.evaluate(async () => {
    const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
    const { queue } = device;
    const wait = async (nudged: boolean): Promise<number> => {
      const start = performance.now();
      const done = queue.onSubmittedWorkDone();
      if (nudged) queue.submit([]);
      const timer = nudged ? setInterval(() => queue.submit([]), 2) : undefined;
      await done;
      clearInterval(timer);
      return performance.now() - start;
    };
    await wait(false);
    const [plain, nudged]: number[][] = [[], []];
    for (let k = 0; k < 20; k++) {
      plain.push(await wait(false));
      nudged.push(await wait(true));
    }
    device.destroy();
    return { plain, nudged };
  });

/** The training steps per second of a preset on the page. */
async function stepsPerSecond(browser: Browser, url: string, preset: string): Promise<number> {
  const page = await browser.newPage();
  try {
    await page.goto(
      `${url}#v=1&preset=${preset}&engine=gpu&train.stopAt=0&train.steps=1000000&train.restartAfter=0`,
    );
    const stepped = () =>
      page.$eval('#steps-done', element => Number((element.textContent ?? '').replaceAll(',', '')));
    const start = performance.now();
    while ((await stepped()) < 50) {
      if (performance.now() - start > 120_000) throw new Error(`${preset} does not train.`);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    const [from, since] = [await stepped(), performance.now()];
    await new Promise(resolve => setTimeout(resolve, SECONDS * 1000));
    return (((await stepped()) - from) * 1000) / (performance.now() - since);
  } finally {
    await page.close();
  }
}

const format = (samples: readonly number[]): string => figures(spread(samples));

export async function main(): Promise<number> {
  const built = await buildPage();
  const servers = await Promise.all([
    servePage(built),
    servePage(await pageWithWorkerScript(built, WITHOUT)),
  ]);
  const [{ url }] = servers;
  const browsers: (() => Promise<Browser>)[] = [() => launchBrowser()];
  if (FIREFOX) browsers.push(() => launchFirefox({ webgpu: true }));
  for (const launch of browsers) {
    const browser = await launch();
    try {
      const missing = await whyNoWebGpu(browser, url);
      console.log(`${await browser.version()}${missing ? `: no WebGPU, ${missing}` : ''}`);
      if (missing) continue;
      const page = await browser.newPage();
      await page.goto(url);
      const { plain, nudged } = await idleWaits(page);
      await page.close();
      console.log(`  wait on an idle queue: ${format(plain)} ms, with nudges ${format(nudged)} ms`);
      for (const preset of PRESETS) {
        const [on, off] = await sample(
          ROUNDS,
          servers.map(server => () => stepsPerSecond(browser, server.url, preset)),
        );
        console.log(`  ${preset}: ${format(on)} training steps per second, without nudges ${format(off)}`);
      }
    } finally {
      await browser.close();
    }
  }
  for (const server of servers) await server.close();
  return 0;
}
