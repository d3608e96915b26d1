import { describe, expect, test } from 'vitest';
import { DeviceError, InputError } from '../../src/base/errors.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { describe as describeAdapter } from '../../src/platform/adapter.ts';
import { openEngine } from '../../src/platform/browser/engine.ts';
import { findAdapter } from '../../src/platform/browser/platform.ts';
import { NoAdapter, openingOn, type Platform, planName } from '../../src/platform/engines.ts';
import { BEST, ENGINE_NAMES, engineLine, engineName } from '../../src/platform/names.ts';
import { openEngine as openInNode } from '../../src/platform/node/engine.ts';
import { fakeEngine } from '../support/fake-engine.ts';

const adapter = (info: Partial<GPUAdapterInfo>): GPUAdapter =>
  ({
    info: { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false, ...info },
  }) as GPUAdapter;

const gpuThat = (requestAdapter: () => Promise<GPUAdapter | null>): GPU =>
  ({ requestAdapter }) as unknown as GPU;

describe('in a browser', () => {
  test.each([
    ['no WebGPU', { gpu: undefined, secure: true }, 'this browser has no WebGPU'],
    ['plain http', { gpu: undefined, secure: false }, 'needs a page on https'],
    ['no adapter', { gpu: gpuThat(async () => null), secure: true }, 'no adapter'],
    ['a refusal', { gpu: gpuThat(() => Promise.reject(new Error('blocked'))), secure: true }, 'blocked'],
  ])('%s: auto uses the CPU and gives the reason; gpu is an error', async (_, environment, reason) => {
    const engine = await openEngine('auto', { environment });
    expect(engine.name).toBe('cpu');
    expect(engine.adapter.reason).toContain(reason);
    await expect(openEngine('gpu', { environment })).rejects.toThrow(reason);
  });

  test('auto does not use a software adapter, and engine gpu tries it', async () => {
    const environment = { gpu: gpuThat(async () => adapter({ architecture: 'swiftshader' })), secure: true };
    const engine = await openEngine('auto', { environment });
    // This test runs in Node, which is not cross-origin isolated.
    const alone = 'one thread: the page is not cross-origin isolated';
    expect(engineLine(engine)).toBe(
      `engine cpu · WebAssembly SIMD · no GPU found; to run the WGSL kernels on SwiftShader, choose engine gpu; ${alone}`,
    );
    // If it is requested, opening its device fails here.
    await expect(openEngine('gpu', { environment })).rejects.toThrow(/^SwiftShader failed: /);
  });

  test('cpu requests no adapter', async () => {
    const gpu = gpuThat(() => Promise.reject(new Error('asked')));
    expect(engineLine(await openEngine('cpu', { environment: { gpu, secure: true } }))).toBe(
      'engine cpu · WebAssembly SIMD · requested; one thread: the page is not cross-origin isolated',
    );
  });

  test('an adapter that gives no device: the messages of auto and gpu name it', async () => {
    const broken = adapter({ vendor: 'nvidia', architecture: 'hopper' });
    Object.assign(broken, {
      limits: {},
      features: new Set(),
      requestDevice: () => Promise.reject(new Error('out of devices')),
    });
    const environment = { gpu: gpuThat(async () => broken), secure: true };
    expect((await findAdapter(environment)).description.name).toBe('nvidia hopper');
    const reason = 'nvidia hopper failed: out of devices';
    expect((await openEngine('auto', { environment })).adapter.reason).toContain(reason);
    await expect(openEngine('gpu', { environment })).rejects.toThrow(reason);
  });
});

describe('the table of engines', () => {
  /** A platform with this WebGPU engine, or without an adapter. */
  const platform = (engine?: Engine): Platform => ({
    advice: 'Buy one.',
    threads: () => ({ cores: 1 }),
    async openGpu() {
      if (engine) return engine;
      throw new NoAdapter('no adapter\n    and a stack');
    },
  });
  const none = openingOn(() => platform());

  test('auto uses the next engine if the first cannot be opened, and gives the reason in one line', async () => {
    const engine = await none.openEngine();
    expect(engine.name).not.toBe(BEST);
    expect(engine.adapter.reason).toBe('no adapter');
  });

  test('bounds checks are disabled only on request', async () => {
    const requests: boolean[] = [];
    const { openEngine, reopening } = openingOn(() => ({
      ...platform(),
      async openGpu(_plan, _software, unsafe) {
        requests.push(unsafe);
        return fakeEngine();
      },
    }));
    await openEngine('gpu');
    await openEngine('gpu', { unsafe: true });
    await reopening({ unsafe: true })({ ...fakeEngine(), name: 'gpu' });
    expect(requests).toEqual([false, true, true]);
  });

  test('if a requested engine is missing, the message has advice', async () => {
    await expect(none.openEngine('gpu')).rejects.toThrow(/no adapter.*\. Buy one\./s);
  });

  test('a failure on an existing device has no such advice', async () => {
    const broken = openingOn(() => ({
      advice: 'Buy one.',
      threads: () => ({ cores: 1 }),
      openGpu: () => Promise.reject(new DeviceError('H100 failed: out of memory')),
    }));
    await expect(broken.openEngine('gpu')).rejects.toThrow(/^H100 failed: out of memory$/);
  });

  test('auto uses the next engine if the first cannot build the model', async () => {
    const fake = fakeEngine();
    const { openEngineWith } = openingOn(() => platform(fake));
    const tried: string[] = [];
    const { engine, result } = await openEngineWith('auto', {}, async on => {
      tried.push(on.name);
      if (on === fake) throw new DeviceError('too small\nfor this');
      return 'done';
    });
    expect(result).toBe('done');
    expect(tried).toEqual([fake.name, engine.name]);
    expect(engine.adapter.reason).toBe(`${fake.adapter.name} failed: too small`);
    // An engine requested by name is not replaced.
    await expect(
      openEngineWith('gpu', {}, () => Promise.reject(new DeviceError('too small'))),
    ).rejects.toThrow('too small');
    // Mistakes of the user do not cause a switch to another engine.
    await expect(openEngineWith('auto', {}, () => Promise.reject(new InputError('wrong')))).rejects.toThrow(
      'wrong',
    );
  });

  test('a lost engine is replaced by one with the same name', async () => {
    const { reopening } = none;
    const cpu = await none.openEngine('cpu');
    expect((await reopening()(cpu)).name).toBe('cpu');
    await expect(reopening()({ ...fakeEngine(), name: 'gpu' })).rejects.toThrow('no adapter');
  });

  test('engines and plans have known names, and other names are refused', async () => {
    expect(ENGINE_NAMES).toEqual(['auto', 'gpu', 'cpu', 'reference']);
    expect(engineName('gpu')).toBe('gpu');
    expect(() => engineName('gpus', 'engine in the link')).toThrow(
      'unknown engine in the link "gpus". Did you mean "gpu"?',
    );
    expect(() => planName('fuse')).toThrow('unknown plan "fuse". Did you mean "fused"?');
    await expect(openInNode('tpu' as 'cpu')).rejects.toThrow(InputError);
    await expect(openInNode('cpu', { plan: 'fuse' as 'fused' })).rejects.toThrow('unknown plan');
  });
});

test.each([
  [{ vendor: 'google', architecture: 'swiftshader' }, 'SwiftShader', 'software'],
  [{ description: 'llvmpipe (LLVM 19)' }, 'llvmpipe (LLVM 19)', 'software'],
  [{ device: 'llvmpipe (LLVM 19)', description: 'Mesa 25.0.7' }, 'lavapipe, Mesa 25.0.7', 'software'],
  [{ vendor: 'x', isFallbackAdapter: true }, 'x', 'software'],
  [{ vendor: 'microsoft', device: 'Basic Render Driver' }, 'microsoft Basic Render Driver', 'software'],
  [{ vendor: 'nvidia', architecture: 'hopper' }, 'nvidia hopper', 'gpu'],
  [{ vendor: 'nvidia', architecture: 'hopper', device: '0x2330' }, 'nvidia hopper', 'gpu'],
  [
    { vendor: 'nvidia', device: 'NVIDIA H100 80GB HBM3', description: 'driver 570' },
    'NVIDIA H100 80GB HBM3',
    'gpu',
  ],
  [{ vendor: 'nvidia', device: '0x2330', description: 'NVIDIA H100' }, 'NVIDIA H100', 'gpu'],
  [{}, 'an adapter without a name', 'gpu'],
  [{ isFallbackAdapter: true }, 'an adapter without a name', 'software'],
] as const)('an adapter %o is %s, %s', (info, name, kind) => {
  expect(describeAdapter(adapter(info))).toMatchObject({ name, kind });
});

test('the line of an engine says that its adapter is software', () => {
  const description = describeAdapter(adapter({ architecture: 'swiftshader' }));
  expect(engineLine({ name: 'gpu', adapter: description })).toBe(
    'engine gpu · SwiftShader (software) · no hardware adapter',
  );
});
