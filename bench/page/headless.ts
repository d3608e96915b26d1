/** Runs the page in a headless browser. */
import { DeviceError } from '../../src/base/errors.ts';
import { launchBrowser } from '../../test/support/browser.ts';
import { allCases, selectCases } from '../cases/index.ts';
import { headOf, textOf } from '../report.ts';
import { saveSuite } from '../run-suite.ts';
import { failuresOf, type Suite } from '../suite.ts';

export interface HeadlessOptions {
  only: readonly string[];
  full: boolean;
  samples: number;
  peers: boolean;
  json: boolean;
}

/** Prints the tables. Returns the exit code. @param url of the page */
export async function runHeadless(url: string, options: HeadlessOptions): Promise<number> {
  // Wrong options are reported before a browser starts.
  selectCases(allCases(), options);
  const suite = await suiteOf(url, options);
  const { browser } = suite.machine as { browser?: string };
  console.log(headOf(suite, browser ?? 'a headless browser').join('\n'));
  console.log(`\n${textOf(suite)}`);
  if (options.json) console.log(`\nwritten: ${saveSuite(suite, 'suite-chrome').join(', ')}`);
  const found = failuresOf(suite);
  for (const fault of found) console.error(fault);
  return found.length ? 1 : 0;
}

async function suiteOf(url: string, { only, full, samples, peers }: HeadlessOptions): Promise<Suite> {
  const query = new URLSearchParams([
    ['run', ''],
    ['samples', String(samples)],
  ]);
  for (const text of only) query.append('only', text);
  if (full) query.append('full', '');
  if (!peers) query.append('no-peers', '');
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    page.on('console', message => {
      if (message.type() === 'info' || message.type() === 'error') console.error(message.text());
    });
    await page.goto(`${url}?${query}`);
    for (;;) {
      // Polls, because a suite takes longer than the timeout of the browser protocol.
      const failure = (await page.evaluate('window.failure')) as string | undefined;
      if (failure) throw new DeviceError(`in the browser: ${failure}`);
      const suite = (await page.evaluate('window.suite')) as Suite | undefined;
      if (suite) return suite;
      await new Promise(resolve => setTimeout(resolve, 500));
    }
  } finally {
    await browser.close();
  }
}
