import { MOST_SECONDS } from '../../engine/in-time.ts';
import { PLANS } from '../../kernels/plan-names.ts';
import { type EngineOptions, MOST_THREADS, planName } from '../../platform/engines.ts';
import { ENGINE_NAMES, type EngineName, engineName } from '../../platform/names.ts';
import type { Option, Values } from './command.ts';
import { wholeNumber } from './number.ts';

const ENGINE_OPTION = {
  type: 'string',
  value: `<${ENGINE_NAMES.join('|')}>`,
  help: 'what computes (default auto: a GPU, else cpu: WebAssembly SIMD; gpu: WebGPU, in software too)',
} as const satisfies Option;
const PLAN_OPTION = {
  type: 'string',
  value: `<${PLANS.join('|')}>`,
  help: 'how the kernels of a model are laid out (default auto: by size; the same numbers)',
} as const satisfies Option;
const THREADS_OPTION = {
  type: 'string',
  value: '<n>',
  help: 'of engine cpu: threads that compute (default all cores; the same numbers)',
} as const satisfies Option;
const UNSAFE_OPTION = {
  type: 'boolean',
  help: 'of engine gpu in software: without bounds checks, two to three times as fast',
} as const satisfies Option;
const COMPILE_OPTION = {
  type: 'string',
  value: '<seconds>',
  help: 'of engine gpu: what kernels may take to compile (default 60, in software 180) before the next plan or engine is tried',
} as const satisfies Option;
/** Of every command that computes: see engineOf(). */
export const ENGINE_OPTIONS = {
  engine: ENGINE_OPTION,
  plan: PLAN_OPTION,
  threads: THREADS_OPTION,
  unsafe: UNSAFE_OPTION,
  'compile-seconds': COMPILE_OPTION,
};

/** An engine as openEngine() takes it. */
export interface EngineAsked {
  name: EngineName;
  options: EngineOptions;
}

/** The engine that is asked for. @throws InputError for an unknown name, or what is no number of threads */
export function engineOf(options: Partial<Values<typeof ENGINE_OPTIONS>>): EngineAsked {
  const { threads, unsafe, 'compile-seconds': seconds } = options;
  return {
    name: engineName(options.engine ?? 'auto'),
    options: {
      plan: planName(options.plan ?? 'auto'),
      ...(threads !== undefined && { threads: wholeNumber('--threads', threads, 1, MOST_THREADS) }),
      ...(unsafe && { unsafe }),
      ...(seconds !== undefined && {
        compileSeconds: wholeNumber('--compile-seconds', seconds, 1, MOST_SECONDS),
      }),
    },
  };
}
