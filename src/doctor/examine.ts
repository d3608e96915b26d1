import { CompileTimeout, DeviceLost, firstLineOf, messageOf } from '../base/errors.ts';
import type { AdapterDescription, Engine } from '../engine/engine.ts';
import { gpuEngineOn } from '../engine/gpu.ts';
import { compileSecondsOn, inTime } from '../engine/in-time.ts';
import { createReferenceEngine } from '../engine/reference.ts';
import { type Gpu, requestDevice } from '../gpu/device.ts';
import type { ProfileName } from '../gpu/profile.ts';
import { openGpu } from '../kernels/open.ts';
import { type AdapterDetails, detailsOf } from '../platform/adapter.ts';
import type { Adapter } from '../platform/webgpu.ts';
import { type Check, checksOf, outcomeOf, type Subject } from './checks.ts';
import { type Speed, speedOf, TIMED } from './speeds.ts';

/** Examines WebGPU adapters and the CPU engine: do they agree with the float64 reference, and how fast are they? */

/** The checks of one group of kernels. */
export interface ProfileReport {
  /** A device profile, or the name of an engine without profiles. */
  profile: string;
  checks: Check[];
  /** Names of the checks that were not run because time ran out. */
  notRun: string[];
  seconds: number;
  /** What ended the checks early, or kept them from starting. */
  problem?: string;
}

/** All results of an adapter, or of an engine without one. */
export interface SubjectReport {
  description: AdapterDescription;
  details?: AdapterDetails;
  profiles: ProfileReport[];
  speeds: Speed[];
}

/** Searches for an adapter. Called for every device, because an adapter gives only one. */
export type FindAdapter = () => Promise<{ adapter: Adapter; description: AdapterDescription }>;

export interface Limits {
  /** Seconds for all checks of an adapter, and as many again for its timings. A check that has begun is finished. */
  seconds: number;
  /** Called with what is done next. */
  onProgress?(what: string): void;
}

/** Profiles to check, that of the adapter first. */
function profilesOf({ kind }: AdapterDescription, { features }: AdapterDetails): ProfileName[] {
  const onGpu: ProfileName[] = features.includes('subgroups') ? ['gpu with subgroups', 'gpu'] : ['gpu'];
  return kind === 'software' ? ['software', ...onGpu] : [...onGpu, 'software'];
}

/**
 * Checks an adapter under every profile that it can run, then times it under its own.
 * @throws DeviceError if the adapter gives no device
 */
export async function examineAdapter(find: FindAdapter, limits: Limits): Promise<SubjectReport> {
  const { adapter, description } = await find();
  const details = detailsOf(adapter);
  const profiles: ProfileReport[] = [];
  const names = profilesOf(description, details);
  for (const profile of names) {
    const open = async (): Promise<{ subjects: Subject[]; close(): void }> => {
      const gpu = await gpuFrom(find, profile);
      const plans = ['fused', 'stepwise'] as const;
      const subjects = plans.map(plan => ({ plan, engine: gpuEngineOn(gpu, description, { plan }) }));
      return { subjects, close: () => gpu.end() };
    };
    profiles.push(await checksIn(profile, open, { ...limits, seconds: limits.seconds / names.length }));
  }
  const engine = gpuEngineOn(await gpuFrom(find), description);
  const speeds = await speedsOf(engine, limits);
  engine.destroy();
  return { description, details, profiles, speeds };
}

/** Opens a new device. @throws CompileTimeout if it does not compile its first kernels in time */
async function gpuFrom(find: FindAdapter, profile?: ProfileName): Promise<Gpu> {
  const { adapter, description } = await find();
  const seconds = compileSecondsOn(description.kind);
  const opening = openGpu(
    await requestDevice(adapter as Parameters<typeof requestDevice>[0]),
    description.kind,
    profile,
  );
  return (await inTime(seconds, opening, () => new CompileTimeout(seconds))).gpu;
}

/** Checks and times an engine that needs no adapter, and destroys it. */
export async function examineEngine(engine: Engine, limits: Limits): Promise<SubjectReport> {
  const open = async () => ({ subjects: [{ plan: '', engine }], close: () => undefined });
  const profiles = [await checksIn(engine.name, open, limits)];
  const speeds = await speedsOf(engine, limits);
  engine.destroy();
  return { description: engine.adapter, profiles, speeds };
}

async function checksIn(
  profile: string,
  open: () => Promise<{ subjects: Subject[]; close(): void }>,
  { seconds, onProgress }: Limits,
): Promise<ProfileReport> {
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const reference = createReferenceEngine();
  const checks: Check[] = [];
  const notRun: string[] = [];
  let problem: string | undefined;
  try {
    const { subjects, close } = await open();
    try {
      for (const check of checksOf(subjects, reference)) {
        if (elapsed() > seconds) {
          notRun.push(check.name);
          continue;
        }
        onProgress?.(`${profile}: ${check.name}`);
        checks.push(await outcomeOf(check));
      }
    } finally {
      close();
    }
  } catch (error) {
    problem = error instanceof DeviceLost ? `the device was lost: ${firstLineOf(error)}` : messageOf(error);
  }
  reference.destroy();
  return { profile, checks, notRun, seconds: elapsed(), ...(problem && { problem }) };
}

async function speedsOf(engine: Engine, { seconds, onProgress }: Limits): Promise<Speed[]> {
  const speeds: Speed[] = [];
  const end = performance.now() + 1000 * seconds;
  for (const timed of TIMED) {
    if (performance.now() > end) {
      speeds.push({ name: timed.name, problem: 'not timed: the time limit was reached' });
      continue;
    }
    onProgress?.(`timing: ${timed.name}`);
    try {
      speeds.push(await speedOf(engine, timed, seconds / (2 * TIMED.length)));
    } catch (error) {
      speeds.push({ name: timed.name, problem: firstLineOf(error) });
      break;
    }
  }
  return speeds;
}

/** Whether everything that ran agrees with the reference. */
export const isHealthy = ({ profiles }: SubjectReport): boolean =>
  profiles.every(({ checks, problem }) => !problem && checks.every(({ agrees }) => agrees));
