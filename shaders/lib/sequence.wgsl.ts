import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { MemoryOptions } from '../memories/kind.wgsl.ts';

/** How the kernels with a memory take their sequences: one an invocation (`lane`), or one a workgroup (`block`). */
type Form = Pick<MemoryOptions, 'form' | 'size' | 'subgroups'>;

/** To stand first in a shader. */
export const enableFor = ({ subgroups }: Form): string => (subgroups ? 'enable subgroups;' : '');

/**
 * Declares `seq`, the sequence; in the block form `lid`, and with subgroups what a scan needs to know of them.
 *
 * WGSL does not say which invocations of a workgroup share a subgroup, nor in which order. `lid` is therefore counted out
 * where there are subgroups: those of a subgroup follow each other, in the order in which subgroup scans add.
 */
export const sequenceState = (o: Form): string => wgsl`
var<private> seq: u32;
#if ${o.form === 'block'}
var<private> lid: u32;
#endif
#if ${o.subgroups}
var<private> subgroupNumber: u32;
var<private> endsSubgroup: bool;
// Subgroups counted so far in the upper half, their invocations in the lower.
var<workgroup> wg_counted: atomic<u32>;
fn countOut() {
  let width = subgroupAdd(1u);
  let rank = subgroupExclusiveAdd(1u);
  var counted = 0u;
  if (subgroupElect()) { counted = atomicAdd(&wg_counted, 0x10000u + width); }
  counted = subgroupBroadcastFirst(counted);
  subgroupNumber = counted >> 16u;
  lid = (counted & 0xffffu) + rank;
  endsSubgroup = rank + 1u == width;
}
#endif
`;

/** Opens main() of a kernel over `count` sequences, sets all of the above, and leaves the sequence in `sequence` too. */
export const mainOfSequence = (o: Form, count: string): string => wgsl`
@compute @workgroup_size(${o.size})
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
#if ${o.subgroups}
  countOut();
#elif ${o.form === 'block'}
  lid = local;
#endif
#if ${o.form === 'block'}
  let sequence = group.y * groups.x + group.x;
#else
  let sequence = (group.y * groups.x + group.x) * ${o.size}u + local;
#endif
  // In the block form uniform: the whole workgroup is beyond the batch or none of it.
  if (sequence >= ${count}) { return; }
  seq = sequence;
`;
