import { expect, test } from 'vitest';
import { describe as describeAdapter, engineLine, openEngine } from '../../src/web/engine.ts';

const adapter = (info: Partial<GPUAdapterInfo>): GPUAdapter =>
  ({
    info: { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false, ...info },
  }) as GPUAdapter;

const gpuThat = (requestAdapter: () => Promise<GPUAdapter | null>): GPU =>
  ({ requestAdapter }) as unknown as GPU;

test.each([
  ['no WebGPU', { gpu: undefined, secure: true }, 'this browser has no WebGPU'],
  ['plain http', { gpu: undefined, secure: false }, 'needs a page on https'],
  ['no adapter', { gpu: gpuThat(async () => null), secure: true }, 'no adapter'],
  ['a refusal', { gpu: gpuThat(() => Promise.reject(new Error('blocked'))), secure: true }, 'blocked'],
])('%s: auto takes the CPU and says why, gpu refuses', async (_, surroundings, reason) => {
  const engine = await openEngine('auto', undefined, surroundings);
  expect(engine.name).toBe('cpu');
  expect(engine.adapter.reason).toContain(reason);
  await expect(openEngine('gpu', undefined, surroundings)).rejects.toThrow(reason);
});

test('cpu asks for no adapter', async () => {
  const gpu = gpuThat(() => Promise.reject(new Error('asked')));
  expect(engineLine(await openEngine('cpu', undefined, { gpu, secure: true }))).toBe(
    'engine cpu · float64 reference · asked for',
  );
});

test.each([
  [{ vendor: 'google', architecture: 'swiftshader' }, 'SwiftShader', 'software'],
  [{ description: 'llvmpipe (LLVM 19)' }, 'llvmpipe (LLVM 19)', 'software'],
  [{ vendor: 'x', isFallbackAdapter: true }, 'x', 'software'],
  [{ vendor: 'nvidia', architecture: 'hopper' }, 'nvidia hopper', 'gpu'],
  [{}, 'unnamed', 'gpu'],
] as const)('an adapter %o is %s, %s', (info, name, kind) => {
  expect(describeAdapter(adapter(info))).toMatchObject({ name, kind });
});

test('the line names a software adapter as such', () => {
  const description = describeAdapter(adapter({ architecture: 'swiftshader' }));
  expect(engineLine({ name: 'gpu', adapter: description })).toBe(
    'engine gpu · SwiftShader (software) · no hardware adapter',
  );
});
