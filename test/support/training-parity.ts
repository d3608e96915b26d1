import { expect, test } from 'vitest';
import { MEMORY_NAMES } from '../../src/base/memories.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import type { EngineVariant } from './engines.ts';
import { firstReports } from './first-reports.ts';

export const STEPS = 50;

/** Every memory with each of these controllers, at sizes that the reference can handle. */
export const MEMORIES = [...MEMORY_NAMES, 'none'] as const;
export const CONTROLLERS = ['rnn-1', 'lstm-1', 'lstm-2'] as const;

export function setsOf(
  memory: (typeof MEMORIES)[number],
  controller: (typeof CONTROLLERS)[number],
): string[] {
  const [cell, layers] = controller.split('-');
  // `hidden` and `width` are not multiples of four. Sizes are small, because most
  // of the time goes into compiling kernels, and larger models have larger kernels.
  const sizes = ['hidden=5', 'width=3', 'batch=8', 'minLength=1', 'maxLength=6'];
  return [`memory=${memory}`, `controller=${cell}`, `layers=${layers}`, ...sizes];
}

/**
 * Whether an adapter never uses the kernels of a variant: GPUs do not use the fused plan's lane form, and NVIDIA's
 * compiler (driver 580, on an H200) rejects the largest of these kernels, which have thousands of unrolled lines.
 */
const isUnused = (engine: Engine, { name }: EngineVariant): boolean =>
  name === 'gpu, fused, lane' && engine.adapter.kind === 'gpu';

/**
 * Compares the losses of fifty training steps. Rounding errors of float32 accumulate, but losses differ
 * by at most 1e-4, as long as no strength is so close to a tie that float32 and float64 take different
 * branches. (With seed 0 of reverse this happens in the block form: at step 30 the difference jumps
 * from 5e-7 to 5e-6, and is 1.6e-4 at step 50; with seeds 1 to 3 it stays below 1e-5.)
 */
export async function expectSameLosses(engine: Engine, name: string, sets: string[] = []): Promise<void> {
  const ours = await firstReports(engine, name, STEPS, sets);
  const truth = await firstReports(createReferenceEngine(), name, STEPS, sets);
  expect(ours).toHaveLength(STEPS);
  for (const [k, { objective }] of truth.entries()) {
    const difference = Math.abs(ours[k].objective / objective - 1);
    expect(difference, `step ${k}: ${objective}`).toBeLessThanOrEqual(1e-4);
  }
  expect(truth[STEPS - 1].objective).toBeLessThan(truth[0].objective);
}

/** Defines a test that trains this memory with this controller on a variant. Skips what its adapter never uses. */
export const testSameLosses = (
  engine: () => Engine,
  variant: EngineVariant,
  memory: (typeof MEMORIES)[number],
  controller: (typeof CONTROLLERS)[number],
): void =>
  test(`fifty losses of ${memory}, ${controller} equal those of the reference`, ({ skip }) => {
    skip(isUnused(engine(), variant), 'only software adapters use the lane form');
    return expectSameLosses(engine(), 'reverse', setsOf(memory, controller));
  });
