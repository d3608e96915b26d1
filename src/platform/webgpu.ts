import type { Known } from '../engine/webgpu.ts';

/** Types of WebGPU for callers that open engines: see src/engine/webgpu.ts. */

/** The fields of GPUAdapterInfo that the library reads. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

/** The part of an adapter that the library reads to describe it. */
export interface DescribedAdapter {
  readonly info: AdapterInfo;
}

/** GPUAdapter. */
export type Adapter = Known<'GPUAdapter', DescribedAdapter>;
/** GPUDevice. */
export type Device = Known<'GPUDevice', object>;
/** GPU: navigator.gpu, or an instance of Dawn. */
export type Instance = Known<'GPU', object>;
