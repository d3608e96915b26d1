import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { MemoryOptions } from '../memories/kind.wgsl.ts';

/** How the kernels with a memory take their sequences: one an invocation (`lane`), or one a workgroup (`block`). */
type Form = Pick<MemoryOptions, 'form' | 'size' | 'subgroups'>;

/** To stand first in a shader. */
export const enableFor = ({ subgroups }: Form): string => (subgroups ? 'enable subgroups;' : '');

/** Declares `seq`, the sequence; in the block form `lid`, and with subgroups `subgroupWidth`. */
export const sequenceState = (o: Form): string => wgsl`
var<private> seq: u32;
#if ${o.form === 'block'}
var<private> lid: u32;
#endif
#if ${o.subgroups}
var<private> subgroupWidth: u32;
#endif
`;

/** Opens main() of a kernel over `count` sequences, sets all of the above, and leaves the sequence in `sequence` too. */
export const mainOfSequence = (o: Form, count: string): string => wgsl`
@compute @workgroup_size(${o.size})
fn main(
#if ${o.subgroups}
  @builtin(subgroup_size) width: u32,
#endif
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
#if ${o.form === 'block'}
  lid = local;
  let sequence = group.y * groups.x + group.x;
#else
  let sequence = (group.y * groups.x + group.x) * ${o.size}u + local;
#endif
#if ${o.subgroups}
  subgroupWidth = width;
#endif
  // In the block form uniform: the whole workgroup is beyond the batch or none of it.
  if (sequence >= ${count}) { return; }
  seq = sequence;
`;
