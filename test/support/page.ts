import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'puppeteer';
import { messageOf } from '../../src/base/errors.ts';
import { downloadFolderOf } from './firefox.ts';

/** Operates the training page in a real browser, as a user would. */

export interface Opened {
  page: Page;
  /** Problems of the page: errors in the console, failed requests. */
  complaints: string[];
}

/** Opens an address and waits for its engine. */
export async function openPage(on: Browser | BrowserContext, url: string): Promise<Opened> {
  const page = await on.newPage();
  const complaints: string[] = [];
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(String(error)));
  page.on('requestfailed', request => {
    // A request is aborted if its worker is terminated while loading; Chrome and Firefox report this differently.
    if (!/ERR_ABORTED|NS_BINDING_ABORTED/.test(request.failure()?.errorText ?? ''))
      complaints.push(`${request.url()} failed`);
  });
  page.on('response', response => {
    if (response.status() >= 400) complaints.push(`${response.url()}: ${response.status()}`);
  });
  await resize(page, 1280, 900);
  await page.goto(url);
  await ready(page).catch(error => {
    throw new Error(`${messageOf(error)} ${complaints.join('; ')}`);
  });
  return { page, complaints };
}

/** Sets the size of the page's window. */
export const resize = (page: Page, width: number, height: number): Promise<void> =>
  page.setViewport({ width, height }).catch(error => {
    // Firefox 140 does not know the command for the screen's orientation, which is sent after the size.
    if (!/unknown command emulation/.test(messageOf(error))) throw error;
  });

/** Waits until the page has an engine, or shows why it has none. */
export const ready = (page: Page): Promise<void> =>
  waitFor(page, 'the engine', async () => !/^$|Not started|Opening/.test(await text(page, '#status')));

export const text = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, element => element.textContent?.trim() ?? '');

export const isHidden = (page: Page, selector: string): Promise<boolean> =>
  page.$eval(selector, element => !(element as HTMLElement).checkVisibility());

export const stepOf = async (page: Page): Promise<number> =>
  Number((await text(page, '#steps-done')).replaceAll(',', ''));

/** Waits until the condition is true. @param what names the condition in the error message: "waited 30 s for …" */
export async function waitFor(
  page: Page,
  what: string,
  condition: () => Promise<boolean>,
  ms = 30_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) {
      const seen = `status "${await text(page, '#status')}", error "${await text(page, '#error')}"`;
      throw new Error(`waited ${ms / 1000} s for ${what}: ${seen}.`);
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

export const waitForText = (page: Page, selector: string, pattern: RegExp, ms?: number): Promise<void> =>
  waitFor(page, `${pattern} in ${selector}`, async () => pattern.test(await text(page, selector)), ms);

/** The loss that the page shows; NaN before the first report. */
export const lossOf = async (page: Page): Promise<number> =>
  Number.parseFloat((await text(page, '#loss')).replaceAll(',', ''));

/** Types into a field of the settings. */
export async function fill(page: Page, selector: string, value: string): Promise<void> {
  await page.$eval(
    selector,
    (element, value) => {
      (element as HTMLInputElement).value = value;
      element.dispatchEvent(new Event('input', { bubbles: true }));
    },
    value,
  );
}

/** Clicks a button that may be outside the viewport. */
export const press = (page: Page, selector: string): Promise<void> =>
  page.$eval(selector, element => (element as HTMLElement).click());

/** The number of different colours in a canvas; 1 means blank. */
export const coloursOf = (page: Page, selector: string): Promise<number> =>
  page.$eval(selector, element => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });

/** The file that the browser saves after a click. */
export async function downloaded(page: Page, selector: string): Promise<{ name: string; bytes: Uint8Array }> {
  const [folder, done] = await downloadFolder(page);
  const before = new Set(await readdir(folder));
  try {
    await press(page, selector);
    let [name]: string[] = [];
    await waitFor(page, 'the download', async () => {
      const complete = (await readdir(folder)).filter(
        file => !before.has(file) && !/\.(crdownload|part)$/.test(file),
      );
      [name] = complete;
      return name !== undefined && (await readFile(join(folder, name))).length > 0;
    });
    return { name, bytes: await readFile(join(folder, name)) };
  } finally {
    await done();
  }
}

/**
 * Returns the folder in which a page saves files, and a clean-up function.
 * Chrome gets a new folder each time; Firefox has one folder per browser.
 */
async function downloadFolder(page: Page): Promise<[folder: string, done: () => Promise<void>]> {
  const ofFirefox = downloadFolderOf(page.browser());
  if (ofFirefox) return [ofFirefox, async () => undefined];
  const folder = await mkdtemp(join(tmpdir(), 'pushdown-download-'));
  const session = await page.createCDPSession();
  await session.send('Browser.setDownloadBehavior', {
    behavior: 'allow',
    downloadPath: folder,
    browserContextId: page.browserContext().id,
  });
  return [
    folder,
    async () => {
      await session.detach();
      await rm(folder, { recursive: true, force: true });
    },
  ];
}

/** Drops files on the page. */
export async function drop(
  page: Page,
  ...files: { name: string; content: string | Uint8Array }[]
): Promise<void> {
  const coded = files.map(({ name, content }) => ({
    name,
    base64: Buffer.from(content).toString('base64'),
  }));
  await page.evaluate(files => {
    const dataTransfer = new DataTransfer();
    for (const { name, base64 } of files) {
      const bytes = Uint8Array.from(atob(base64), char => char.charCodeAt(0));
      dataTransfer.items.add(new File([bytes], name));
    }
    for (const type of ['dragover', 'drop']) {
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }
  }, coded);
}

/** Makes the page believe that its tab is hidden, or shown again. */
export const hide = (page: Page, hidden: boolean): Promise<void> =>
  page.evaluate(hidden => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

/** Scrolls to the gallery; its list is loaded when it is near the viewport. */
export const showGallery = (page: Page): Promise<void> =>
  page.$eval('#gallery-title', heading => heading.scrollIntoView());
