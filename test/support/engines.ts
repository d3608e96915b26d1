import { afterAll, beforeAll, describe } from 'vitest';
import type { MemoryName } from '../../src/base/memories.ts';
import type { ModelSpec } from '../../src/base/parameters.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { GpuOptions } from '../../src/engine/gpu.ts';
import { PROFILE_NAMES } from '../../src/gpu/profile.ts';
import { ENGINES, REFERENCE } from '../../src/platform/names.ts';
import { openEngine } from '../../src/platform/node/engine.ts';
import { openGpuEngine } from './device.ts';

/**
 * The engines that are compared with the reference, each in all the ways in which it can compute. Tests of parity, training,
 * recovery and resumption take these as parameters.
 */
export interface Way {
  name: string;
  /** Forced options of the kernels. Absent for other engines. */
  gpu?: GpuOptions;
  /** Opens the engine in this way, on its own device. */
  open(options?: GpuOptions): Promise<Engine>;
  /** Whether it can compute a model of these sizes. */
  takes(spec: ModelSpec): boolean;
  /** Whether it has its own memory of this kind. */
  hasMemory(kind: MemoryName): boolean;
  /** Maximum time steps of all sequences together in a memory comparison, in `npm test` and in `npm run verify`. */
  most: { test: number; verify: number };
  /** Whether nearly all its kernels are also those of another way: then `npm test` compares only the models of every way. */
  few?: true;
}

const ANY = { takes: () => true, hasMemory: () => true, most: { test: 20_000, verify: 300_000 } };

/** The kernels with forced options. */
const gpu = (name: string, options: GpuOptions, more: Partial<Way> = {}): Way => ({
  ...ANY,
  ...more,
  name: `gpu, ${name}`,
  gpu: options,
  open: other => openGpuEngine({ ...options, ...other }),
});

/** Every other engine of this machine, with default options. A new engine in the table is compared automatically. */
const OTHERS: readonly Way[] = ENGINES.map(({ name }) => name)
  .filter(name => name !== 'gpu' && name !== REFERENCE)
  .map(name => ({ ...ANY, name, open: () => openEngine(name) }));

const lane = (size: number) => ({ form: 'lane', size, subgroups: false }) as const;
const block = (size: number, subgroups = false) => ({ form: 'block', size, subgroups }) as const;

/** With values hoisted out of the loop over time, the form would not be the written-out one. */
const writtenOut = ({ embedding, readout }: ModelSpec): boolean => embedding === 0 && readout === 0;

/** Ways of computing a whole model. */
export const MODEL_PROFILES: readonly Way[] = [
  gpu('fused, lane', { form: lane(4) }, { takes: writtenOut }),
  gpu('fused, block', { form: block(32) }),
  gpu('fused, block with subgroups', { form: block(64, true) }, { few: true }),
  gpu('stepwise, lane', { plan: 'stepwise', form: lane(8) }),
  gpu('stepwise, block', { plan: 'stepwise', form: block(32) }, { few: true }),
  ...OTHERS,
];

/**
 * The models that `npm test` compares in this way. Most of the time goes into compiling kernels, and models share nearly all of
 * them. So those in `everywhere` are compared in every way; each other model in one way of the kernels, in turn, and on every
 * other engine. `npm run verify` compares all models in all ways.
 */
export function modelsOf(
  way: Way,
  specs: Readonly<Record<string, ModelSpec>>,
  everywhere: readonly string[],
): string[] {
  const inTurn = MODEL_PROFILES.filter(({ gpu, few }) => gpu && !few);
  return Object.keys(specs).filter((name, k) => {
    if (!way.takes(specs[name])) return false;
    if (!way.gpu || everywhere.includes(name)) return true;
    const able = inTurn.filter(({ takes }) => takes(specs[name]));
    return able[k % able.length] === way;
  });
}

/** On software adapters, one workgroup per sequence costs 40 µs per step, up to 12 s per pass. */
const SLOW = { most: { test: 2_000, verify: 300_000 } };

/** The reference itself: for runs, resumption and recovery, which must be the same on every engine. */
export const ITSELF: Way = { ...ANY, name: REFERENCE, open: () => openEngine(REFERENCE) };

/** Ways of computing a memory by itself. */
export const MEMORY_PROFILES: readonly Way[] = [
  gpu('lane', { memory: lane(8) }),
  gpu('block', { memory: block(32) }, SLOW),
  gpu('block with subgroups', { memory: block(32, true) }, SLOW),
  gpu(
    'parallel over time',
    { memory: 'time' },
    // It is only for few, long sequences.
    { hasMemory: kind => kind === 'stack' || kind === 'queue', most: { test: 10_000, verify: 10_000 } },
  ),
  ...OTHERS,
];

/** Ways of training: those that have their own training kernels. */
export const TRAINING_PROFILES: readonly Way[] = [
  gpu('fused, lane', { form: lane(4) }),
  gpu('fused, block', { form: block(32) }),
  gpu('stepwise', { plan: 'stepwise' }),
  ...OTHERS,
];

/** The kernels as chosen for every kind of device. */
export const PROFILES: readonly Way[] = PROFILE_NAMES.map(profile => gpu(`as on: ${profile}`, { profile }));

/** Engines with default options: for tests that do not depend on the kernels. */
export const RUN_PROFILES: readonly Way[] = [gpu('as chosen', {}), ...OTHERS];

/** Describes tests for each profile, with its engine open while they run. */
export const describeEach = (
  profiles: readonly Way[],
  tests: (engine: () => Engine, profile: Way) => void,
): void =>
  describe.each(profiles)('$name', profile => {
    let engine: Engine | undefined;
    beforeAll(async () => {
      engine = await profile.open();
    });
    afterAll(() => engine?.destroy());
    tests(() => engine!, profile);
  });
