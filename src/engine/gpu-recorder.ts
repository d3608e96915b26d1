import { InputError, show } from '../base/errors.ts';
import { endsOf, gradientName, memoryKind, readsOf } from '../base/memories.ts';
import type { Gpu } from '../gpu/device.ts';
import type { MemoryForm } from '../gpu/profile.ts';
import { type Place, type SequenceMemory, singleStepMemory } from '../kernels/memory.ts';
import type { Span } from './checks.ts';
import type { DeviceArrays, MemoryShape, SequenceRecorder, StepRecorder } from './engine.ts';
import { Lifetime } from './lifetime.ts';
import { StepOrder } from './step-order.ts';

/**
 * Recorders of a memory, which take their inputs from the caller's buffers and write their outputs to them. Arrays are
 * copied into and out of the memory's own buffers.
 */

/** WebGPU's usage flags, because the global GPUBufferUsage may not exist. */
const USAGE = { COPY_SRC: 0x4, COPY_DST: 0x8 } as const;

/**
 * An array of a call: its name, its shape as text, its length in numbers, and the buffer usage that it requires.
 */
interface ArraySpec {
  name: string;
  shapeText: string;
  numbers: number;
  usage: keyof typeof USAGE;
}

const arraySpecs = (
  shape: MemoryShape,
  span: Span,
  names: string[],
  usage: ArraySpec['usage'],
): ArraySpec[] => {
  const { kind, B, M, reads } = shape;
  const [E, T] = [endsOf(kind), span === 'step' ? 1 : shape.T];
  return names.map(name => {
    const hasRows = ['value', 'read', 'dRead', 'dValue'].includes(name);
    const each = name === 'read' || name === 'dRead' ? readsOf(kind, reads) : E;
    const letter = each > E ? ['k'] : E > 1 ? ['E'] : [];
    const letters = ['B', ...(span === 'step' ? [] : ['T']), ...letter, ...(hasRows ? ['M'] : [])];
    return { name, shapeText: letters.join('·'), numbers: B * T * each * (hasRows ? M : 1), usage };
  });
};

/** Inputs and outputs of the forward and the backward pass. */
function arraysOf(shape: MemoryShape, span: Span) {
  const controls = memoryKind(shape.kind).controls.map(({ name }) => name);
  const inputs = arraySpecs(shape, span, [...controls, 'value'], 'COPY_SRC');
  const gradients = [...controls.map(gradientName), 'dValue'];
  return {
    forward: { inputs, outputs: arraySpecs(shape, span, ['read'], 'COPY_DST') },
    backward: {
      inputs: arraySpecs(shape, span, ['dRead'], 'COPY_SRC'),
      outputs: arraySpecs(shape, span, gradients, 'COPY_DST'),
    },
  };
}

/** Locations of the arrays of a call. @throws InputError naming the first array that cannot be used */
function placesIn(call: string, specs: readonly ArraySpec[], given: DeviceArrays): Record<string, Place> {
  const names = specs.map(({ name }) => name);
  for (const name of Object.keys(given ?? {})) {
    if (!names.includes(name))
      throw new InputError(`${call}() takes ${names.join(', ')}, got ${show(name)}.`);
  }
  const places = specs.map(({ name, shapeText, numbers, usage }) => {
    const array = given?.[name] as GPUBuffer | Place | undefined;
    const { buffer, offset } = array && 'buffer' in array ? array : { buffer: array, offset: 0 };
    if (typeof buffer?.size !== 'number' || typeof buffer.usage !== 'number') {
      throw new InputError(
        `${call}() needs ${name} as a GPUBuffer, or { buffer, offset }, of ${shapeText} float32 numbers.`,
      );
    }
    if (!Number.isInteger(offset) || offset < 0 || offset % 4 !== 0)
      throw new InputError(`${name}: its offset must be a multiple of 4 bytes, got ${String(offset)}.`);
    const left = buffer.size - offset;
    if (left < 4 * numbers) {
      throw new InputError(
        `${name} must have ${shapeText} = ${numbers} numbers, ${4 * numbers} bytes, but its buffer has ${Math.max(0, left)} bytes from offset ${offset}.`,
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
  { inputs, outputs }: { inputs: ArraySpec[]; outputs: ArraySpec[] },
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
function recorderOf(shape: MemoryShape, span: Span, owner: Lifetime, destroy: () => void) {
  const lifetime = new Lifetime('recorder', owner);
  const arrays = arraysOf(shape, span);
  return {
    arrays,
    /** Checks the arguments of a call before anything is recorded. Returns the locations of its arrays. */
    check(call: string, pass: keyof typeof arrays, encoder: GPUCommandEncoder, given: DeviceArrays) {
      lifetime.check();
      if (typeof encoder?.copyBufferToBuffer !== 'function')
        throw new InputError(
          `${call}() needs a GPUCommandEncoder as its first argument, got ${show(String(encoder))}.`,
        );
      return placesIn(call, [...arrays[pass].inputs, ...arrays[pass].outputs], given);
    },
    checkAlive: (): void => lifetime.check(),
    bytes: (held: { readonly bytes: number }): number => (lifetime.ended ? 0 : held.bytes),
    destroy: (): void => {
      if (lifetime.end()) destroy();
    },
  };
}

/** Records passes over whole sequences. Owns `memory` and destroys it. @param owner lifetime of the layer */
export function sequenceRecorder(
  shape: MemoryShape,
  memory: SequenceMemory,
  owner: Lifetime,
): SequenceRecorder {
  const { arrays, check, bytes, destroy } = recorderOf(shape, 'sequences', owner, () => memory.destroy());
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

/** Records single steps, on a memory that it opens. @param owner lifetime of the layer */
export async function stepRecorder(
  gpu: Gpu,
  shape: MemoryShape,
  form: MemoryForm,
  owner: Lifetime,
): Promise<StepRecorder> {
  const memory = await singleStepMemory(gpu, shape, form);
  const { arrays, check, checkAlive, bytes, destroy } = recorderOf(shape, 'step', owner, () =>
    memory.destroy(),
  );
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
      checkAlive();
      order.reset();
    },
    destroy,
  };
}
