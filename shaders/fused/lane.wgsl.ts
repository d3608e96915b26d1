import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { FusedOptions } from '../lib/model.wgsl.ts';

/**
 * The fused plan: controller and memories over all time steps of a batch in one dispatch, and the same backwards.
 * Equations as in src/base/parameters.ts. Here the `lane` form, one sequence per invocation with its state in
 * registers and all products written out; block.wgsl.ts has the other.
 */
export const bindings = ({ layout, batch, uniform }: FusedOptions): string => wgsl`
${batch}
@group(0) @binding(1) var<${uniform ? 'uniform' : 'storage, read'}> parameters: array<vec4f, ${layout.size4}>;
// A copy per invocation: software adapters load it four lanes at a time, while a load from a buffer is checked and
// gathered lane by lane (2 to 3 times slower as a whole).
var<private> w: array<vec4f, ${layout.size4}>;
fn loadParameters() {
  for (var i = 0u; i < ${layout.size4}u; i++) { w[i] = parameters[i]; }
}
`;
