import { expect, test } from 'vitest';
import { Lifetime } from '../../src/engine/lifetime.ts';
import { Submissions } from '../../src/engine/submissions.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { rangesOf, SliceSteps, stepCostOfModel, withinSteps } from '../../src/kernels/slices.ts';

/** How work over time is cut into submissions, and which submissions are timed. */

test('slices have as many steps as fit into the time limit, as measured', () => {
  const slices = new SliceSteps(1000);
  expect(slices.steps(64)).toBe(256);
  expect(slices.steps(256)).toBe(64);
  expect(slices.steps(1)).toBe(256);
  // The first slices of a wide model are short.
  expect(new SliceSteps(100_000).steps(64)).toBe(15);
  expect(new SliceSteps(1e12).steps(1)).toBe(1);
  // 1,000 ms for 100 steps in both passes: 5 ms per step.
  slices.took(1000, { T: 100, B: 64, passes: 2 });
  expect(slices.steps(64)).toBe(20);
  slices.took(1, { T: 1000, B: 64, passes: 1 });
  expect(slices.steps(64)).toBe(80);
  slices.took(Number.NaN, { T: 10, B: 64, passes: 1 });
  expect(slices.steps(64)).toBe(80);
  // The time of a large batch is only an upper bound for a small one.
  slices.took(20_000, { T: 100, B: 1000, passes: 2 });
  expect([slices.steps(1000), slices.steps(1), slices.steps(2000)]).toEqual([1, 1, 1]);
  slices.took(400, { T: 100, B: 10, passes: 1 });
  expect([slices.steps(10), slices.steps(20)]).toEqual([4, 2]);
  expect(rangesOf(10, 4, 'forward')).toEqual([
    { from: 0, to: 4 },
    { from: 4, to: 8 },
    { from: 8, to: 10 },
  ]);
  expect(rangesOf(10, 4, 'backward')[0]).toEqual({ from: 8, to: 10 });
  expect(rangesOf(3, 4, 'backward')).toEqual([{ from: 0, to: 3 }]);
});

test('a step that walks over many rows counts as several', () => {
  const weight = (t: number) => (t === 2 ? 9 : 1 + t / 10);
  expect(rangesOf(6, 4, 'forward', weight)).toEqual([
    { from: 0, to: 2 },
    { from: 2, to: 3 },
    { from: 3, to: 5 },
    { from: 5, to: 6 },
  ]);
  expect(rangesOf(6, 4, 'backward', weight)[0]).toEqual({ from: 5, to: 6 });
  expect([withinSteps(2, 2.1, weight), withinSteps(2, 2, weight), withinSteps(3, 4)]).toEqual([
    true,
    false,
    true,
  ]);
  // 8,400 multiplications per step, and 3 · 16 per row: at step 175 the rows cost as much again.
  const model = stepCostOfModel(8400, 1, 16);
  expect([model(0), model(175)]).toEqual([1, 2]);
});

test('one submission in sixteen is due to be timed; checking changes nothing', () => {
  const slices = new SliceSteps(1000);
  const timed: number[] = [];
  for (let k = 0; k < 40; k++) {
    const { due } = slices;
    expect(slices.due).toBe(due);
    if (due) timed.push(k);
    slices.submitted(due);
  }
  expect(timed).toEqual([0, 16, 32]);
  expect(new SliceSteps(1000, 5).due).toBe(false);
});

/** A device whose work ends when the test calls finish(). */
function fakeDevice() {
  const waiting: (() => void)[] = [];
  const gpu = {
    idle: true,
    done: () => new Promise<undefined>(resolve => waiting.push(() => resolve(undefined))),
    check: () => undefined,
  };
  const finish = async (): Promise<void> => {
    for (const done of waiting.splice(0)) done();
    await new Promise(resolve => setTimeout(resolve, 0));
  };
  return { gpu, finish };
}

test('work queued behind other work is not timed', async () => {
  const { gpu, finish } = fakeDevice();
  const submissions = new Submissions(gpu as unknown as Gpu, new Lifetime('model'));
  const slices = new SliceSteps(1e12);
  const steps = { T: 100, B: 1, passes: 1 };
  expect(slices.steps(1)).toBe(1);
  gpu.idle = false;
  submissions.submit([() => undefined], slices, steps);
  await finish();
  expect(slices.steps(1)).toBe(1);
  // Still due, and timed as soon as the device is otherwise idle.
  expect(slices.due).toBe(true);
  gpu.idle = true;
  submissions.submit([() => undefined], slices, steps);
  expect(slices.due).toBe(false);
  await finish();
  expect(slices.steps(1)).toBe(4);
});

test('at most two pieces are in flight, and all of them are timed together', async () => {
  const { gpu, finish } = fakeDevice();
  const submissions = new Submissions(gpu as unknown as Gpu, new Lifetime('model'));
  const slices = new SliceSteps(1e12);
  const submitted: number[] = [];
  const pieces = [0, 1, 2, 3].map(k => () => {
    submitted.push(k);
  });
  const all = submissions.submit(pieces, slices, { T: 4, B: 1, passes: 1 });
  await Promise.resolve();
  expect(submitted).toEqual([0, 1]);
  while (submitted.length < 4) await finish();
  await all;
  expect(submitted).toEqual([0, 1, 2, 3]);
  await finish();
  expect(slices.steps(1)).toBe(4);
});
