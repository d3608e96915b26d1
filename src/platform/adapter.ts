import type { AdapterDescription } from '../engine/engine.ts';
import type { Adapter, AdapterInfo, DescribedAdapter } from './webgpu.ts';

/** Descriptions of WebGPU adapters, in Node and in browsers. */

/**
 * Returns a readable name of an adapter, and whether it is a GPU or software. createGpuEngine() takes this as its
 * second argument.
 *
 * ```ts
 * const engine = await createGpuEngine(await requestDevice(adapter), describe(adapter));
 * ```
 */
export function describe(adapter: DescribedAdapter): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  const all = `${vendor} ${architecture} ${device} ${description}`;
  const software = isFallback(adapter) || /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i.test(all);
  const mesa = /llvmpipe|lavapipe/i.test(all) && /Mesa [\d.]+/.exec(all);
  const name = /swiftshader/i.test(all)
    ? 'SwiftShader'
    : mesa
      ? `lavapipe, ${mesa[0]}`
      : nameOf(adapter.info);
  return software
    ? { name, kind: 'software', reason: 'no hardware adapter' }
    : { name, kind: 'gpu', reason: 'the GPU of this system' };
}

/** Some browsers report the model in `device`, some in `description`, and some report a number or nothing. */
function nameOf({ vendor, architecture, device, description }: AdapterInfo): string {
  const model =
    [device, description, architecture].find(text => text && !/^(0x)?[\da-f]+$/i.test(text)) ?? '';
  const text = model.replaceAll('-', ' ').trim();
  const name = text.toLowerCase().includes(vendor.toLowerCase()) ? text : `${vendor} ${text}`;
  return name.trim() || 'an adapter without a name';
}

/**
 * Whether it is a fallback adapter. In browsers before 2025 the property is on the adapter itself, not on adapter.info.
 */
export const isFallback = (adapter: DescribedAdapter): boolean =>
  adapter.info.isFallbackAdapter ?? (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter ?? false;

/** The limits that decide what the kernels can do. */
export const SHOWN_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** Everything that an adapter reports about itself. */
export interface AdapterDetails {
  /** GPUAdapterInfo: vendor, architecture, device, description. */
  info: Record<string, string>;
  fallback: boolean;
  features: string[];
  limits: Record<string, number>;
}

export function detailsOf(adapter: Adapter): AdapterDetails {
  const { info, limits, features } = adapter;
  const { vendor, architecture, device, description } = info;
  const known: Record<string, number> = {};
  // The limits are properties of the prototype, so Object.keys would return none.
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
