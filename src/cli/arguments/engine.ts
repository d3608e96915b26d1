import { MAX_SECONDS } from '../../engine/with-timeout.ts';
import { PLANS } from '../../kernels/plan-names.ts';
import { type EngineOptions, MAX_THREADS, planName } from '../../platform/engines.ts';
import { ENGINE_NAMES, type EngineName, engineName } from '../../platform/names.ts';
import type { Option, Values } from './command.ts';
import { wholeNumber } from './number.ts';

const ENGINE_OPTION = {
  type: 'string',
  value: `<${ENGINE_NAMES.join('|')}>`,
  help: 'what computes: gpu (WebGPU, also in software), cpu (WebAssembly SIMD), reference (float64, slow); auto (default): a GPU, else cpu',
} as const satisfies Option;
const PLAN_OPTION = {
  type: 'string',
  value: `<${PLANS.join('|')}>`,
  help: 'for engine gpu. fused: all time steps in one dispatch per pass; stepwise: a few dispatches per time step (default auto: by device and model size; results are equal up to rounding)',
} as const satisfies Option;
const THREADS_OPTION = {
  type: 'string',
  value: '<n>',
  help: 'threads of engine cpu (default: all cores; results are the same)',
} as const satisfies Option;
const UNSAFE_OPTION = {
  type: 'boolean',
  help: 'engine gpu on a software adapter: no bounds checks, up to 1.8 times as fast',
} as const satisfies Option;
const COMPILE_OPTION = {
  type: 'string',
  value: '<seconds>',
  help: 'engine gpu: time limit for compiling the kernels (default 60, in software 180); then, with auto, the next plan or engine is tried',
} as const satisfies Option;
/** Options of every command that computes: see engineOf(). */
export const ENGINE_OPTIONS = {
  engine: ENGINE_OPTION,
  plan: PLAN_OPTION,
  threads: THREADS_OPTION,
  unsafe: UNSAFE_OPTION,
  'compile-seconds': COMPILE_OPTION,
};

/** The engine that the options request: parameters of openEngine(). */
export interface EngineRequest {
  name: EngineName;
  options: EngineOptions;
}

/** Reads the engine options. @throws InputError for an unknown name, or a number out of range */
export function engineOf(options: Partial<Values<typeof ENGINE_OPTIONS>>): EngineRequest {
  const { threads, unsafe, 'compile-seconds': seconds } = options;
  return {
    name: engineName(options.engine ?? 'auto'),
    options: {
      plan: planName(options.plan ?? 'auto'),
      ...(threads !== undefined && { threads: wholeNumber('--threads', threads, 1, MAX_THREADS) }),
      ...(unsafe && { unsafe }),
      ...(seconds !== undefined && {
        compileSeconds: wholeNumber('--compile-seconds', seconds, 1, MAX_SECONDS),
      }),
    },
  };
}
