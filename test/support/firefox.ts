import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer';
import { installedBrowsers } from '../../src/platform/node/browsers.ts';
import { bundleInstalled, unpackSwiftShader } from '../../src/platform/node/bundle.ts';
import { FIREFOX } from './firefox-path.ts';

/** For describe.runIf(). */
export const inFirefox = FIREFOX !== undefined;

/** What tests in Firefox are called: where it is not installed, their name says why they are skipped. */
export const IN_FIREFOX = FIREFOX
  ? `in ${versionOf(FIREFOX)}`
  : 'in Firefox: skipped, it is not installed (FIREFOX_PATH names another place)';

function versionOf(path: string): string {
  try {
    return execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 30_000 })
      .trim()
      .replace(/^Mozilla /, '');
  } catch {
    return path;
  }
}

/** The folder that a browser saves files in, where it cannot be told another one later. */
const downloads = new WeakMap<Browser, string>();
export const downloadFolderOf = (browser: Browser): string | undefined => downloads.get(browser);

/**
 * Headless Firefox. With WebGPU it gets SwiftShader as its Vulkan driver, where this machine has it: on Linux, releases of
 * before 141 have no WebGPU whatever the settings, and later ones need the two that are set here.
 */
export async function launchFirefox({ webgpu = false } = {}): Promise<Browser> {
  if (!FIREFOX) throw new Error('Firefox is not installed: set FIREFOX_PATH to it.');
  const folder = mkdtempSync(join(tmpdir(), 'pushdown-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    headless: true,
    // Pages set their size themselves: see resize() in page.ts.
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

/** Names SwiftShader to the Vulkan loader; nothing where there is none, or another driver is named already. */
async function softwareDriver(): Promise<Record<string, string>> {
  if (process.platform !== 'linux' || process.env['VK_ICD_FILENAMES']) return {};
  const installed = installedBrowsers().map(dirname);
  const folders = bundleInstalled() ? [...installed, await unpackSwiftShader()] : installed;
  const folder = folders.find(folder => existsSync(join(folder, 'vk_swiftshader_icd.json')));
  return folder ? { VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: folder } : {};
}

/** Why pages have no WebGPU adapter in this browser; undefined where they have one. @param url a page of localhost */
export async function withoutWebGpu(browser: Browser, url: string): Promise<string | undefined> {
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
