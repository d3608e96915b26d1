/** The places where Chrome, Chromium, Edge and Electron are installed. */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const LINUX = [
  '/opt/google/chrome/chrome',
  '/usr/lib/chromium/chromium',
  '/usr/lib/chromium-browser/chromium-browser',
  '/usr/lib64/chromium-browser/chromium-browser',
  '/opt/google/chrome-beta/chrome',
  '/opt/google/chrome-unstable/chrome',
  '/opt/microsoft/msedge/msedge',
  '/snap/chromium/current/usr/lib/chromium-browser/chrome',
];
const MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  '/Applications/Google Chrome Canary.app/Contents/MacOS/Google Chrome Canary',
];
const WINDOWS = [
  'Google\\Chrome\\Application\\chrome.exe',
  'Chromium\\Application\\chrome.exe',
  'Microsoft\\Edge\\Application\\msedge.exe',
];

/** `root/<any>/<inside>` for every folder in root, in descending order of names (newest first). */
function under(root: string, inside: string): string[] {
  if (!existsSync(root)) return [];
  const folders = readdirSync(root).sort((a, b) => b.localeCompare(a, undefined, { numeric: true }));
  return folders.map(folder => join(root, folder, inside));
}

/** Installed browsers that tests can drive; those named by environment variables come first. */
export function installedBrowsers(): string[] {
  const { PUPPETEER_EXECUTABLE_PATH, CHROME_PATH, PROGRAMFILES, LOCALAPPDATA } = process.env;
  const usual =
    process.platform === 'win32'
      ? [PROGRAMFILES, process.env['PROGRAMFILES(X86)'], LOCALAPPDATA]
          .filter(root => root !== undefined)
          .flatMap(root => WINDOWS.map(path => join(root, path)))
      : process.platform === 'darwin'
        ? MAC.flatMap(path => [path, join(homedir(), path)])
        : LINUX;
  const all = [PUPPETEER_EXECUTABLE_PATH, CHROME_PATH, ...usual].filter(path => path !== undefined);
  return [...new Set(all)].filter(path => path !== '' && existsSync(path));
}

/** The installed browsers, and other programs that carry SwiftShader on Linux: browsers of test tools, and Electron. */
export function browserPaths(): string[] {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const puppeteer = process.env['PUPPETEER_CACHE_DIR'] || join(cache, 'puppeteer');
  const paths = [
    ...installedBrowsers(),
    ...under(join(puppeteer, 'chrome'), 'chrome-linux64/chrome'),
    ...under(join(puppeteer, 'chrome-headless-shell'), 'chrome-headless-shell-linux64/chrome-headless-shell'),
    ...under(join(cache, 'ms-playwright'), 'chrome-linux/chrome'),
  ];
  try {
    const electron = createRequire(import.meta.url).resolve('electron/package.json');
    paths.push(join(electron, '..', 'dist', 'electron'));
  } catch {
    // Electron is not installed.
  }
  return paths.filter(path => existsSync(path));
}
