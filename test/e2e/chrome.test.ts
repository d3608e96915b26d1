import { createServer } from 'vite';
import { expect, test } from 'vitest';
import { ZERO_IN_LOOP } from '../../src/platform/node/adapter.ts';
import { launchBrowser } from '../support/browser.ts';
import { TOLERANCE } from '../support/memory-parity.ts';

/** Compares the engines in headless Chrome with the reference in the same page. */
test('every engine agrees with the reference in headless Chrome', async () => {
  const server = await createServer({
    configFile: false,
    root: `${import.meta.dirname}/../support/parity-page`,
    logLevel: 'error',
    server: { host: 'localhost', port: 0, strictPort: false, fs: { strict: false }, hmr: false },
  });
  await server.listen();
  const browser = await launchBrowser({
    // As in Node: kernels compile faster.
    args: [`--${ZERO_IN_LOOP}`],
    // The page computes for longer than the default of 180 s if other tests run beside it.
    protocolTimeout: 240_000,
  });
  try {
    const page = await browser.newPage();
    await page.goto(server.resolvedUrls!.local[0]);
    await page.waitForFunction('"parity" in window');
    const found = (await page.evaluate('window.parity')) as Record<string, number>;
    expect(Object.keys(found).length).toBeGreaterThan(100);
    for (const [name, difference] of Object.entries(found)) {
      // The tolerance of losses is that of test/support/training-parity.ts.
      expect(difference, name).toBeLessThanOrEqual(name.includes('losses') ? 1e-4 : TOLERANCE);
    }
  } finally {
    await browser.close();
    await server.close();
  }
});
