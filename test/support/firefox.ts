import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer';
import { installedBrowsers } from '../../src/platform/node/browsers.ts';
import { bundleInstalled, unpackSwiftShader } from '../../src/platform/node/bundle.ts';
import { FIREFOX } from './firefox-path.ts';

/** For describe.runIf(). */
export const hasFirefox = FIREFOX !== undefined;

/** Name of the tests in Firefox. If it is not installed, the name says why they are skipped. */
export const FIREFOX_SUITE = FIREFOX
  ? `in ${versionOf(FIREFOX)}`
  : 'in Firefox: skipped, because it was not found (install it, or set FIREFOX_PATH)';

function versionOf(path: string): string {
  try {
    return execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 30_000 })
      .trim()
      .replace(/^Mozilla /, '');
  } catch {
    return path;
  }
}

/** Download folders, for browsers that cannot change them after launch. */
const downloads = new WeakMap<Browser, string>();
export const downloadFolderOf = (browser: Browser): string | undefined => downloads.get(browser);

/**
 * Launches headless Firefox. With WebGPU it uses SwiftShader as its Vulkan driver, if installed. On Linux, releases
 * before 141 have no WebGPU whatever the settings, and later ones need the settings below.
 */
export async function launchFirefox({ webgpu = false } = {}): Promise<Browser> {
  if (!FIREFOX) throw new Error('Firefox is not installed: set FIREFOX_PATH to its path.');
  const folder = mkdtempSync(join(tmpdir(), 'pushdown-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    headless: true,
    // Pages set their own size: see resize() in page.ts.
    defaultViewport: null,
    extraPrefsFirefox: {
      'dom.webgpu.enabled': webgpu,
      'dom.webgpu.workers.enabled': webgpu,
      'gfx.webgpu.ignore-blocklist': webgpu,
      'browser.download.folderList': 2,
      'browser.download.dir': folder,
    },
    env: { ...process.env, ...(webgpu && (await softwareDriver())) },
  });
  downloads.set(browser, folder);
  browser.once('disconnected', () => rmSync(folder, { recursive: true, force: true }));
  return browser;
}

/**
 * Environment that tells the Vulkan loader to use SwiftShader; empty if it is missing, or if a driver is already set.
 */
async function softwareDriver(): Promise<Record<string, string>> {
  if (process.platform !== 'linux' || process.env['VK_ICD_FILENAMES']) return {};
  const installed = installedBrowsers().map(dirname);
  const folders = bundleInstalled() ? [...installed, await unpackSwiftShader()] : installed;
  const folder = folders.find(folder => existsSync(join(folder, 'vk_swiftshader_icd.json')));
  return folder ? { VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: folder } : {};
}

/**
 * Returns why pages have no WebGPU adapter in this browser, or undefined if they have one. @param url a page on
 * localhost
 */
export async function whyNoWebGpu(browser: Browser, url: string): Promise<string | undefined> {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    return await page.evaluate(async () => {
      if (!navigator.gpu) return 'navigator.gpu is missing';
      return navigator.gpu.requestAdapter().then(adapter => (adapter ? undefined : 'no adapter'), String);
    });
  } finally {
    await page.close();
  }
}
