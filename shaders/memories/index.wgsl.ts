import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { MemoryName } from '../../src/base/memories.ts';
import { elementCode, type MemoryCode, type MemoryOptions } from './kind.wgsl.ts';
import { mixture } from './mixture.wgsl.ts';
import { rows } from './rows.wgsl.ts';

/** The code of all kinds of memory. */
const MEMORY_CODE: Record<MemoryName, MemoryCode> = {
  stack: rows,
  queue: rows,
  deque: rows,
  superposition: mixture(false),
  tape: mixture(true),
};

/**
 * The functions of a kind (MemoryCode). In the block form also uniformBounds(k, t): boundsBefore, computed by one
 * invocation and returned to all.
 */
export const memoryFunctions = (o: MemoryOptions, pass: 'forward' | 'backward'): string => wgsl`
${elementCode(o)}
#if ${pass === 'backward'}
var<private> gradients: vec4f;
#endif
${MEMORY_CODE[o.kind].functions(o, pass)}
#if ${o.form === 'block'}
var<workgroup> wg_bounds: vec2u;
fn uniformBounds(k: u32, t: u32) -> vec2u {
  workgroupBarrier();
  if (lid == 0u) { wg_bounds = boundsBefore(k, t); }
  return workgroupUniformLoad(&wg_bounds);
}
#endif
`;
