import { DeviceError, messageOf } from '../../base/errors.ts';
import type { Threads } from '../../engine/cpu.ts';
import type { AdapterDescription } from '../../engine/engine.ts';
import type { TuningStore } from '../../kernels/tuning-store.ts';
import { describe } from '../adapter.ts';
import { type EngineOptions, NoAdapter, type Opening, openingOn } from '../engines.ts';
import type { Adapter, Instance } from '../webgpu.ts';

/** The parts of the browser's environment that decide whether WebGPU is available. */
export interface BrowserEnvironment {
  gpu: Instance | undefined;
  /** Whether the page is a secure context: https, or localhost. */
  secure: boolean;
}

const here = (): BrowserEnvironment => ({
  gpu: globalThis.navigator?.gpu,
  secure: globalThis.isSecureContext,
});

export interface BrowserOptions extends EngineOptions {
  /** Called with the adapter before the gpu engine is opened on it. */
  onAdapter?(adapter: Adapter): void;
  /** Returns the store that keeps the measurements of the adapter of this name between visits. */
  tunings?(adapter: string): Promise<TuningStore>;
  /** Used instead of the browser's own environment, for tests. */
  environment?: BrowserEnvironment;
}

/** Returns the functions that open engines in a page or a worker. */
export const openingWith = (threads: () => Threads): Opening<BrowserOptions> =>
  openingOn(({ onAdapter, tunings, environment }) => ({
    // Advice for users without a GPU depends on the browser: the page gives it.
    advice: '',
    threads,

    async openGpu(plan, software, _unsafe, compileSeconds) {
      const { adapter, description } = await findAdapter(environment);
      if (description.kind === 'software' && !software) {
        throw new NoAdapter(
          `no GPU found; to run the WGSL kernels on ${description.name}, choose engine gpu`,
        );
      }
      const { requestDevice } = await import('../../gpu/device.ts');
      const { createGpuEngine } = await import('../../engine/gpu.ts');
      const stored = await tunings?.(description.name);
      onAdapter?.(adapter);
      try {
        const device = await withTimeout(requestDevice(adapter));
        return await createGpuEngine(device, description, { plan, compileSeconds, tunings: stored });
      } catch (error) {
        throw new DeviceError(`${description.name} failed: ${messageOf(error)}`);
      }
    },
  }));

/** Time limit for an answer from the browser, in ms. A browser whose GPU process has just died may never answer. */
const ANSWER_MS = 10_000;

function withTimeout<T>(promised: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const message = `the browser did not answer within ${ANSWER_MS / 1000} s`;
    timer = setTimeout(() => reject(new DeviceError(message)), ANSWER_MS);
  });
  return Promise.race([promised, timeout]).finally(() => clearTimeout(timer));
}

/** Finds the browser's adapter, a GPU if there is one. @throws NoAdapter with the reason if there is none */
export async function findAdapter(
  { gpu, secure }: BrowserEnvironment = here(),
): Promise<{ adapter: Adapter; description: AdapterDescription }> {
  if (!gpu) {
    throw new NoAdapter(
      secure
        ? 'this browser has no WebGPU'
        : 'WebGPU needs a page on https or localhost, but this page is on neither',
    );
  }
  let adapter: Adapter | null;
  try {
    adapter = await withTimeout(gpu.requestAdapter({ powerPreference: 'high-performance' }));
  } catch (error) {
    throw new NoAdapter(`no adapter: ${messageOf(error)}`);
  }
  if (!adapter) throw new NoAdapter('no adapter: the browser has WebGPU, but no device for it');
  return { adapter, description: describe(adapter) };
}
