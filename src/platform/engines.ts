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
import { checkCompileSeconds } from '../engine/in-time.ts';
import { PLANS, type PlanName } from '../kernels/plan-names.ts';
import { ENGINES, type EngineName, engineName, type OwnName } from './names.ts';

/** There is no adapter at all: what to do about that is another question than why a device failed. */
export class NoAdapter extends DeviceError {}

/** What only a platform knows: how WebGPU is had here. */
export interface Platform {
  /**
   * The engine on the best WebGPU device of this platform: a GPU, else, where it is asked for by name, a software adapter.
   * @param unsafe, compileSeconds as in EngineOptions
   * @throws NoAdapter where there is none; DeviceError where it cannot be used; both with the reason in their first line
   */
  openGpu(
    plan: PlanName,
    software: boolean,
    unsafe: boolean,
    compileSeconds: number | undefined,
  ): Promise<Engine>;
  /** What to do where there is none, in a sentence or two; '' where that is for the caller to say. */
  readonly advice: string;
  /** Threads for the engine on the CPU. */
  readonly threads: () => Threads;
}

/** How each engine is opened. @param reason why it was taken, for `engine.adapter`; '' for the first that auto tries */
const OPEN: Record<OwnName, (platform: Platform, options: EngineOptions, reason: string) => Promise<Engine>> =
  {
    gpu: (platform, { plan = 'auto', unsafe = false, compileSeconds }, reason) =>
      platform.openGpu(plan, reason !== '', unsafe, compileSeconds),
    cpu: async (platform, { threads }, reason) =>
      (await import('../engine/cpu.ts')).createCpuEngine(reason, platform.threads(), threads),
    reference: async (_platform, _options, reason) =>
      (await import('../engine/reference.ts')).createReferenceEngine(reason),
  };

/** @throws InputError for an unknown name */
export function planName(text: string): PlanName {
  return PLANS.find(plan => plan === text) ?? unknown('plan', text, PLANS);
}

export const MOST_THREADS = 256;

/** @throws InputError unless it is a number of threads, or absent */
function checkThreads(threads: unknown): void {
  if (threads === undefined) return;
  if (Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= MOST_THREADS) return;
  throw new InputError(`threads must be a whole number from 1 to ${MOST_THREADS}, got ${show(threads)}.`);
}

export interface EngineOptions {
  /** How the kernels lay out a model, the same numbers either way; `auto`: by size and measurement. `gpu` only. */
  plan?: PlanName;
  /** Threads that compute at most, the calling one included; all cores by default. `cpu` only. */
  threads?: number;
  /**
   * A software adapter in Node leaves out its bounds checks, which take up to two thirds of its time: a wrong index of a kernel
   * would then write to the memory of the process. `gpu` only.
   */
  unsafe?: boolean;
  /**
   * What the kernels of a model may take to be compiled and run once, in seconds; by default 60, and 180 in software. After
   * that the next plan is tried, where none is asked for, and with `auto` the next engine. `gpu` only.
   */
  compileSeconds?: number;
}

/** How engines are opened on a platform. */
export interface Opening<Options extends EngineOptions> {
  /**
   * Opens an engine: WebGPU on a GPU, else WebAssembly SIMD, else the paper in float64. `engine.adapter` says which it became
   * and why. In Node the engine keeps the process alive until it is destroyed.
   * @throws InputError for an unknown name; DeviceError where the engine that is asked for cannot be had
   */
  openEngine(name?: EngineName, options?: Options): Promise<Engine>;
  /**
   * Opens an engine, and begins `work` on it. With `auto`, an engine that cannot be opened, or whose device fails at the work
   * (its compiler refuses a kernel, or does not get it compiled in time), is passed over for the next one. A Trainer that is started in the work may have
   * moved on to another engine since: its own `engine` is the living one.
   * @throws InputError for an unknown name, or from the work; DeviceError where no engine is left
   */
  openEngineWith<T>(
    name: EngineName,
    options: Options,
    work: (engine: Engine) => Promise<T>,
  ): Promise<{ engine: Engine; made: T }>;
  /** For a Trainer's `reopen`: opens another engine of the same kind as the lost one, because other kinds round differently. */
  reopening(options?: Options): (lost: Engine) => Promise<Engine>;
}

/** @param platformOf the platform, where these options are given */
export function openingOn<Options extends EngineOptions>(
  platformOf: (options: Options) => Platform,
): Opening<Options> {
  const none = {} as Options;
  const calls: Opening<Options> = {
    openEngine: async (name = 'auto', options = none) =>
      (await openWith(platformOf(options), name, options, async () => undefined)).engine,
    openEngineWith: (name, options, work) => openWith(platformOf(options), name, options, work),
    reopening:
      (options = none) =>
      ({ name, plan = options.plan }) =>
        calls.openEngine(engineName(name), { ...options, plan }),
  };
  return calls;
}

/** An engine to be tried. */
interface Attempt {
  name: OwnName;
  options: EngineOptions;
  /** Why it is tried with these options: what went wrong without them. */
  because?: string;
}

async function openWith<T>(
  platform: Platform,
  name: string,
  options: EngineOptions,
  work: (engine: Engine) => Promise<T>,
): Promise<{ engine: Engine; made: T }> {
  const asked = engineName(name);
  planName(options.plan ?? 'auto');
  checkThreads(options.threads);
  checkCompileSeconds(options.compileSeconds);
  const left: Attempt[] = (asked === 'auto' ? ENGINES.map(({ name }) => name) : [asked]).map(name => ({
    name,
    options,
  }));
  let reason = asked === 'auto' ? '' : 'asked for';
  for (let attempt = left.shift(); attempt; attempt = left.shift()) {
    const { name, options, because } = attempt;
    let engine: Engine | undefined;
    try {
      engine = await OPEN[name](platform, options, reason);
      if (because) engine.adapter.reason += `; plan ${options.plan}, because ${because}`;
      return { engine, made: await work(engine) };
    } catch (error) {
      engine?.destroy();
      if (error instanceof InputError) throw error;
      const { plan = 'auto' } = options;
      if (error instanceof CompileTimeout && error.next && plan === 'auto') {
        left.unshift({
          name,
          options: { ...options, plan: error.next },
          because: firstLineOf(error),
        });
        continue;
      }
      // A browser that is still compiling may have no second device: what matters is why it was asked for one.
      const before = because ? `${because}; then with plan ${options.plan}: ` : '';
      if (left.length === 0) {
        if (before) throw new DeviceError(`${before}${messageOf(error)}`);
        if (!(error instanceof NoAdapter) || asked === 'auto') throw error;
        throw new DeviceError(`${sentence(error.message)} ${platform.advice}`.trim());
      }
      reason = `${before}${engine ? `${engine.adapter.name} failed: ` : ''}${firstLineOf(error)}`;
    }
  }
  throw new Error('there is no engine.');
}
