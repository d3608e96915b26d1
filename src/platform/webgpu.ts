/**
 * WebGPU's types for the package's declarations. They are those of the program that uses the package, where it has any:
 * from lib dom of TypeScript 6 and newer, or from `@webgpu/types`. The declarations name no global of WebGPU, because
 * `@webgpu/types` does not compile without lib dom, nor beside that of TypeScript 6 and newer.
 */
type Known<Name extends string, Otherwise> =
  typeof globalThis extends Record<Name, { prototype: infer Type }> ? Type : Otherwise;

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
