import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { MemoryOptions } from '../memories/kind.wgsl.ts';

/** How a kernel maps sequences to invocations: one per invocation (`lane`) or one per workgroup (`block`). */
type Form = Pick<MemoryOptions, 'form' | 'size' | 'subgroups'>;

/** Enables the extensions that the form needs. Must be the first line of a shader. */
export const enableFor = ({ subgroups }: Form): string => (subgroups ? 'enable subgroups;' : '');

/**
 * Declares `seq`, the index of the sequence; in the block form also `lid`, the number of the invocation in its
 * workgroup; and with subgroups (block form only) the variables that a scan needs.
 *
 * WGSL does not define which invocations of a workgroup form a subgroup, nor their order. With subgroups, `lid` is
 * therefore assigned at run time: the invocations of a subgroup get consecutive numbers, in the order in which subgroup
 * scans add.
 */
export const sequenceState = (o: Form): string => wgsl`
var<private> seq: u32;
#if ${o.form === 'block'}
var<private> lid: u32;
#endif
#if ${o.subgroups}
var<private> subgroupNumber: u32;
var<private> endsSubgroup: bool;
// Upper 16 bits: number of subgroups counted so far. Lower 16 bits: number of their invocations.
var<workgroup> wg_counted: atomic<u32>;
fn assignLid() {
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

/**
 * Opens main() of a kernel over `count` sequences and sets the variables above. `sequence` is `seq` as a local
 * variable, which is uniform in the block form.
 */
export const mainOfSequence = (o: Form, count: string): string => wgsl`
@compute @workgroup_size(${o.size})
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
#if ${o.subgroups}
  assignLid();
#elif ${o.form === 'block'}
  lid = local;
#endif
#if ${o.form === 'block'}
  let sequence = group.y * groups.x + group.x;
#else
  let sequence = (group.y * groups.x + group.x) * ${o.size}u + local;
#endif
  // Uniform control flow in the block form, because a workgroup has a single sequence.
  if (sequence >= ${count}) { return; }
  seq = sequence;
`;
