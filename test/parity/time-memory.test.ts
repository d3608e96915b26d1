import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openGpuEngines } from '../support/device.ts';
import { longMemory } from '../support/long-memory.ts';
import {
  compareMemory,
  largestDifference,
  memoryTruth,
  RANGES,
  TOLERANCE,
} from '../support/memory-parity.ts';

/**
 * Compares the form that is parallel over time with the reference. At lengths too long
 * for the reference, compares this form and the step-by-step form with longMemory().
 */

let engines: Record<'time' | 'step by step', Engine>;
beforeAll(async () => {
  const { gpu, on } = await openGpuEngines();
  engines = { time: on({ memory: 'time' }), 'step by step': on({ memory: gpu.profile.memory }) };
});
afterAll(() => engines.time.destroy());

const KINDS = ['stack', 'queue'] as const;

describe.each(KINDS)('%s', kind => {
  // Lengths on both sides of a chunk boundary; other sizes are in memory.test.ts.
  test.each([31, 32, 33])('T = %i', async T => {
    for (const range of Object.keys(RANGES)) {
      const differences = await compareMemory(engines.time, memoryTruth(kind, T, 2, range), 7);
      for (const [tensor, difference] of Object.entries(differences)) {
        expect(difference, `${range}: ${tensor}`).toBeLessThanOrEqual(TOLERANCE);
      }
    }
  });

  test('the float64 memory for long sequences agrees with the reference', () => {
    for (const range of Object.keys(RANGES)) {
      const { sequences, expected } = memoryTruth(kind, 200, 3, range);
      for (const [k, { push, pop, value, dRead }] of sequences.entries()) {
        const long = longMemory(kind, push, pop, value, dRead);
        for (const name of ['read', 'dPush', 'dPop', 'dValue'] as const) {
          long[name].forEach((x, i) => {
            expect(x, `${range} ${name}[${i}]`).toBeCloseTo(expected[k].tensors[name][i], 10);
          });
        }
      }
    }
  });

  // Strengths are so small that every step reads all earlier rows: one invocation would load half a million numbers.
  test('the step-by-step form, which can be cut into slices, is used if reads would visit too many rows', async () => {
    const { gpu, on } = await openGpuEngines();
    const kernels = vi.spyOn(gpu, 'kernel');
    const engine = on({ memory: 'time' });
    const labels = async (strength: number, popped: number): Promise<string[]> => {
      kernels.mockClear();
      const [T, M] = [300, 1752];
      const memory = await engine.memory({ kind, B: 1, T, M });
      const constant = (length: number, x: number) => new Float32Array(length).fill(x);
      const read = await memory.forward(constant(T, strength), constant(T, popped), constant(T * M, 1));
      if (popped === 0) expect(read[T * M - 1]).toBeCloseTo(T * strength, 5);
      memory.destroy();
      return kernels.mock.calls.map(([label]) => label).filter(label => label.startsWith('memory forward'));
    };
    expect(await labels(0.5, 0.4)).toEqual([]);
    expect(await labels(1e-3, 0)).toEqual([expect.stringMatching(`memory forward, ${kind}`)]);
    engine.destroy();
  });

  // float32 has to round every sum of these strengths, and the memory is 8,000 rows deep and more. The form
  // parallel over time has heights in fixed point, which have no error. In the step-by-step form, the front
  // of a queue depends on all pops so far: 65,536 roundings of 6e-8, of either sign, shift it by 1e-5. Reads and values
  // shift by the same amount; if a read ends that close to the end of a row, gradients of strengths jump.
  const all = ['read', 'dPush', 'dPop', 'dValue'] as const;
  test.each([
    ['time', TOLERANCE, all],
    [
      'step by step',
      ...(kind === 'queue' ? ([4 * TOLERANCE, ['read', 'dValue']] as const) : ([TOLERANCE, all] as const)),
    ],
  ] as const)('65,536 steps agree with float64: %s', async (form, tolerance, names) => {
    const [T, M] = [65_536, 4];
    const rng = new Rng(3, 0, 1);
    const numbers = (length: number, low: number, high: number): Float32Array =>
      Float32Array.from({ length }, () => low + (high - low) * rng.uniform());
    const push = numbers(T, 0.5, 1);
    const pop = numbers(T, 0, 1.25);
    const value = numbers(T * M, -1, 1);
    const dRead = numbers(T * M, -1, 1);
    const memory = await engines[form].memory({ kind, B: 1, T, M });
    const read = await memory.forward(push, pop, value);
    const actual: Record<string, Float32Array> = { read, ...(await memory.backward(dRead)) };
    memory.destroy();
    const expected = longMemory(kind, push, pop, value, dRead);
    for (const name of names) {
      const difference = largestDifference(actual[name], i => expected[name][i]);
      expect(difference, name).toBeLessThanOrEqual(tolerance);
    }
  });
});
