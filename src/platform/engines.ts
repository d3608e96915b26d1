import {
  CompileTimeout,
  DeviceError,
  firstLineOf,
  InputError,
  messageOf,
  sentence,
  show,
  unknown,
} from '../base/errors.ts';
import type { Threads } from '../engine/cpu.ts';
import type { Engine } from '../engine/engine.ts';
import { checkCompileSeconds } from '../engine/with-timeout.ts';
import { PLANS, type PlanName } from '../kernels/plan-names.ts';
import { type ConcreteName, ENGINES, type EngineName, engineName } from './names.ts';

/** No suitable adapter was found. A separate class, because the advice differs from that for a device that failed. */
export class NoAdapter extends DeviceError {}

/** The parts of opening an engine that depend on the platform. */
export interface Platform {
  /**
   * Opens the gpu engine on the best WebGPU device of this platform.
   * @param software whether a software adapter is acceptable if there is no GPU
   * @param unsafe, compileSeconds as in EngineOptions
   * @throws NoAdapter if there is none @throws DeviceError if it cannot be used; both give the reason in their first
   * line
   */
  openGpu(
    plan: PlanName,
    software: boolean,
    unsafe: boolean,
    compileSeconds: number | undefined,
  ): Promise<Engine>;
  /** Advice for users without an adapter, in a sentence or two; '' if the caller gives the advice. */
  readonly advice: string;
  /** Threads for the engine `cpu`. */
  readonly threads: () => Threads;
}

/**
 * Opens each engine.
 * @param reason why it was chosen, for `engine.adapter`; '' for the first engine that `auto` tries
 */
const OPEN: Record<
  ConcreteName,
  (platform: Platform, options: EngineOptions, reason: string) => Promise<Engine>
> = {
  gpu: (platform, { plan = 'auto', unsafe = false, compileSeconds }, reason) =>
    // Reason '': `auto` tries this engine first, and then only on a real GPU.
    platform.openGpu(plan, reason !== '', unsafe, compileSeconds),
  cpu: async (platform, { threads }, reason) =>
    (await import('../engine/cpu.ts')).createCpuEngine(reason, platform.threads(), threads),
  reference: async (_platform, _options, reason) =>
    (await import('../engine/reference.ts')).createReferenceEngine(reason),
};

/** Checks the name of a plan. @throws InputError for an unknown name */
export function planName(text: string): PlanName {
  return PLANS.find(plan => plan === text) ?? unknown('plan', text, PLANS);
}

/** Maximum number of threads that a user may request. */
export const MAX_THREADS = 256;

/** @throws InputError unless `threads` is an integer from 1 to MAX_THREADS, or absent */
function checkThreads(threads: unknown): void {
  if (threads === undefined) return;
  if (Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= MAX_THREADS) return;
  throw new InputError(`threads must be a whole number from 1 to ${MAX_THREADS}, got ${show(threads)}.`);
}

/** Options for opening an engine. */
export interface EngineOptions {
  /**
   * How the kernels compute a model; the results are the same up to rounding. `auto`: by the kind of device and the
   * size of the model. `gpu` only.
   */
  plan?: PlanName;
  /** Maximum number of threads that compute, including the calling thread (default: all cores). `cpu` only. */
  threads?: number;
  /**
   * Lets a software adapter in Node skip its bounds checks, which take up to half of its time. A wrong index in a
   * kernel would then write to the memory of the process. `gpu` only.
   */
  unsafe?: boolean;
  /**
   * Limit for compiling the kernels of a model and running them once, in seconds (default: 60 on a GPU, 180 on
   * a software adapter). If it is exceeded with plan `auto`, a plan with smaller kernels is tried; then, with engine
   * `auto`, the next engine. `gpu` only.
   */
  compileSeconds?: number;
}

/** The functions that open engines on a platform. */
export interface Opening<Options extends EngineOptions> {
  /**
   * Opens an engine. `auto` tries WebGPU on a GPU, then WebAssembly SIMD, then the float64 reference. `engine.adapter`
   * says which one was opened and why. In Node the engine keeps the process alive until it is destroyed.
   * @throws InputError for an unknown name or an invalid option
   * @throws DeviceError if the requested engine is not available
   */
  openEngine(name?: EngineName, options?: Options): Promise<Engine>;
  /**
   * Opens an engine, runs `work` on it, and returns the engine and the result. With `auto`, it tries the next engine if
   * one cannot be opened, or if `work` throws anything but an InputError (for example because the device's compiler
   * rejects a kernel or takes too long). A Trainer started in `work` may since have moved to another engine: use the
   * Trainer's own `engine`.
   * @throws InputError for an unknown name or an invalid option, or from `work`
   * @throws DeviceError if no engine can be opened, or the error of `work` on the last engine
   */
  openEngineWith<T>(
    name: EngineName,
    options: Options,
    work: (engine: Engine) => Promise<T>,
  ): Promise<{ engine: Engine; result: T }>;
  /**
   * For a Trainer's `reopen`: opens another engine of the same kind as the lost one, because other kinds round
   * differently.
   */
  reopening(options?: Options): (lost: Engine) => Promise<Engine>;
}

/** @param platformOf returns the platform for the given options */
export function openingOn<Options extends EngineOptions>(
  platformOf: (options: Options) => Platform,
): Opening<Options> {
  const none = {} as Options;
  const opening: Opening<Options> = {
    openEngine: async (name = 'auto', options = none) =>
      (await openWith(platformOf(options), name, options, async () => undefined)).engine,
    openEngineWith: (name, options, work) => openWith(platformOf(options), name, options, work),
    reopening:
      (options = none) =>
      ({ name, plan = options.plan }) =>
        opening.openEngine(engineName(name), { ...options, plan }),
  };
  return opening;
}

/** An engine to try, with its options. */
interface Attempt {
  name: ConcreteName;
  options: EngineOptions;
  /** The error that made these options necessary. */
  because?: string;
}

async function openWith<T>(
  platform: Platform,
  name: string,
  options: EngineOptions,
  work: (engine: Engine) => Promise<T>,
): Promise<{ engine: Engine; result: T }> {
  const requested = engineName(name);
  planName(options.plan ?? 'auto');
  checkThreads(options.threads);
  checkCompileSeconds(options.compileSeconds);
  const attempts: Attempt[] = (requested === 'auto' ? ENGINES.map(({ name }) => name) : [requested]).map(
    name => ({
      name,
      options,
    }),
  );
  let reason = requested === 'auto' ? '' : 'requested';
  for (let attempt = attempts.shift(); attempt; attempt = attempts.shift()) {
    const { name, options, because } = attempt;
    let engine: Engine | undefined;
    try {
      engine = await OPEN[name](platform, options, reason);
      if (because) engine.adapter.reason += `; plan ${options.plan}, because ${because}`;
      return { engine, result: await work(engine) };
    } catch (error) {
      engine?.destroy();
      if (error instanceof InputError) throw error;
      const { plan = 'auto' } = options;
      if (error instanceof CompileTimeout && error.next && plan === 'auto') {
        attempts.unshift({
          name,
          options: { ...options, plan: error.next },
          because: firstLineOf(error),
        });
        continue;
      }
      // A browser that is still compiling may have no second device, so report why a second one was requested.
      const before = because ? `${because}; then with plan ${options.plan}: ` : '';
      if (attempts.length === 0) {
        if (before) throw new DeviceError(`${before}${messageOf(error)}`);
        if (!(error instanceof NoAdapter) || requested === 'auto') throw error;
        throw new DeviceError(`${sentence(error.message)} ${platform.advice}`.trim());
      }
      reason = `${before}${engine ? `${engine.adapter.name} failed: ` : ''}${firstLineOf(error)}`;
    }
  }
  throw new Error('no engine was tried: this is a bug.');
}
