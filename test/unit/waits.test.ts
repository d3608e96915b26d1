import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Waits } from '../../src/gpu/waits.ts';

/** How soon the end of work is noticed on queues that check for it at intervals. */

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A queue that resolves its waits every `period` ms, and after each submission if `onSubmit` is true. */
function fakeQueue(period: number, onSubmit: boolean) {
  let waiting: (() => void)[] = [];
  let submissions = 0;
  const check = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const timer = setInterval(check, period);
  const queue = {
    submit() {
      submissions++;
      // With a delay, like an answer from another process.
      if (onSubmit) setTimeout(check, 1);
    },
    onSubmittedWorkDone: () => new Promise<undefined>(resolve => waiting.push(() => resolve(undefined))),
  };
  return {
    queue: queue as unknown as GPUQueue,
    get submissions() {
      return submissions;
    },
    close() {
      clearInterval(timer);
      waiting = [];
    },
  };
}

/** For devices that are never lost. */
const neverLost = <T>(promised: Promise<T>): Promise<T> => promised;

/** The ms that a promise takes, on the fake clock. */
async function took(promised: Promise<unknown>): Promise<number> {
  const start = performance.now();
  let end = Number.NaN;
  promised.then(() => {
    end = performance.now();
  });
  while (Number.isNaN(end)) await vi.advanceTimersByTimeAsync(1);
  return end - start;
}

test('a queue that checks every 100 ms gets empty submissions: waits take about 2 ms', async () => {
  const fake = fakeQueue(100, true);
  const waits = new Waits(fake.queue);
  expect(await took(waits.during(fake.queue.onSubmittedWorkDone()))).toBeGreaterThan(50);
  expect(fake.submissions).toBe(0);
  await took(waits.measure(neverLost));
  expect(waits.nudges).toBe(true);
  expect(await took(waits.during(fake.queue.onSubmittedWorkDone()))).toBeLessThanOrEqual(3);
  // Nothing is submitted while nobody waits, and one timer serves several waits.
  const before = fake.submissions;
  await vi.advanceTimersByTimeAsync(50);
  expect(fake.submissions).toBe(before);
  expect(vi.getTimerCount()).toBe(1);
  fake.close();
});

test('a queue that answers at once gets no empty submissions', async () => {
  const fake = fakeQueue(1, true);
  const waits = new Waits(fake.queue);
  await took(waits.measure(neverLost));
  await took(waits.during(fake.queue.onSubmittedWorkDone()));
  expect(waits.nudges).toBe(false);
  expect(fake.submissions).toBe(0);
  fake.close();
});

test('a slow queue that empty submissions do not make faster gets none after the measurement', async () => {
  const fake = fakeQueue(100, false);
  const waits = new Waits(fake.queue);
  await took(waits.measure(neverLost));
  expect(waits.nudges).toBe(false);
  const before = fake.submissions;
  await took(waits.during(fake.queue.onSubmittedWorkDone()));
  expect(fake.submissions).toBe(before);
  fake.close();
});

test('a wait that fails, or never ends because the device is lost, leaves no timer behind', async () => {
  const fake = fakeQueue(100, true);
  const waits = new Waits(fake.queue);
  await took(waits.measure(neverLost));
  await expect(waits.during(Promise.reject(new Error('mapping failed')))).rejects.toThrow('mapping failed');
  void waits.during(new Promise(() => undefined));
  const before = fake.submissions;
  await vi.advanceTimersByTimeAsync(20);
  expect(fake.submissions).toBeGreaterThan(before + 5);
  waits.end();
  fake.close();
  void waits.during(new Promise(() => undefined));
  await vi.advanceTimersByTimeAsync(2);
  expect(vi.getTimerCount()).toBe(0);
});

test('a measurement that fails throws its error, and no empty submissions follow', async () => {
  const waits = new Waits({
    submit: () => undefined,
    onSubmittedWorkDone: () => Promise.reject(new Error('lost')),
  } as unknown as GPUQueue);
  await expect(waits.measure(neverLost)).rejects.toThrow('lost');
  expect(waits.nudges).toBe(false);
});
