import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/** Opens main() of a kernel without barriers. Declares `name`, the number of this invocation in the dispatch. */
export const mainOfInvocation = (size: number, name: string): string => wgsl`
@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let ${name} = (group.y * groups.x + group.x) * ${size}u + lid;
`;
