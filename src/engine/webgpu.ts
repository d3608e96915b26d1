/**
 * WebGPU's types for the package's declarations. They are those of the program that uses the package, where it has any:
 * from lib dom of TypeScript 6 and newer, or from `@webgpu/types`. The declarations name no global of WebGPU, because
 * `@webgpu/types` does not compile without lib dom, nor beside that of TypeScript 6 and newer.
 */
export type Known<Name extends string, Otherwise> =
  typeof globalThis extends Record<Name, { prototype: infer Type }> ? Type : Otherwise;

/** GPUBuffer. */
export type Buffer = Known<'GPUBuffer', object>;
/** GPUCommandEncoder. */
export type CommandEncoder = Known<'GPUCommandEncoder', object>;
