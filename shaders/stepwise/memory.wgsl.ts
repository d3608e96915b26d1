import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { operand } from '../../src/layout/tensors.ts';
import {
  activateControlsBackward,
  controlsOf,
  controlVector,
  type MemoryKernelOptions,
  memoriesOf,
  memoryCode,
} from '../lib/model.wgsl.ts';
import { at, elementsOf } from '../lib/rows.wgsl.ts';
import { enableFor, mainOfSequence, sequenceState } from '../lib/sequence.wgsl.ts';
import { storage } from '../lib/storage.wgsl.ts';
import { lines } from '../lib/text.ts';
import { barrier, boundsAt, divided } from '../memories/kind.wgsl.ts';

/**
 * One step of all memories, between two steps of the controller: one invocation per sequence in the `lane` form, one
 * workgroup per sequence in the `block` form. The bounds of the live slots are read from the undo log.
 */

const prologue = (o: MemoryKernelOptions): string => wgsl`
${enableFor(o.memory)}
${o.batch}
@group(1) @binding(0) var<uniform> now: vec4u;
${sequenceState(o.memory)}
`;

const mainPrologue = (o: MemoryKernelOptions): string => wgsl`
${mainOfSequence(o.memory, 'batch.B')}
  let t = now.x;
  let row = t * batch.B + sequence;
`;

/** batch, acts: s -> acts: r of step t, slots, undoLog. Also clears grads: dS of step t. */
export function stepMemory(o: MemoryKernelOptions): string {
  const { layout } = o;
  const element = elementsOf(layout, 'vec4f');
  const { R4, S4 } = layout;
  return wgsl`
${prologue(o)}
${storage(1, '-> acts: vec4f, slots: vec2u, undoLog: vec4u, grads: vec4f')}
var<private> reads: u32;
${memoryCode(o, 'vec4f', 'forward', i => `acts[reads + ${i}]`)}
${mainPrologue(o)}
  reads = ${at(operand(layout, 'r', { skip: 1 }), 'row')};
  ${divided(o.memory, 'i', '0u', `${R4}u`, 'acts[reads + i] = vec4f();')}
  ${divided(o.memory, 'i', '0u', `${S4}u`, `${element('dS', 'row', 'i')} = vec4f();`)}
  // Uniform: a workgroup has a single sequence.
  if (t < lengthOf(sequence)) {
    ${barrier(o.memory)}
    ${lines(memoriesOf(layout), k => {
      const controls = controlVector(
        layout,
        k,
        ({ vector, component }) => `${element('s', 'row', `${vector}u`)}.${component}`,
      );
      return `_ = forward(${k}u, t, ${boundsAt(o.memory, `${k}u`, 't')}, ${controls});`;
    })}
  }
}
`;
}

/**
 * batch, acts, slots, undoLog, grads: dR -> dS of step t (heads' pre-activations), and part of dS of earlier steps
 * (gradients of values). Rewinds the slots.
 */
export function stepMemoryBackward(o: MemoryKernelOptions): string {
  const { layout } = o;
  const element = elementsOf(layout, 'vec4f');
  const { N4, S4 } = layout;
  const block = o.memory.form === 'block';
  const stores = lines(
    memoriesOf(layout),
    k => wgsl`
    let bounds${k} = ${boundsAt(o.memory, `${k}u`, 't + 1u')};
    if (t + 1u == length) { clearGradient(${k}u, bounds${k}); }
    ${barrier(o.memory)}
    _ = backward(${k}u, t, bounds${k});
    ${lines(controlsOf(layout, k), ({ vector, component, local }) => `ds[${vector - N4}].${component} = gradients.${local};`)}`,
  );
  return wgsl`
${prologue(o)}
${storage(1, 'acts: vec4f -> grads: vec4f, slots: vec2u, undoLog: vec4u, dStrength: f32')}
${memoryCode(o, 'vec4f', 'backward', i => element('dR', 'seq', i))}
${mainPrologue(o)}
  let length = lengthOf(sequence);
  if (t < length) {
    var ds = array<vec4f, ${S4 - N4}>();
    ${stores}
    ${barrier(o.memory)}
    ${divided(
      o.memory,
      'i',
      '0u',
      `${N4}u`,
      `let v = ${element('s', 'row', 'i')};
      ${element('dS', 'row', 'i')} *= 1.0 - v * v;`,
    )}
    ${block ? 'if (lid == 0u) {' : '{'}
      ${lines(S4 - N4, i => `let s${i} = ${element('s', 'row', `${N4 + i}u`)};`)}
      ${lines(memoriesOf(layout), k =>
        activateControlsBackward(
          layout,
          k,
          ({ vector, component }) => `s${vector - N4}.${component}`,
          ({ vector, component }) => `ds[${vector - N4}].${component}`,
        ),
      )}
      ${lines(S4 - N4, i => `${element('dS', 'row', `${N4 + i}u`)} = ds[${i}];`)}
    }
  }
}
`;
}
