import { DeviceError, messageOf } from '../../base/errors.ts';
import type { Threads } from '../../engine/cpu.ts';
import type { AdapterDescription } from '../../engine/engine.ts';
import type { TuningStore } from '../../kernels/tuning-store.ts';
import { describe } from '../adapter.ts';
import { type EngineOptions, NoAdapter, type Opening, openingOn } from '../engines.ts';
import type { Adapter, Instance } from '../webgpu.ts';

/** What of the browser's surroundings decides. */
export interface Surroundings {
  gpu: Instance | undefined;
  /** False on http: pages other than localhost's. */
  secure: boolean;
}

const here = (): Surroundings => ({ gpu: globalThis.navigator?.gpu, secure: globalThis.isSecureContext });

export interface BrowserOptions extends EngineOptions {
  /** Gets the adapter that an engine on WebGPU is about to be opened on. */
  onAdapter?(adapter: Adapter): void;
  /** Keeps what was measured on the adapter of this name from one visit to the next. */
  tunings?(adapter: string): Promise<TuningStore>;
  surroundings?: Surroundings;
}

/** How engines are opened in a page or a worker whose threads are these. */
export const openingWith = (threads: () => Threads): Opening<BrowserOptions> =>
  openingOn(({ onAdapter, tunings, surroundings }) => ({
    // Depends on the browser, which a page can name.
    advice: '',
    threads,

    async openGpu(plan, software, _unsafe, compileSeconds) {
      const { adapter, description } = await findAdapter(surroundings);
      if (description.kind === 'software' && !software) {
        throw new NoAdapter(`no GPU found; engine gpu runs the WGSL kernels on ${description.name}`);
      }
      const { requestDevice } = await import('../../gpu/device.ts');
      const { createGpuEngine } = await import('../../engine/gpu.ts');
      const kept = await tunings?.(description.name);
      onAdapter?.(adapter);
      try {
        const device = await inTime(requestDevice(adapter));
        return await createGpuEngine(device, description, { plan, compileSeconds, tunings: kept });
      } catch (error) {
        throw new DeviceError(`${description.name} failed: ${messageOf(error)}`);
      }
    },
  }));

/** A browser whose GPU process has just died may not answer at all. */
const ANSWER_MS = 10_000;

function inTime<T>(promised: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const words = `the browser did not answer within ${ANSWER_MS / 1000} s`;
    timer = setTimeout(() => reject(new DeviceError(words)), ANSWER_MS);
  });
  return Promise.race([promised, late]).finally(() => clearTimeout(timer));
}

/** @throws NoAdapter saying why there is none */
export async function findAdapter(
  { gpu, secure }: Surroundings = here(),
): Promise<{ adapter: Adapter; description: AdapterDescription }> {
  if (!gpu) {
    throw new NoAdapter(
      secure ? 'this browser has no WebGPU' : 'WebGPU needs a page on https or localhost, which this is not',
    );
  }
  let adapter: Adapter | null;
  try {
    adapter = await inTime(gpu.requestAdapter({ powerPreference: 'high-performance' }));
  } catch (error) {
    throw new NoAdapter(`no adapter: ${messageOf(error)}`);
  }
  if (!adapter) throw new NoAdapter('no adapter: the browser has WebGPU, but no device for it');
  return { adapter, description: describe(adapter) };
}
