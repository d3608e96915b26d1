import { InputError, show } from '../base/errors.ts';
import { endsOf, gradientName, memoryKind, readsOf } from '../base/memories.ts';
import type { Gpu } from '../gpu/device.ts';
import type { MemoryForm } from '../gpu/profile.ts';
import { type OpenMemory, type Place, steppedMemory } from '../kernels/memory.ts';
import type { Span } from './checks.ts';
import type { DeviceArrays, MemoryShape, SequenceRecorder, StepRecorder } from './engine.ts';
import { Lifetime } from './lifetime.ts';
import { StepOrder } from './step-order.ts';

/** Memories that read and write the caller's buffers. They keep state in their own buffers: arrays are copied in and out. */

/** WebGPU's usage flags: the global may not exist. */
const USAGE = { COPY_SRC: 0x4, COPY_DST: 0x8 } as const;

/** An array that a call needs: its name, its shape in words, its length in numbers, and the buffer usage it requires. */
interface Wanted {
  name: string;
  words: string;
  numbers: number;
  usage: keyof typeof USAGE;
}

const named = (shape: MemoryShape, span: Span, names: string[], usage: Wanted['usage']): Wanted[] => {
  const { kind, B, M, reads } = shape;
  const [E, T] = [endsOf(kind), span === 'step' ? 1 : shape.T];
  return names.map(name => {
    const row = ['value', 'read', 'dRead', 'dValue'].includes(name);
    const each = name === 'read' || name === 'dRead' ? readsOf(kind, reads) : E;
    const letter = each > E ? ['k'] : E > 1 ? ['E'] : [];
    const words = ['B', ...(span === 'step' ? [] : ['T']), ...letter, ...(row ? ['M'] : [])];
    return { name, words: words.join('·'), numbers: B * T * each * (row ? M : 1), usage };
  });
};

/** Inputs and outputs of the forward and the backward pass. */
function arraysOf(shape: MemoryShape, span: Span) {
  const controls = memoryKind(shape.kind).controls.map(({ name }) => name);
  const inputs = named(shape, span, [...controls, 'value'], 'COPY_SRC');
  const gradients = [...controls.map(gradientName), 'dValue'];
  return {
    forward: { inputs, outputs: named(shape, span, ['read'], 'COPY_DST') },
    backward: {
      inputs: named(shape, span, ['dRead'], 'COPY_SRC'),
      outputs: named(shape, span, gradients, 'COPY_DST'),
    },
  };
}

/** Locations of the arrays of a call. @throws InputError naming the first array that cannot be used */
function placesIn(call: string, wanted: readonly Wanted[], given: DeviceArrays): Record<string, Place> {
  const names = wanted.map(({ name }) => name);
  for (const name of Object.keys(given ?? {})) {
    if (!names.includes(name))
      throw new InputError(`${call}() takes ${names.join(', ')}, got ${show(name)}.`);
  }
  const places = wanted.map(({ name, words, numbers, usage }) => {
    const one = given?.[name] as GPUBuffer | Place | undefined;
    const { buffer, offset } = one && 'buffer' in one ? one : { buffer: one, offset: 0 };
    if (typeof buffer?.size !== 'number' || typeof buffer.usage !== 'number') {
      throw new InputError(
        `${call}() needs ${name} as a GPUBuffer, or { buffer, offset }, of ${words} float32 numbers.`,
      );
    }
    if (!Number.isInteger(offset) || offset < 0 || offset % 4 !== 0)
      throw new InputError(`${name}: its offset must be a multiple of 4 bytes, got ${String(offset)}.`);
    const left = buffer.size - offset;
    if (left < 4 * numbers) {
      throw new InputError(
        `${name} must have ${words} = ${numbers} numbers, ${4 * numbers} bytes, but its buffer has ${Math.max(0, left)} from offset ${offset}.`,
      );
    }
    if (!(buffer.usage & USAGE[usage])) {
      throw new InputError(`${name} needs a buffer created with GPUBufferUsage.${usage} in its usage.`);
    }
    return [name, { buffer, offset }] as const;
  });
  return Object.fromEntries(places);
}

/** Records copies into the memory, the passes, and copies out of it. */
function recordPass(
  encoder: GPUCommandEncoder,
  io: Readonly<Record<string, Place>>,
  { inputs, outputs }: { inputs: Wanted[]; outputs: Wanted[] },
  places: Record<string, Place>,
  passes: readonly ((encoder: GPUCommandEncoder) => void)[],
): void {
  const copy = (from: Place, to: Place, numbers: number): void =>
    encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, 4 * numbers);
  for (const { name, numbers } of inputs) copy(places[name], io[name], numbers);
  for (const record of passes) record(encoder);
  for (const { name, numbers } of outputs) copy(io[name], places[name], numbers);
}

/** The part that both recorders share. */
function recorderOf(shape: MemoryShape, span: Span, of: Lifetime, destroy: () => void) {
  const lifetime = new Lifetime('recorder', of);
  const arrays = arraysOf(shape, span);
  return {
    arrays,
    /** Checks the arguments of a call before anything is recorded. Returns the locations of its arrays. */
    check(call: string, way: keyof typeof arrays, encoder: GPUCommandEncoder, given: DeviceArrays) {
      lifetime.check();
      if (typeof encoder?.copyBufferToBuffer !== 'function')
        throw new InputError(`${call}() needs a GPUCommandEncoder first, got ${show(String(encoder))}.`);
      return placesIn(call, [...arrays[way].inputs, ...arrays[way].outputs], given);
    },
    live: (): void => lifetime.check(),
    bytes: (held: { readonly bytes: number }): number => (lifetime.over ? 0 : held.bytes),
    destroy: (): void => {
      if (lifetime.end()) destroy();
    },
  };
}

/** Records passes over whole sequences. Owns `memory` and destroys it. @param of lifetime of the layer */
export function sequenceRecorder(shape: MemoryShape, memory: OpenMemory, of: Lifetime): SequenceRecorder {
  const { arrays, check, bytes, destroy } = recorderOf(shape, 'sequences', of, () => memory.destroy());
  // 'used': a backward pass has consumed the state of the forward pass. Another backward pass reruns the forward pass.
  let state: 'empty' | 'ready' | 'used' = 'empty';
  return {
    get bytes(): number {
      return bytes(memory);
    },
    forward(encoder: GPUCommandEncoder, given: DeviceArrays): void {
      const places = check('forward', 'forward', encoder, given);
      recordPass(encoder, memory.io, arrays.forward, places, memory.forward());
      state = 'ready';
    },
    backward(encoder: GPUCommandEncoder, given: DeviceArrays): void {
      const places = check('backward', 'backward', encoder, given);
      if (state === 'empty')
        throw new InputError('backward() needs a forward pass: call forward() of this recorder first.');
      const passes = [...(state === 'used' ? memory.forward() : []), ...memory.backward()];
      recordPass(encoder, memory.io, arrays.backward, places, passes);
      if (memory.rewinds) state = 'used';
    },
    destroy,
  };
}

/** Records single steps, on a memory of its own. @param of lifetime of the layer */
export async function stepRecorder(
  gpu: Gpu,
  shape: MemoryShape,
  form: MemoryForm,
  of: Lifetime,
): Promise<StepRecorder> {
  const memory = await steppedMemory(gpu, shape, form);
  const { arrays, check, live, bytes, destroy } = recorderOf(shape, 'step', of, () => memory.destroy());
  const order = new StepOrder(shape.T);
  return {
    get bytes(): number {
      return bytes(memory);
    },
    step(encoder: GPUCommandEncoder, given: DeviceArrays): void {
      const places = check('step', 'forward', encoder, given);
      const t = order.step();
      recordPass(encoder, memory.io(t), arrays.forward, places, [memory.step(t)]);
    },
    stepBackward(encoder: GPUCommandEncoder, given: DeviceArrays): void {
      const places = check('stepBackward', 'backward', encoder, given);
      const { t, newest } = order.stepBackward();
      recordPass(encoder, memory.io(t), arrays.backward, places, [memory.stepBackward(t, newest)]);
    },
    reset(): void {
      live();
      order.reset();
    },
    destroy,
  };
}
