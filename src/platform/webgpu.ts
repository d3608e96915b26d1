import type { Known } from '../engine/webgpu.ts';

/** Types of WebGPU that openers of engines take: see src/engine/webgpu.ts. */

/** What the library reads of GPUAdapterInfo. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

/** What the library reads of an adapter to describe it. */
export interface DescribedAdapter {
  readonly info: AdapterInfo;
}

/** GPUAdapter. */
export type Adapter = Known<'GPUAdapter', DescribedAdapter>;
/** GPUDevice. */
export type Device = Known<'GPUDevice', object>;
/** GPU: navigator.gpu, or an instance of Dawn. */
export type Instance = Known<'GPU', object>;
