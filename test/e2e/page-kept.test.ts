import { expect, test } from 'vitest';
import {
  fill,
  isHidden,
  openPage,
  press,
  ready,
  stepOf,
  text,
  waitFor,
  waitForText,
} from '../support/page.ts';
import { countRuns, servedPage, storedStep, waitUntilDone } from '../support/served-page.ts';

/** Runs in the browser's storage. */

const served = servedPage();

/** For tests in which the engine does not matter: the engine cpu opens at once. */
const onCpu = (rest = ''): string => `${served.url}#v=1&preset=reverse&engine=cpu${rest}`;

test('runs can be started again, reopened and deleted', async () => {
  const { page } = await openPage(served.context, onCpu('&train.steps=50'));
  await waitUntilDone(page);
  await press(page, '#restart');
  await waitFor(page, 'a second run', async () => (await countRuns(page)) === 2);
  await waitUntilDone(page);
  expect(await text(page, '#runs tr td:nth-child(3)')).toBe('the same settings');
  await press(page, '#runs tr:nth-child(2) button');
  await waitFor(page, 'the first run', async () =>
    page.$eval('#runs tr:nth-child(2)', row => row.classList.contains('current')),
  );
  await waitUntilDone(page);
  page.on('dialog', dialog => dialog.accept());
  await press(page, '#runs tr:nth-child(1) button:last-child');
  await waitFor(page, 'the run to be deleted', async () => (await countRuns(page)) === 1);
});

test('the pictures of earlier steps are stored with a run', async () => {
  const { page, complaints } = await openPage(served.context, onCpu('&train.steps=200&train.stopAt=0'));
  await waitUntilDone(page);
  const frames = () => page.$eval('#past', slider => (slider as HTMLInputElement).max);
  const before = Number(await frames());
  expect(before).toBeGreaterThan(2);
  await waitFor(page, 'step 200 to be stored', async () => (await storedStep(page)) === 200);
  await page.reload();
  await ready(page);
  await waitFor(page, 'the pictures', async () => Number(await frames()) > 2);
  expect(await isHidden(page, '#past-field')).toBe(false);
  await fill(page, '#past', '1');
  expect(await text(page, '#past-step')).toBe('step 0');
  expect(complaints).toEqual([]);
});

test('a database of version 1, which has no pictures, is upgraded', async () => {
  const { page } = await openPage(served.context, onCpu('&train.steps=20&paused'));
  await press(page, '#step');
  await waitFor(page, 'step 1 to be stored', async () => (await storedStep(page)) === 1);
  // Replaces the database by one of version 1, without the object store "frames".
  await page.goto(`${served.url}bench/`);
  await page.evaluate(async () => {
    const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const from = await resultOf(indexedDB.open('pushdown'));
    const names = [...from.objectStoreNames].filter(name => name !== 'frames');
    const content = await Promise.all(
      names.map(async name => {
        const store = from.transaction(name).objectStore(name);
        const [keys, values] = await Promise.all([resultOf(store.getAllKeys()), resultOf(store.getAll())]);
        return { name, keys, values };
      }),
    );
    from.close();
    await resultOf(indexedDB.deleteDatabase('pushdown'));
    const opening = indexedDB.open('pushdown', 1);
    opening.onupgradeneeded = () => {
      for (const { name } of content) opening.result.createObjectStore(name);
    };
    const to = await resultOf(opening);
    for (const { name, keys, values } of content) {
      const store = to.transaction(name, 'readwrite').objectStore(name);
      await Promise.all(values.map((value, k) => resultOf(store.put(value, keys[k]))));
    }
    to.close();
  });
  await page.goto(onCpu('&train.steps=20&paused'));
  await ready(page);
  await waitForText(page, '#status', /Paused at step 1\b/);
});

test('a run that is open in another tab cannot be opened a second time', async () => {
  const { page } = await openPage(served.context, onCpu('&paused'));
  await press(page, '#step');
  await waitFor(page, 'step 1 to be stored', async () => (await storedStep(page)) === 1);
  const { page: second } = await openPage(
    served.context,
    `${served.url}#v=1&preset=small/copy/queue&engine=cpu&paused`,
  );
  await waitFor(second, 'both runs', async () => (await countRuns(second)) === 2);
  await press(second, '#runs tr:nth-child(2) button');
  await waitForText(
    second,
    '#settings-problem',
    /open in another tab: close that tab first\. The current run continues/,
  );
});

test('full storage is reported, and training continues', async () => {
  const { page } = await openPage(served.context, onCpu('&train.stopAt=0&train.steps=100000&paused'));
  const session = await page.createCDPSession();
  await session.send('Storage.overrideQuotaForOrigin', {
    origin: new URL(served.url).origin,
    quotaSize: 1,
  });
  // At full speed the run would only keep the processor busy.
  await page.select('#pace', '20');
  await press(page, '#go');
  await waitForText(
    page,
    '#storage-problem',
    /storage is full: training continues, but a reload will lose its progress/,
    60_000,
  );
  // Chrome checks the remaining space about every ten seconds.
  const step = await stepOf(page);
  await waitFor(page, 'more steps', async () => (await stepOf(page)) > step);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(served.url).origin });
  await press(page, '#go');
  await waitFor(
    page,
    'the message on full storage to vanish',
    async () => (await text(page, '#storage-problem')) === '',
  );
});
