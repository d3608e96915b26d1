import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type LaunchOptions } from 'puppeteer';
import { firstLineOf } from '../../src/base/errors.ts';
import { installedBrowsers } from '../../src/platform/node/browsers.ts';
import { bundleInstalled, unpackChromium } from '../../src/platform/node/bundle.ts';
import { launchFirefox } from './firefox.ts';

const FLAGS = [
  '--enable-unsafe-webgpu',
  '--no-sandbox',
  '--disable-background-networking',
  '--no-first-run',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Whether tests that open a browser use Firefox, without WebGPU. `npm run verify` runs some of the page's tests in it.
 */
const USE_FIREFOX = process.env['PUSHDOWN_BROWSER'] === 'firefox';

/**
 * Launches a headless browser: with PUSHDOWN_BROWSER=firefox, Firefox without WebGPU and without `options`; otherwise
 * one with WebGPU: an installed one, else one in puppeteer's cache, else that of the npm package
 * `@sparticuz/chromium`, else one that puppeteer downloads. WebGPU is available on pages of http://localhost, not on
 * about:blank.
 */
export async function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  if (USE_FIREFOX) return launchFirefox();
  const failures: string[] = [];
  for (const { what, find } of SOURCES) {
    try {
      const found = await find();
      if (!found) continue;
      return await puppeteer.launch({
        headless: true,
        ...options,
        ...found,
        args: [...FLAGS, ...(options.args ?? [])],
        env: { ...process.env, ...options.env, ...found.env },
      });
    } catch (error) {
      failures.push(`${what}: ${firstLineOf(error)}`);
    }
  }
  throw new Error(
    `no browser to test in: ${failures.join('; ') || 'none in the usual places'}. Install Chrome or Chromium 140 ` +
      'or newer, or set PUPPETEER_EXECUTABLE_PATH to its path.',
  );
}

interface Source {
  what: string;
  find(): Promise<LaunchOptions | undefined>;
}

const SOURCES: Source[] = [
  ...installedBrowsers().map(executablePath => ({
    what: executablePath,
    find: async () => ({ executablePath }),
  })),
  {
    what: "puppeteer's cache",
    find: async () => {
      const executablePath = await puppeteer.executablePath();
      return existsSync(executablePath) ? { executablePath } : undefined;
    },
  },
  {
    what: 'npm @sparticuz/chromium',
    find: async () => {
      if (!bundleInstalled()) return undefined;
      const { path, env } = await unpackChromium();
      return { executablePath: path, env, headless: 'shell' };
    },
  },
  {
    what: 'download',
    find: async () => {
      // The downloader that puppeteer depends on.
      const { Browser, detectBrowserPlatform, install, resolveBuildId } = await import('@puppeteer/browsers');
      const platform = detectBrowserPlatform();
      const cacheDir = process.env['PUPPETEER_CACHE_DIR'] ?? join(homedir(), '.cache', 'puppeteer');
      if (!platform) return undefined;
      const buildId = await resolveBuildId(Browser.CHROME, platform, 'stable');
      const { executablePath } = await install({ browser: Browser.CHROME, buildId, cacheDir });
      return { executablePath };
    },
  },
];
