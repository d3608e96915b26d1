import { describe, expect, test } from 'vitest';
import { endsOf, MEMORY_NAMES, memoryKind, readsOf } from '../../src/base/memories.ts';
import { Rng } from '../../src/base/rng.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from '../../src/engine/engine.ts';
import { describeEach, isReduced, MEMORY_VARIANTS, REFERENCE_VARIANT } from '../support/engines.ts';
import { largestDifference, RANGES, TOLERANCE } from '../support/memory-parity.ts';

/**
 * A memory driven step by step gives the same numbers as over whole sequences, on every engine: exactly, except in the
 * form parallel over time, which rounds whole sequences differently.
 */

/** Controls, value and dRead of whole sequences [B,T,…], for each kind. */
function inputsOf({ kind, B, T, M, reads }: MemoryShape, range: string, seed = 1): Float32Array[] {
  const rng = new Rng(seed, T, M);
  const N = B * T * endsOf(kind);
  const make = (length: number, draw: () => number) => Float32Array.from({ length }, draw);
  return [
    ...memoryKind(kind).controls.map(() => make(N, () => RANGES[range](rng))),
    make(N * M, () => 2 * rng.uniform() - 1),
    make(B * T * readsOf(kind, reads) * M, () => 2 * rng.uniform() - 1),
  ];
}

/** Step t of [B,T,…]. */
function stepOf(all: Float32Array, { B, T }: MemoryShape, t: number): Float32Array {
  const width = all.length / (B * T);
  const step = new Float32Array(B * width);
  for (let b = 0; b < B; b++) step.set(all.subarray((b * T + t) * width, (b * T + t + 1) * width), b * width);
  return step;
}

/** The first `steps` steps of [B,T,…]. */
function firstSteps(all: Float32Array, { B, T }: MemoryShape, steps: number): Float32Array {
  const width = all.length / (B * T);
  const part = new Float32Array(B * steps * width);
  for (let b = 0; b < B; b++)
    part.set(all.subarray(b * T * width, (b * T + steps) * width), b * steps * width);
  return part;
}

type StepResults = Record<string, Float32Array[]>;

/** Reads and gradients of every step, from a memory driven step by step. */
async function bySteps(memory: MemoryLayer, given: Float32Array[], steps: number): Promise<StepResults> {
  const { shape } = memory;
  const [inputs, dRead] = [given.slice(0, -1), given[given.length - 1]];
  const read: Float32Array[] = [];
  for (let t = 0; t < steps; t++) read.push(await memory.step(...inputs.map(all => stepOf(all, shape, t))));
  const back: MemoryGradients[] = [];
  for (let t = steps - 1; t >= 0; t--) back[t] = await memory.stepBackward(stepOf(dRead, shape, t));
  return {
    read,
    ...Object.fromEntries(Object.keys(back[0]).map(name => [name, back.map(gradients => gradients[name])])),
  };
}

/** The same from whole sequences, cut into steps. */
async function bySequences(memory: MemoryLayer, given: Float32Array[]): Promise<StepResults> {
  const [inputs, dRead] = [given.slice(0, -1), given[given.length - 1]];
  const read = await memory.forward(...inputs);
  const all: Record<string, Float32Array> = { read, ...(await memory.backward(dRead)) };
  const stepsOf = (tensor: Float32Array) =>
    Array.from({ length: memory.shape.T }, (_, t) => stepOf(tensor, memory.shape, t));
  return Object.fromEntries(Object.entries(all).map(([name, tensor]) => [name, stepsOf(tensor)]));
}

const SMALL = { B: 5, T: 21, M: 5 };
/**
 * Batch sizes on both sides of the size of a thread's work item. M = 5 is not a multiple
 * of 4; M = 100 is, and such rows have too many elements for the registers of an invocation.
 */
const SHAPES = [
  { B: 1, T: 1, M: 5 },
  { B: 9, T: 33, M: 5 },
  { B: 17, T: 12, M: 100 },
];

const overTime = (name: string): boolean => name === 'gpu, parallel over time';

describeEach([...MEMORY_VARIANTS, REFERENCE_VARIANT], (engine, variant) => {
  const { name, hasMemory } = variant;
  const open = (shape: MemoryShape): Promise<MemoryLayer> => engine().memory(shape);

  const sizes = isReduced(variant) ? SHAPES.slice(1, 2) : SHAPES;

  describe.each(MEMORY_NAMES.filter(hasMemory))('%s', kind => {
    // Strengths of 0 and 1 are ties at every step.
    test.each(['uniform', '0 or 1'])('steps equal the sequence, strengths %s', async range => {
      const shapes = memoryKind(kind).rows ? sizes : [...sizes, { B: 9, T: 8, M: 5, depth: 4, reads: 3 }];
      for (const size of range === 'uniform' ? shapes : [SMALL]) {
        const shape = { kind, ...size };
        const given = inputsOf(shape, range);
        const memory = await open(shape);
        const sequences = await bySequences(memory, given);
        const strengths = await memory.strengths();
        await memory.reset();
        const steps = await bySteps(memory, given, shape.T);
        if (overTime(name)) {
          // Over whole sequences this form uses heights in fixed point, which are rounded differently.
          for (const [tensor, ofSteps] of Object.entries(steps)) {
            for (const [t, numbers] of ofSteps.entries()) {
              const difference = Math.max(...numbers.map((x, k) => Math.abs(x - sequences[tensor][t][k])));
              const largest = Math.max(1, ...sequences[tensor].map(all => Math.max(...all.map(Math.abs))));
              expect(difference / largest, `${tensor} of step ${t}`).toBeLessThanOrEqual(TOLERANCE);
            }
          }
        } else {
          expect(steps).toEqual(sequences);
          // Again, on the memory that the first sequence has filled, with overlapping calls.
          await memory.reset();
          const inputs = given.slice(0, -1);
          const cut = sequences.read.map((_, t) => inputs.map(all => stepOf(all, shape, t)));
          const pendingReads = cut.map(step => memory.step(...step));
          const pendingStrengths = memory.strengths();
          // The caller may overwrite the inputs at once.
          for (const array of cut.flat()) array.fill(0.5);
          expect(await Promise.all(pendingReads)).toEqual(sequences.read);
          expect(await pendingStrengths).toEqual(strengths);
        }
        memory.destroy();
      }
    });

    test('a sequence may end before T, and its backward pass may stop early', async () => {
      const [shape, steps] = [{ kind, B: 3, T: 20, M: 5 }, 13];
      const given = inputsOf(shape, 'uniform');
      const [memory, short] = [await open(shape), await open({ ...shape, T: steps })];
      const expected = await bySequences(
        short,
        given.map(all => firstSteps(all, shape, steps)),
      );
      const actual = await bySteps(memory, given, steps);
      if (overTime(name)) {
        const [got, wanted] = [actual, expected].map(({ dValue }) => dValue.flatMap(step => [...step]));
        expect(largestDifference(Float32Array.from(got), k => wanted[k])).toBeLessThanOrEqual(TOLERANCE);
        return;
      }
      expect(actual).toEqual(expected);

      await memory.reset();
      const inputs = given.slice(0, -1);
      for (let t = 0; t < steps; t++) await memory.step(...inputs.map(all => stepOf(all, shape, t)));
      const strengths = await memory.strengths();
      const dRead = given[given.length - 1];
      for (let t = steps - 1; t > 5; t--) {
        const { dValue } = await memory.stepBackward(stepOf(dRead, shape, t));
        expect(dValue).toEqual(expected.dValue[t]);
      }
      expect(await memory.strengths()).toEqual(strengths.map(all => all.slice(0, 6)));
      // A whole sequence can follow.
      await memory.reset();
      const again = await bySequences(memory, given);
      expect(again).toEqual(await bySequences(await open(shape), given));
    });
  });

  test('synchronous calls give the same numbers if the engine computes on this thread, and are refused if not', async () => {
    const shape: MemoryShape = { kind: 'deque', B: 11, T: 7, M: 6 };
    const given = inputsOf(shape, 'uniform');
    const [inputs, dRead] = [given.slice(0, -1), given[given.length - 1]];
    const memory = await open(shape);
    if (name.startsWith('gpu')) {
      expect(() => memory.forwardSync(...inputs)).toThrow(
        /^forwardSync\(\) needs an engine that computes on/,
      );
      expect(() => memory.stepSync(...inputs)).toThrow(/or recordSteps\(\) to stay on the device\.$/);
      return;
    }
    const read = memory.forwardSync(...inputs);
    const gradients = memory.backwardSync(dRead);
    expect(memory.backwardSync(dRead)).toEqual(gradients);
    expect(read).toEqual(await memory.forward(...inputs));
    expect(gradients).toEqual(await memory.backward(dRead));

    const steps = await bySequences(memory, given);
    memory.reset();
    for (let t = 0; t < shape.T; t++)
      expect(memory.stepSync(...inputs.map(all => stepOf(all, shape, t)))).toEqual(steps.read[t]);
    for (let t = shape.T - 1; t >= 0; t--)
      expect(memory.stepBackwardSync(stepOf(dRead, shape, t)).dPop).toEqual(steps.dPop[t]);

    // The reference finishes each call at once; on the engine cpu a call may be pending.
    if (name !== 'cpu') return;
    memory.reset();
    const first = inputs.map(all => stepOf(all, shape, 0));
    const pending = memory.step(...first);
    expect(() => memory.stepSync(...first)).toThrow(/^stepSync\(\) cannot wait for the pending call/);
    expect(await pending).toEqual(steps.read[0]);
  });

  test('errors about calls in the wrong order say what to do', async () => {
    const shape: MemoryShape = { kind: 'stack', B: 2, T: 2, M: 1 };
    const memory = await open(shape);
    const all = [new Float32Array(4), new Float32Array(4), new Float32Array(4)];
    const one = all.map(numbers => numbers.slice(0, 2));
    const dRead = new Float32Array(2);
    const fails = (call: Promise<unknown>, message: RegExp) =>
      expect(call).rejects.toMatchObject({ name: 'InputError', message: expect.stringMatching(message) });

    await fails(memory.stepBackward(dRead), /^stepBackward\(\) needs a step: call step\(\) first\.$/);
    await fails(memory.backward(all[0]), /^backward\(\) needs a forward pass: call forward\(\) first\.$/);
    await fails(memory.step(...all), /^push must have B = 2 numbers, got 4\.$/);
    await fails(
      memory.step(Float32Array.of(0, -1), one[1], one[2]),
      /^push\[1\] must be a finite number ≥ 0/,
    );

    await memory.forward(...all);
    await fails(memory.step(...one), /^step\(\) .* after forward\(\), call reset\(\) first\.$/);
    await fails(memory.stepBackward(dRead), /call backward\(\), or reset\(\) and step\(\)\.$/);
    await memory.reset();
    await fails(memory.strengths(), /^strengths\(\) needs a forward pass/);
    await memory.step(...one);
    await fails(memory.forward(...all), /^forward\(\) takes whole sequences.*call reset\(\) first\.$/);
    await fails(memory.backward(all[0]), /^backward\(\) needs forward\(\).*stepBackward\(\)/);
    await memory.step(...one);
    await fails(memory.step(...one), /^step\(\) was called for all T = 2 steps.*larger T\.$/);
    await fails(memory.stepBackward(all[0]), /^dRead must have B·M = 2 numbers, got 4\.$/);
    await memory.stepBackward(dRead);
    await fails(memory.step(...one), /^step\(\) cannot follow stepBackward\(\): call reset\(\)/);
    await memory.stepBackward(dRead);
    await fails(memory.stepBackward(dRead), /^stepBackward\(\) was called for all 2 steps taken: call reset/);
    memory.destroy();
    await fails(memory.step(...one), /^this memory was destroyed/);
  });
});
