import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { MemoryKernelOptions } from '../lib/model.wgsl.ts';

/**
 * The fused plan: controller and memories over all time steps of a batch, in one dispatch per pass (equations in
 * src/base/parameters.ts). This is the `lane` form: one invocation per sequence, state in registers, all products
 * unrolled. The other form is in block.wgsl.ts.
 */

export interface LaneOptions extends MemoryKernelOptions {
  /** Whether the parameters are bound as a uniform (up to 64 KiB) or as read-only storage. */
  uniform: boolean;
}

/** Bindings 0 and 1: the batch and the parameters. Declares `w` and loadParameters(). */
export const bindings = ({ layout, batch, uniform }: LaneOptions): string => wgsl`
${batch}
@group(0) @binding(1) var<${uniform ? 'uniform' : 'storage, read'}> parameters: array<vec4f, ${layout.size4}>;
// Each invocation has a copy of the parameters: software adapters load from it for four invocations at once, whereas
// they check and gather loads from a buffer one invocation at a time (2 to 3 times slower overall).
var<private> w: array<vec4f, ${layout.size4}>;
fn loadParameters() {
  for (var i = 0u; i < ${layout.size4}u; i++) { w[i] = parameters[i]; }
}
`;
