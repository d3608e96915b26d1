import { DeviceError, firstLineOf, messageOf } from '../base/errors.ts';
import type { AdapterDescription, Engine } from '../engine/engine.ts';
import { keptTunings } from './keep/store.ts';
import type { AdapterDetails, EngineChoice } from './protocol.ts';

/** What of the browser's surroundings decides. */
export interface Surroundings {
  gpu: GPU | undefined;
  /** False on http: pages other than localhost's. */
  secure: boolean;
}

const here = (): Surroundings => ({ gpu: globalThis.navigator?.gpu, secure: globalThis.isSecureContext });

/**
 * Opens an engine in a browser (page or worker): WebGPU on a GPU, else WebGPU in software, else the paper in
 * float64. `engine.adapter` says which it became and why.
 * @param onAdapter told of the adapter of an engine on WebGPU
 * @throws DeviceError where `gpu` is asked for and cannot be had
 */
export async function openEngine(
  choice: EngineChoice,
  onAdapter: (adapter: GPUAdapter) => void = () => undefined,
  surroundings: Surroundings = here(),
): Promise<Engine> {
  const { createCpuEngine } = await import('../engine/cpu.ts');
  if (choice === 'cpu') return createCpuEngine('asked for');
  try {
    const { adapter, description } = await findAdapter(surroundings);
    const { requestDevice } = await import('../gpu/device.ts');
    const { createGpuEngine } = await import('../engine/gpu.ts');
    const tunings = await keptTunings(description.name);
    const engine = await createGpuEngine(await inTime(requestDevice(adapter)), description, { tunings });
    onAdapter(adapter);
    return engine;
  } catch (error) {
    if (choice === 'gpu') throw new DeviceError(messageOf(error));
    return createCpuEngine(firstLineOf(error));
  }
}

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

/** @throws DeviceError saying why there is none */
export async function findAdapter(
  { gpu, secure }: Surroundings = here(),
): Promise<{ adapter: GPUAdapter; description: AdapterDescription }> {
  if (!gpu) {
    throw new DeviceError(
      secure ? 'this browser has no WebGPU' : 'WebGPU needs a page on https or localhost, which this is not',
    );
  }
  let adapter: GPUAdapter | null;
  try {
    adapter = await inTime(gpu.requestAdapter({ powerPreference: 'high-performance' }));
  } catch (error) {
    throw new DeviceError(`no adapter: ${messageOf(error)}`);
  }
  if (!adapter) throw new DeviceError('no adapter: the browser has WebGPU, but no device for it');
  return { adapter, description: describe(adapter) };
}

/** All that an adapter tells of itself. */
export function detailsOf(adapter: GPUAdapter): AdapterDetails {
  const { info, limits, features } = adapter;
  const { vendor, architecture, device, description } = info;
  const known: Record<string, number> = {};
  // Its names are those of its prototype: Object.keys has none of them.
  for (const name in limits) {
    const value = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') known[name] = value;
  }
  return {
    info: { vendor, architecture, device, description },
    fallback: isFallback(adapter),
    features: [...features].sort(),
    limits: known,
  };
}

/** On the adapter in browsers of before 2025. */
const isFallback = (adapter: GPUAdapter): boolean =>
  adapter.info.isFallbackAdapter ?? (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter ?? false;

/** The name of an adapter for people, and whether it is a GPU. */
export function describe(adapter: GPUAdapter): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  const all = `${vendor} ${architecture} ${device} ${description}`;
  const software = isFallback(adapter) || /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i.test(all);
  const name = /swiftshader/i.test(all)
    ? 'SwiftShader'
    : description || [vendor, device || architecture].filter(Boolean).join(' ') || 'unnamed';
  return software
    ? { name, kind: 'software', reason: 'no hardware adapter' }
    : { name, kind: 'gpu', reason: 'the GPU of this system' };
}

/** `engine gpu · SwiftShader (software) · no hardware adapter` */
export function engineLine({ name, adapter }: Pick<Engine, 'name' | 'adapter'>): string {
  const kind = adapter.kind === 'software' ? ' (software)' : '';
  return `engine ${name} · ${adapter.name}${kind} · ${adapter.reason}`;
}
