/** Peers in Node: their packages from bench/peers/node_modules, WebGPU through Dawn, PyTorch in a child process. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DeviceError } from '../../src/base/errors.ts';
import { findAdapter, release } from '../../src/platform/node/adapter.ts';
import { NOT_INSTALLED, type PeerSource } from './index.ts';
import type { JaxJs } from './jax.ts';
import type { Backend } from './peer.ts';
import { openTorch } from './python.ts';
import type { Tf } from './tfjs.ts';

/** Relative to the root of the repository, which bench/run.mjs makes the working folder. */
const MODULES = resolve('bench/peers/node_modules');

/**
 * The peers in Node. Sets `navigator.gpu` so that a request returns the adapter that pushdown uses: a new one each
 * time, because an adapter gives only one device. The adapter keeps its bounds checks. Without
 * them TensorFlow.js 4.22.0 computes NaN, because its kernels read beyond their buffers.
 * @throws DeviceError if there is no adapter
 */
export async function nodeSource(backend: Backend = 'webgpu'): Promise<PeerSource> {
  const instances: GPU[] = [];
  const requestAdapter = async (): Promise<GPUAdapter | null> => {
    const { found } = await findAdapter({ checked: true });
    if (!found) return null;
    instances.push(found.gpu);
    return found.adapter;
  };
  const { found, tried } = await findAdapter({ checked: true });
  if (!found) {
    const outcomes = tried.map(({ what, outcome }) => `${what}: ${outcome}`).join('; ');
    throw new DeviceError(`the peers need a WebGPU adapter, but none was found: ${outcomes}`);
  }
  release(found.gpu);
  provideWebGpu({ requestAdapter } as GPU);
  return {
    backend,
    device: backend === 'wasm' ? 'WebAssembly' : found.description.name,
    software: found.description.kind === 'software',
    tfjs: () => loadTfjs(backend),
    jax: async () => (await import(installed('@jax-js/jax/dist/index.js'))) as JaxJs,
    torch: graph => openTorch(graph, backend === 'webgpu'),
    release: () => instances.forEach(release),
  };
}

/** TF.js's WebAssembly backend uses these two names, which ES modules do not have. */
function provideCommonJs(): void {
  Object.assign(globalThis, { require: createRequire(import.meta.url), __dirname: MODULES });
}

/** Sets `navigator.gpu`. Node 20 has no navigator; later versions have one without gpu. */
function provideWebGpu(gpu: GPU): void {
  if (!('navigator' in globalThis)) {
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Node.js' }, configurable: true });
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
}

/** The URL of a file of a package. */
function installed(path: string): string {
  const file = join(MODULES, path);
  if (!existsSync(file)) throw new DeviceError(NOT_INSTALLED);
  return pathToFileURL(file).href;
}

/**
 * Bundles TF.js, because its bundle for Node has no gradients, and its modules work only with a
 * bundler. The bundle is next to the benchmark, in a folder that bench/run.mjs removes at the end.
 */
async function loadTfjs(backend: Backend): Promise<Tf> {
  const { build } = await import('vite');
  const file = (path: string): string => fileURLToPath(installed(`@tensorflow/${path}`));
  const outDir = join(dirname(fileURLToPath(import.meta.url)), 'tfjs');
  await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: true,
      target: 'node20',
      minify: false,
      rolldownOptions: {
        input: {
          core: file('tfjs-core/dist/index.js'),
          gradients: file('tfjs-core/dist/register_all_gradients.js'),
          backend: file(`tfjs-backend-${backend}/dist/index.js`),
        },
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  });
  const load = (name: string): Promise<unknown> => import(pathToFileURL(join(outDir, `${name}.mjs`)).href);
  const tf = (await load('core')) as Tf;
  await load('gradients');
  if (backend === 'wasm') provideCommonJs();
  const wasm = (await load('backend')) as { setWasmPaths?(folder: string): void };
  wasm.setWasmPaths?.(file('tfjs-backend-wasm/dist/'));
  return tf;
}
