import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { MemoryName } from '../../src/base/memories.ts';
import { cellCode, type MemoryCode, type MemoryOptions } from './kind.wgsl.ts';
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
 * The functions of a kind (MemoryCode). In the block form also uniformPlace(k, t): placeBefore, computed by one
 * invocation and returned to all.
 */
export const memoryFunctions = (o: MemoryOptions, pass: 'forward' | 'backward'): string => wgsl`
${cellCode(o)}
#if ${pass === 'backward'}
var<private> gradients: vec4f;
#endif
${MEMORY_CODE[o.kind].functions(o, pass)}
#if ${o.form === 'block'}
var<workgroup> wg_place: vec2u;
fn uniformPlace(k: u32, t: u32) -> vec2u {
  workgroupBarrier();
  if (lid == 0u) { wg_place = placeBefore(k, t); }
  return workgroupUniformLoad(&wg_place);
}
#endif
`;

/** An expression for placeBefore() of memory k that all invocations may evaluate. */
export const placeAt = ({ form }: Pick<MemoryOptions, 'form'>, k: number, t: string): string =>
  `${form === 'lane' ? 'placeBefore' : 'uniformPlace'}(${k}u, ${t})`;
