import { describe, expect, test } from 'vitest';
import { memoryForward } from '../../shaders/memories/layer.wgsl.ts';
import { MEMORY_NAMES } from '../../src/base/memories.ts';
import type { ModelSpec } from '../../src/base/parameters.ts';
import { split } from '../../src/gpu/device.ts';
import {
  type MemoryForm,
  PROFILE_NAMES,
  type ProfileName,
  profileFor,
  profileOf,
} from '../../src/gpu/profile.ts';
import { type Launch, launchesOf } from '../../src/kernels/launch.ts';
import { cut, whole } from '../../src/kernels/pieces.ts';
import { choosePlan, planOf } from '../../src/kernels/plan.ts';
import { workgroupBytes } from '../../src/kernels/plans/block.ts';
import { canUnroll, laneBytes } from '../../src/kernels/plans/lane.ts';
import { layoutOf } from '../../src/layout/layout.ts';
import { preset } from '../../src/train/presets.ts';
import { makeSpec } from '../support/batches.ts';

/** Plans as data: which plan is chosen on which device, and its launches. This needs no device. */

const SMALL: Partial<ModelSpec> = { hidden: 8 };
const WIDE: Partial<ModelSpec> = { controller: 'lstm', hidden: 256, width: 256 };
const { train } = preset('reverse');

const chosen = (name: ProfileName, spec: Partial<ModelSpec>, requested?: 'fused' | 'stepwise') => {
  const { kind, form } = choosePlan(profileOf(name), layoutOf(makeSpec(spec)), requested);
  return `${kind}, ${form.form} ${form.size}${form.subgroups ? ', subgroups' : ''}`;
};

test.each<[ProfileName, Partial<ModelSpec>, string]>([
  ['software', SMALL, 'fused, lane 4'],
  ['software', { ...SMALL, embedding: 4 }, 'stepwise, lane 8'],
  ['software', { ...SMALL, readout: 4 }, 'stepwise, lane 8'],
  ['software', { hidden: 100 }, 'stepwise, lane 8'],
  ['software', WIDE, 'stepwise, lane 8'],
  ['gpu', SMALL, 'fused, block 32'],
  ['gpu', { ...SMALL, embedding: 4, readout: 4 }, 'fused, block 32'],
  ['gpu', { hidden: 48 }, 'fused, block 64'],
  ['gpu', { hidden: 128 }, 'fused, block 256'],
  ['gpu', { hidden: 80, layers: 2 }, 'fused, block 256'],
  // The state of this model needs more than the 16,384 bytes that WebGPU guarantees to a workgroup.
  [
    'gpu',
    { controller: 'lstm', hidden: 128, memory: 'deque', memories: 4, width: 256 },
    'stepwise, block 32',
  ],
  // With 256 invocations, the state of these would need more.
  ['gpu', WIDE, 'fused, block 64'],
  ['gpu', { controller: 'lstm', hidden: 128, memory: 'deque', memories: 2, width: 200 }, 'fused, block 64'],
  ['gpu', { ...WIDE, hidden: 512 }, 'stepwise, block 32'],
  ['gpu with subgroups', SMALL, 'fused, block 32, subgroups'],
  ['gpu with subgroups', { ...WIDE, hidden: 512 }, 'stepwise, block 32, subgroups'],
])('on %s, the plan for %o is: %s', (name, spec, plan) => expect(chosen(name, spec)).toBe(plan));

/** Bytes of the workgroup variables of a kernel. */
function workgroupBytesIn(code: string): number {
  const BYTES: Record<string, number> = {
    f32: 4,
    u32: 4,
    'atomic<u32>': 4,
    vec2f: 8,
    vec2u: 8,
    vec4f: 16,
    bool: 4,
  };
  return [...code.matchAll(/var<workgroup> \w+: (?:array<(.+), (\d+)>|(.+));/g)].reduce(
    (sum, [, element, n, single]) => {
      const bytes = BYTES[element ?? single];
      if (bytes === undefined) throw new Error(`unknown type ${element ?? single}`);
      return sum + bytes * Number(n ?? 1);
    },
    0,
  );
}

test.each(MEMORY_NAMES.flatMap(memory => [5, 60, 120].map(hidden => [memory, hidden] as const)))(
  'kernels of the block form declare no more workgroup memory than workgroupBytes() returns: %s, hidden %i',
  (memory, hidden) => {
    for (const subgroups of ['gpu', 'gpu with subgroups'] as const) {
      const layout = layoutOf(makeSpec({ memory, hidden, depth: 200 }));
      const profile = profileOf(subgroups);
      const choice = choosePlan(profile, layout, 'fused');
      const { step } = planOf(profile, layout, train, choice);
      for (const { label, code } of launchesOf(step).filter(one => one.label.startsWith('fused')))
        expect(workgroupBytesIn(code), label).toBeLessThanOrEqual(workgroupBytes(layout, choice.form));
    }
  },
);

test.each(PROFILE_NAMES)(
  'on %s, `partial` is written only by kernels that write gradients of weights',
  name => {
    // Its parts are added up as a whole, padding included.
    for (const plan of ['fused', 'stepwise'] as const) {
      const profile = profileOf(name);
      const layout = layoutOf(makeSpec(SMALL));
      const { step } = planOf(profile, layout, train, choosePlan(profile, layout, plan));
      const writers = launchesOf(step).filter(({ buffers }) =>
        buffers.some(([buffer, binding]) => buffer === 'partial' && binding === 'storage'),
      );
      const [only, ...others] = writers.map(({ label }) => label);
      expect(only).toBe(name === 'software' && plan === 'fused' ? 'fused backward lane' : 'weight gradients');
      expect(others).toEqual([]);
    }
  },
);

test('a requested plan is used, whether or not it is faster', () => {
  expect(chosen('software', WIDE, 'fused')).toBe('fused, block 64');
  expect(chosen('software', SMALL, 'stepwise')).toBe('stepwise, lane 8');
  expect(chosen('gpu', WIDE, 'fused')).toBe('fused, block 64');
  expect(() =>
    planOf(profileOf('gpu'), layoutOf(makeSpec({ ...WIDE, hidden: 512 })), train, {
      kind: 'fused',
      form: { form: 'block', size: 128, subgroups: false },
    }),
  ).toThrow(/need \d+ bytes of workgroup memory in the fused plan, but this device has 16384: use --plan/);
});

/** The total bytes of the arrays of vec4f that `declaration` matches. Its first group captures an array's length. */
const bytesOf = (code: string, declaration: RegExp): number =>
  [...code.matchAll(declaration)].reduce((sum, [, count]) => sum + 16 * Number(count), 0);

test('the lane form of the fused plan is chosen only if its private variables fit the limit of the device', () => {
  const layout = layoutOf(makeSpec({ hidden: 32, width: 16 }));
  const bytes = laneBytes(layout);
  expect(bytes).toBeGreaterThan(8192);
  const on = (limit: number) => {
    const profile = profileOf('software');
    const limits = { ...profile.limits, private: limit };
    const { kind, form } = choosePlan({ ...profile, limits }, layout);
    return `${kind}, ${form.form}`;
  };
  expect(choosePlan(profileOf('software'), layout).kind).toBe('stepwise');
  expect([on(bytes - 1), on(bytes)]).toEqual(['stepwise, lane', 'fused, lane']);
});

test('wg_boundary, which the first invocation resets for the next pop, is read only by that invocation', () => {
  for (const kind of ['stack', 'queue', 'deque'] as const) {
    const code = memoryForward({
      ...{ kind, form: 'block', size: 32, subgroups: false, depth: 1, reads: 1 },
      ...{ element: 'f32', elements: 3, order: 'sequences' },
    });
    const all = code.match(/= [^;]*wg_boundary\./g) ?? [];
    const guarded = code.match(
      /if \(lid == 0u\) \{\s*before\d = wg_boundary\.x;\s*reached\d = [^;]*wg_boundary\.y[^;]*;\s*\}/g,
    );
    expect(all, kind).toHaveLength(kind === 'deque' ? 4 : 2);
    expect(guarded, kind).toHaveLength(all.length / 2);
  }
});

test.each<Partial<ModelSpec>>([
  {},
  { hidden: 40, width: 8 },
  { hidden: 4, width: 64, memory: 'deque' },
  { hidden: 8, memory: 'superposition' },
  { hidden: 8, memory: 'tape' },
  { controller: 'lstm', hidden: 12, layers: 2, memory: 'queue', memories: 2, start: 'trained' },
  { controller: 'gru', hidden: 16, projection: 12, autoencoder: true, output: 'sigmoid' },
])("the estimate of the lane form's private memory covers what its kernels declare: %o", spec => {
  const layout = layoutOf(makeSpec(spec));
  const form: MemoryForm = { form: 'lane', size: 4, subgroups: false };
  const { step } = planOf(profileOf('software'), layout, train, { kind: 'fused', form });
  expect(canUnroll(layout)).toBe(true);
  for (const { label, code } of launchesOf(step).filter(({ label }) => label.includes('lane'))) {
    const arrays = bytesOf(code, /var<private> \w+: array<vec4f, (\d+)>/g);
    const header =
      (
        code
          .slice(code.indexOf('struct Header'))
          .split('}')[0]
          .match(/: [uf]32/g) ?? []
      ).length * 4;
    const others = (code.match(/var<private> \w+: (?!array|Header)/g) ?? []).length * 16;
    const declared = arrays + header + others;
    expect(declared, label).toBeLessThanOrEqual(laneBytes(layout));
    if (label.includes('backward')) expect(declared, label).toBeGreaterThan(0.95 * laneBytes(layout));
    // WGSL guarantees 8,192 bytes of function variables too.
    expect(bytesOf(code, /var \w+(?:: | = )array<vec4f, (\d+)>/g), label).toBeLessThanOrEqual(8192);
  }
});

test('the profile of a device follows from its adapter and features, or is forced', () => {
  const limits = { maxComputeWorkgroupStorageSize: 1, maxUniformBufferBindingSize: 2 } as GPUSupportedLimits;
  const device = (...features: string[]) => ({ limits, features: new Set(features) as GPUSupportedFeatures });
  expect(profileFor(device(), 'gpu')).toEqual(profileOf('gpu', { workgroup: 1, uniform: 2, private: 8192 }));
  expect(profileFor(device('subgroups'), 'gpu').name).toBe('gpu with subgroups');
  expect(profileFor(device('subgroups'), 'software').name).toBe('software');
  expect(profileFor(device('subgroups'), 'software', 'gpu with subgroups').name).toBe('gpu with subgroups');
  expect(() => profileFor(device(), 'gpu', 'gpu with subgroups')).toThrow(/no subgroups/);
});

/** Every kind of controller, every kind of memory, and a model without a memory. */
const MODELS: Partial<ModelSpec>[] = [
  {},
  { controller: 'lstm', layers: 2, start: 'trained', memory: 'deque', memories: 2 },
  { controller: 'gru', projection: 6, autoencoder: true, output: 'sigmoid', start: 'trained' },
  { controller: 'lstm-coupled', embedding: 5, readout: 6, memory: 'queue' },
  { controller: 'feedforward', memory: 'none' },
  { controller: 'lstm', memory: 'superposition', memories: 2, depth: 8, reads: 3 },
  { memory: 'tape', depth: 8, reads: 2 },
];

/** Maximum storage buffers per kernel: WebGPU's default limit. */
const STORAGE_BUFFERS = 8;
/** Maximum workgroups per dimension of a dispatch, and invocations per workgroup. */
const [WORKGROUPS, INVOCATIONS] = [65_535, 256];

describe.each(PROFILE_NAMES)('%s', name => {
  const profile = profileOf(name);
  const plans = MODELS.flatMap(spec => {
    const layout = layoutOf(makeSpec(spec));
    return (['auto', 'stepwise'] as const).map(requested =>
      planOf(profile, layout, train, choosePlan(profile, layout, requested)),
    );
  });
  const launches: Launch[] = plans.flatMap(({ step, forward }) => launchesOf([...step, ...forward]));

  test("every kernel stays within WebGPU's default limits", () => {
    for (const { label, buffers, code, groups } of launches) {
      const storage = buffers.filter(([, type]) => type !== 'uniform');
      expect(storage.length, label).toBeLessThanOrEqual(STORAGE_BUFFERS);
      const declared = [...code.matchAll(/@group\(0\) @binding\((\d+)\)/g)].map(([, at]) => Number(at));
      expect(
        declared.sort((a, b) => a - b),
        label,
      ).toEqual(buffers.map((_, k) => k));
      expect(code.includes('@group(1)'), label).toBe(
        launches.find(one => one.code === code)!.step !== undefined,
      );
      const size = Number(/@workgroup_size\((\d+)\)/.exec(code)![1]);
      expect(size, label).toBeLessThanOrEqual(INVOCATIONS);
      const [x, y] = groups({ B: 1_000_000, T: 3, rowSplits: 32 });
      expect(Math.max(x, y), label).toBeLessThanOrEqual(WORKGROUPS);
      expect(x * y * size, label).toBeLessThan(2 ** 32);
    }
  });

  test('kernels number their workgroups correctly if these need two dimensions', () => {
    for (const { label, code, groups } of launches) {
      const [, y] = groups({ B: 1_000_000, T: 3, rowSplits: 32 });
      // With x alone, the numbering of invocations would restart from 0 in every row of workgroups.
      if (y > 1) expect(code, label).toMatch(/group\.y \* groups\.x \+ group\.x/);
      if (y > 1) expect(code, label).not.toContain('global_invocation_id');
    }
    expect(split(65_536)).toEqual([65_535, 2]);
  });
});

test('a plan is cut into slices by time; the backward pass processes its sequences in rounds', () => {
  const layout = layoutOf(makeSpec(SMALL));
  const profile = profileOf('software');
  const { step, rowSplits } = planOf(profile, layout, train, choosePlan(profile, layout));
  const size = { B: 40, T: 10, rowSplits: rowSplits(40, 10) };
  expect(whole(step)).toHaveLength(step.length);
  const pieces = cut(step, size, 4).map(all => all.map(({ work, slice, range }) => ({ work, slice, range })));
  const slices = pieces.flatMap(all =>
    all.filter(({ slice }) => slice).map(({ slice, range }) => [slice!, range]),
  );
  // Three slices in the forward pass. In the backward pass, 40 sequences in 32 parts need two rounds of three slices.
  expect(slices).toHaveLength(9);
  expect(slices.map(([slice]) => slice)).toMatchObject([
    { sliceFrom: 0, sliceTo: 4, first: 1 },
    { sliceFrom: 4, sliceTo: 8, first: 0 },
    { sliceFrom: 8, sliceTo: 10, first: 0 },
    { sliceFrom: 8, sliceTo: 10, round: 0, rounds: 1, first: 1 },
    { sliceFrom: 4, sliceTo: 8, round: 0, first: 0 },
    { sliceFrom: 0, sliceTo: 4, round: 0, first: 0 },
    { sliceFrom: 8, sliceTo: 10, round: 1, first: 0 },
    { sliceFrom: 4, sliceTo: 8, round: 1, first: 0 },
    { sliceFrom: 0, sliceTo: 4, round: 1, first: 0 },
  ]);
  // One slice per submission.
  for (const all of pieces) expect(all.filter(({ slice }) => slice).length).toBeLessThanOrEqual(1);
  expect(
    pieces
      .flat()
      .map(({ work }) => work)
      .filter((work, k, all) => work !== all[k - 1]),
  ).toEqual(step);
});
