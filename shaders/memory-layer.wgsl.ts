import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { type MemoryOptions, memoryFunctions } from './memory.wgsl.ts';

/** The memory on its own, driven open-loop: push, pop and values of all steps are given. Arrays are [B,T] and [B,T,M]. */

const entry = (o: MemoryOptions): string => wgsl`
#if ${o.subgroups}
enable subgroups;
#endif
struct Dims { B: u32, T: u32 }
`;

const prologue = (o: MemoryOptions): string => wgsl`
var<private> seq: u32;
#if ${o.form === 'block'}
var<private> lid: u32;
#if ${o.subgroups}
var<private> subgroupWidth: u32;
#endif
#endif
fn stateAt(i: u32) -> u32 {
#if ${o.form === 'lane'}
  return i * dims.B + seq;  // neighbours in the batch lie side by side
#else
  return seq * dims.T + i;  // neighbours in the memory do
#endif
}
fn cellAt(t: u32, c: u32) -> u32 { return (seq * dims.T + t) * ${o.cells}u + c; }
`;

const mainHead = (o: MemoryOptions): string => wgsl`
@compute @workgroup_size(${o.size})
#if ${o.form === 'lane'}
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  seq = id.y * groups.x * ${o.size}u + id.x;
  if (seq >= dims.B) { return; }
#else
fn main(
#if ${o.subgroups}
  @builtin(subgroup_size) width: u32,
#endif
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  lid = local;
#if ${o.subgroups}
  subgroupWidth = width;
#endif
  let sequence = group.y * groups.x + group.x;
  // Uniform: the whole workgroup is beyond the batch or none of it.
  if (sequence >= dims.B) { return; }
  seq = sequence;
#endif
`;

/** push, pop [B,T], value [B,T,M] -> read [B,T,M] (zero before), slots, log. */
export const memoryForward = (o: MemoryOptions): string => wgsl`
${entry(o)}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> push: array<f32>;
@group(0) @binding(2) var<storage, read> pop: array<f32>;
@group(0) @binding(3) var<storage, read> value: array<Cell>;
@group(0) @binding(4) var<storage, read_write> readOut: array<Cell>;
@group(0) @binding(5) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(6) var<storage, read_write> undo: array<vec4u>;
var<private> now: u32;
${prologue(o)}
fn loadValue(t: u32, c: u32) -> Cell { return value[cellAt(t, c)]; }
fn addRead(c: u32, x: Cell) { readOut[cellAt(now, c)] += x; }
${memoryFunctions(o, 'forward')}
${mainHead(o)}
  var hi = 0u;
  for (var t = 0u; t < dims.T; t++) {
    now = t;
    let at = seq * dims.T + t;
    hi = forward(t, hi, push[at], pop[at]);
  }
}
`;

/** value, slots, log, dRead [B,T,M] -> dPush, dPop [B,T], dValue [B,T,M] (zero before). Rewinds slots. */
export const memoryBackward = (o: MemoryOptions): string => wgsl`
${entry(o)}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> value: array<Cell>;
@group(0) @binding(2) var<storage, read> dRead: array<Cell>;
@group(0) @binding(3) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> undo: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> dStrength: array<f32>;
@group(0) @binding(6) var<storage, read_write> dPush: array<f32>;
@group(0) @binding(7) var<storage, read_write> dPop: array<f32>;
@group(0) @binding(8) var<storage, read_write> dValue: array<Cell>;
var<private> now: u32;
${prologue(o)}
fn loadValue(t: u32, c: u32) -> Cell { return value[cellAt(t, c)]; }
fn loadDRead(c: u32) -> Cell { return dRead[cellAt(now, c)]; }
fn addDValue(t: u32, c: u32, x: Cell) { dValue[cellAt(t, c)] += x; }
${memoryFunctions(o, 'backward')}
${mainHead(o)}
#if ${o.form === 'lane'}
  var hi = (undo[stateAt(dims.T - 1u)].x & ~REACHED) + 1u;
#else
  if (lid == 0u) { wg_uniform = (undo[stateAt(dims.T - 1u)].x & ~REACHED) + 1u; }
  var hi = workgroupUniformLoad(&wg_uniform);
#endif
  for (var steps = dims.T; steps > 0u; steps--) {
    now = steps - 1u;
    hi = backward(now, hi);
#if ${o.form === 'block'}
    if (lid == 0u) {
#else
    {
#endif
      let at = seq * dims.T + now;
      dPush[at] = gradients.x;
      dPop[at] = gradients.y;
    }
  }
}
`;
