import { afterAll, beforeAll, describe } from 'vitest';
import type { MemoryName } from '../../src/base/memories.ts';
import type { ModelSpec } from '../../src/base/parameters.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { GpuOptions } from '../../src/engine/gpu.ts';
import { PROFILE_NAMES } from '../../src/gpu/profile.ts';
import { ENGINES, REFERENCE } from '../../src/platform/names.ts';
import { openEngine } from '../../src/platform/node/engine.ts';
import { openGpuEngine, PROFILE } from './device.ts';

/**
 * An engine under test, with one choice of kernels. Each kind of test runs once for each variant of a list below.
 */
export interface EngineVariant {
  name: string;
  /** Forced options of the GPU engine. Absent for other engines. */
  gpu?: GpuOptions;
  /** Opens the engine on its own device. */
  open(options?: GpuOptions): Promise<Engine>;
  /** Whether it can compute a model of these sizes. */
  supports(spec: ModelSpec): boolean;
  /** Whether it implements memories of this kind. */
  hasMemory(kind: MemoryName): boolean;
  /** Maximum of B·T in a comparison of memories, in `npm test` and in `npm run verify`. */
  maxSteps: { test: number; verify: number };
  /** Whether it shares nearly all code with another variant: then `npm test` compares only a few models or sizes. */
  few?: true;
}

/**
 * Whether all combinations are compared, as in the projects "parity as on …" of `npm run verify`. `npm test` compares a
 * part of them, because most of its time goes into compiling kernels, and variants share nearly all of their code.
 */
const COMPARE_ALL = PROFILE !== undefined;

/** The items that variant `place` of `count` compares: in `npm test` every `count`-th, in `npm run verify` all. */
export const inTurn = <T>(items: readonly T[], place: number, count: number): readonly T[] =>
  items.filter((_, k) => COMPARE_ALL || k % count === place % count);

/** Whether this variant is compared on a few models or sizes only. */
export const isReduced = ({ few }: EngineVariant): boolean => !COMPARE_ALL && few === true;

const DEFAULTS = { supports: () => true, hasMemory: () => true, maxSteps: { test: 20_000, verify: 300_000 } };

/** The GPU engine with forced options. */
const gpu = (name: string, options: GpuOptions, more: Partial<EngineVariant> = {}): EngineVariant => ({
  ...DEFAULTS,
  ...more,
  name: `gpu, ${name}`,
  gpu: options,
  open: other => openGpuEngine({ ...options, ...other }),
});

/**
 * Every other engine of this machine, with default options. An engine added to the table of engines is compared too.
 */
const OTHER_ENGINES: readonly EngineVariant[] = ENGINES.map(({ name }) => name)
  .filter(name => name !== 'gpu' && name !== REFERENCE)
  .map(name => ({ ...DEFAULTS, name, open: () => openEngine(name) }));

const lane = (size: number) => ({ form: 'lane', size, subgroups: false }) as const;
const block = (size: number, subgroups = false) => ({ form: 'block', size, subgroups }) as const;

/** The lane form of the fused plan has no kernels for an embedding or a readout. */
const fitsLane = ({ embedding, readout }: ModelSpec): boolean => embedding === 0 && readout === 0;

/** Variants that compute a whole model. */
export const MODEL_VARIANTS: readonly EngineVariant[] = [
  gpu('fused, lane', { form: lane(4) }, { supports: fitsLane }),
  gpu('fused, block', { form: block(32) }),
  gpu('fused, block with subgroups', { form: block(64, true) }, { few: true }),
  gpu('stepwise, lane', { plan: 'stepwise', form: lane(8) }),
  gpu('stepwise, block', { plan: 'stepwise', form: block(32) }, { few: true }),
  ...OTHER_ENGINES,
];

/**
 * The models that `npm test` compares on this variant: those in `everywhere`; each other model on one GPU variant, in
 * turn, and on all engines except gpu. test/verify/model.test.ts compares all models on all variants.
 */
export function modelsOf(
  variant: EngineVariant,
  specs: Readonly<Record<string, ModelSpec>>,
  everywhere: readonly string[],
): string[] {
  const alternating = MODEL_VARIANTS.filter(({ gpu, few }) => gpu && !few);
  return Object.keys(specs).filter((name, k) => {
    if (!variant.supports(specs[name])) return false;
    if (!variant.gpu || everywhere.includes(name)) return true;
    const able = alternating.filter(({ supports }) => supports(specs[name]));
    return able[k % able.length] === variant;
  });
}

/** On software adapters, one workgroup per sequence costs 40 µs per step: 0.4 s for a pass of 10,000. */
const FEW_STEPS = { maxSteps: { test: 800, verify: 10_000 } };

/** The reference itself: for tests of runs, resumption and recovery, which must work alike on every engine. */
export const REFERENCE_VARIANT: EngineVariant = {
  ...DEFAULTS,
  name: REFERENCE,
  open: () => openEngine(REFERENCE),
};

/** Variants that compute a memory by itself. */
export const MEMORY_VARIANTS: readonly EngineVariant[] = [
  gpu('lane', { memory: lane(8) }),
  gpu('block', { memory: block(32) }, FEW_STEPS),
  gpu('block with subgroups', { memory: block(32, true) }, { ...FEW_STEPS, few: true }),
  gpu(
    'parallel over time',
    { memory: 'time' },
    // Only stacks and queues have these kernels.
    { hasMemory: kind => kind === 'stack' || kind === 'queue', maxSteps: { test: 10_000, verify: 10_000 } },
  ),
  ...OTHER_ENGINES,
];

/** The variants that have their own training kernels. */
export const TRAINING_VARIANTS: readonly EngineVariant[] = [
  gpu('fused, lane', { form: lane(4) }),
  gpu('fused, block', { form: block(32) }),
  gpu('stepwise', { plan: 'stepwise' }),
  ...OTHER_ENGINES,
];

/** The GPU engine with the kernels chosen for each kind of device. */
export const PROFILE_VARIANTS: readonly EngineVariant[] = PROFILE_NAMES.map(profile =>
  gpu(`as on: ${profile}`, { profile }),
);

/** Engines with default options: for tests that do not depend on the kernels. */
export const RUN_VARIANTS: readonly EngineVariant[] = [gpu('as chosen', {}), ...OTHER_ENGINES];

/** Defines tests for each variant, with its engine open while they run. */
export const describeEach = (
  variants: readonly EngineVariant[],
  tests: (engine: () => Engine, variant: EngineVariant) => void,
): void =>
  describe.each(variants)('$name', variant => {
    let engine: Engine | undefined;
    beforeAll(async () => {
      engine = await variant.open();
    });
    afterAll(() => engine?.destroy());
    tests(() => engine!, variant);
  });
