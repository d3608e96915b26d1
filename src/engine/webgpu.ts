/**
 * WebGPU types for the package's declarations. They resolve to the types of the program that uses the package, if it
 * has any: from lib dom of TypeScript 6 and newer, or from `@webgpu/types`. The declarations do not import
 * `@webgpu/types`, because it does not compile without lib dom, nor together with lib dom of TypeScript 6 and newer.
 */
export type Known<Name extends string, Otherwise> =
  typeof globalThis extends Record<Name, { prototype: infer Type }> ? Type : Otherwise;

/** GPUBuffer. */
export type Buffer = Known<'GPUBuffer', object>;
/** GPUCommandEncoder. */
export type CommandEncoder = Known<'GPUCommandEncoder', object>;
