/**
 * WebGPU types for the declarations of the package. They resolve to the WebGPU types of the program that uses the
 * package, if it has any: those of lib dom of TypeScript 6 and newer, or of `@webgpu/types`. The declarations do not
 * import `@webgpu/types`, because it compiles neither without lib dom nor with lib dom of TypeScript 6 and newer.
 */
/** The type of a global class if the program declares it, else `Otherwise`. */
export type Known<Name extends string, Otherwise> =
  typeof globalThis extends Record<Name, { prototype: infer Type }> ? Type : Otherwise;

/** GPUBuffer. */
export type Buffer = Known<'GPUBuffer', object>;
/** GPUCommandEncoder. */
export type CommandEncoder = Known<'GPUCommandEncoder', object>;
