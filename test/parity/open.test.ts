import { expect, test } from 'vitest';
import { prefixSumCode } from '../../shaders/prefix-sum.wgsl.ts';
import { createGpuEngine, gpuEngineOn } from '../../src/engine/gpu.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { bind, dispatch, UNIFORM } from '../../src/gpu/device.ts';
import { openGpu as openOn } from '../../src/kernels/open.ts';
import { privateBytes } from '../../src/kernels/private-memory.ts';
import { findAdapter, release } from '../../src/platform/node/adapter.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState } from '../../src/train/setup.ts';
import { makeSpec } from '../support/batches.ts';
import { openDevice, openGpu } from '../support/device.ts';
import { expectSameGradients } from '../support/model-parity.ts';

/** What is tested on a device when it is opened, and assumptions that kernels must not make. */

test('a scan with subgroups does not depend on which invocations share a subgroup', async () => {
  const gpu = await openGpu('gpu with subgroups');
  const [R, L] = [3, 300];
  const x = Float32Array.from({ length: R * L }, (_, i) => 1 + ((5 * i) % 11));
  for (const size of [32, 64]) {
    const code = prefixSumCode({ form: 'block', size, subgroups: true, direction: 'forward', wide: true });
    // The order of invocations differs from their order in subgroups, as WGSL allows.
    const mixed = code
      .replace('@builtin(local_invocation_index) local: u32', '@builtin(local_invocation_index) index: u32')
      .replace(/(fn main\([\s\S]*?\) \{)/, `$1\nlet local = (index * 5u + 3u) % ${size}u;`);
    expect(mixed).toContain('let local');
    const kernel = await gpu.kernel('mixed', mixed, ['uniform', 'read-only-storage', 'storage']);
    const sizes = gpu.buffer('sizes', 16, UNIFORM);
    const [from, to] = ['x', 'y'].map(name => gpu.buffer(name, R * L * 4));
    gpu.device.queue.writeBuffer(sizes, 0, new Uint32Array([R, L]));
    gpu.device.queue.writeBuffer(from, 0, x);
    gpu.submit('mixed', encoder => {
      const pass = encoder.beginComputePass();
      dispatch(pass, bind(gpu, kernel, [sizes, from, to]), [R, 1]);
      pass.end();
    });
    const [bytes] = await gpu.read([{ buffer: to, bytes: R * L * 4 }]);
    let sum = 0;
    const expected = x.map((number, i) => {
      sum = (i % L === 0 ? 0 : sum) + number;
      return sum;
    });
    expect(new Float32Array(bytes)).toEqual(expected);
  }
  gpu.end();
});

test('a software adapter keeps its bounds checks unless they are disabled', async () => {
  for (const [options, checks] of [
    [{}, 'on'],
    [{ checked: false }, 'off'],
  ] as const) {
    const { found } = await findAdapter({ only: 'software', ...options });
    expect(found?.description.reason).toMatch(new RegExp(`bounds checks ${checks}$`));
    release(found!.gpu);
  }
});

/** A device whose compiler replaces `from` in the code by `to`. */
async function deviceWithWrongCompiler(from: RegExp, to: string) {
  const { device, description } = await openDevice();
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = descriptor =>
    create({ ...descriptor, code: descriptor.code.replace(from, to) });
  return { device, description };
}

test('subgroups that compute wrong results are not used, and the reason of the adapter says so', async () => {
  const { device, description } = await deviceWithWrongCompiler(/subgroupInclusiveAdd/g, 'subgroupAdd');
  const engine = await createGpuEngine(device, { ...description, kind: 'gpu' });
  expect(engine.adapter.reason).toMatch(/; without subgroups: a trial prefix sum is \d+, expected/);
  await expectSameGradients([engine, createReferenceEngine()], makeSpec({}));
  engine.destroy();
});

test('subgroups that do not compile are not used', async () => {
  const { device, description } = await deviceWithWrongCompiler(/subgroupInclusiveAdd/g, 'unknownAdd');
  const { gpu, notes } = await openOn(device, 'gpu');
  expect(gpu.profile.name).toBe('gpu');
  expect(notes).toEqual([
    expect.stringMatching(/^without subgroups: kernel prefix sum, forward does not compile/),
  ]);
  await expect(openOn(device, description.kind, 'gpu with subgroups')).rejects.toThrow(
    /subgroups do not work/,
  );
  gpu.end();
});

test('more private memory than WGSL guarantees is used if a test of it on the device succeeds', async () => {
  const spec = makeSpec({ hidden: 32, width: 16 });
  const { train } = preset('reverse');
  const planOn = async (device: GPUDevice) => {
    const { gpu } = await openOn(device, 'software');
    const engine = gpuEngineOn(gpu, { name: 'test', kind: 'software', reason: '' });
    const { plan } = await engine.model(spec, train, initialState(spec, train));
    const limits = [await privateBytes(gpu, 8192), await privateBytes(gpu, 10_000)];
    engine.destroy();
    return [plan, ...limits];
  };
  const { device, description } = await openDevice();
  // GPUs have less private memory. They use this profile only in tests.
  if (description.kind === 'software') expect(await planOn(device)).toEqual(['fused, lane', 8192, 12_288]);
  // A compiler that provides only the guaranteed memory, and one that reports an error.
  for (const [from, to] of [
    [/kept\[i\] = number\(i/, 'kept[i % 512u] = number(i'],
    [/kept: array<vec4f, \d+>/, 'kept: array<vec4f, 0>'],
  ] as const) {
    const wrong = await deviceWithWrongCompiler(from, to);
    expect(await planOn(wrong.device)).toEqual(['stepwise, lane', 8192, 8192]);
  }
});
