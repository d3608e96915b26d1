import { CompileTimeout, DeviceLost, firstLineOf, messageOf } from '../base/errors.ts';
import type { AdapterDescription, Engine } from '../engine/engine.ts';
import { gpuEngineOn } from '../engine/gpu.ts';
import { createReferenceEngine } from '../engine/reference.ts';
import { compileSecondsOn, withTimeout } from '../engine/with-timeout.ts';
import { type Gpu, requestDevice } from '../gpu/device.ts';
import type { ProfileName } from '../gpu/profile.ts';
import { openGpu } from '../kernels/open.ts';
import { type AdapterDetails, detailsOf } from '../platform/adapter.ts';
import type { Adapter } from '../platform/webgpu.ts';
import { type Check, checksOf, outcomeOf, type Subject } from './checks.ts';
import { TIMED, type Timing, timeCase } from './speeds.ts';

/** Examines WebGPU adapters and the CPU engine: do they agree with the float64 reference, and how fast are they? */

/** The checks of an adapter under one device profile, or of an engine without profiles. */
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
export interface DeviceReport {
  description: AdapterDescription;
  details?: AdapterDetails;
  profiles: ProfileReport[];
  speeds: Timing[];
}

/** Searches for an adapter. Called for every device, because an adapter gives only one. */
export type FindAdapter = () => Promise<{ adapter: Adapter; description: AdapterDescription }>;

export interface Limits {
  /**
   * Time limit for the checks of an adapter (divided evenly among its profiles), and the same again for its timings.
   * Opening devices is not included. A check that has begun is finished.
   */
  seconds: number;
  /** Called before each check and timing, with its name. */
  onProgress?(what: string): void;
  /**
   * Called with each report before its first check. Results are added as they arrive, so an interruption keeps them.
   */
  onReport?(report: DeviceReport): void;
}

/** Profiles to check, the adapter's own first. A GPU never uses the profile `software`. */
function profilesOf({ kind }: AdapterDescription, { features }: AdapterDetails): ProfileName[] {
  const onGpu: ProfileName[] = features.includes('subgroups') ? ['gpu with subgroups', 'gpu'] : ['gpu'];
  return kind === 'software' ? ['software', ...onGpu] : onGpu;
}

/**
 * Checks an adapter under every profile that it can run, then times it under its own.
 * @throws DeviceError if there is no adapter, or it gives no device
 */
export async function examineAdapter(find: FindAdapter, limits: Limits): Promise<DeviceReport> {
  const { adapter, description } = await find();
  const details = detailsOf(adapter);
  const report: DeviceReport = { description, details, profiles: [], speeds: [] };
  limits.onReport?.(report);
  const names = profilesOf(description, details);
  for (const profile of names) {
    const open = async (): Promise<{ subjects: Subject[]; close(): void }> => {
      const gpu = await gpuFrom(find, profile);
      const plans = ['fused', 'stepwise'] as const;
      const subjects = plans.map(plan => ({ plan, engine: gpuEngineOn(gpu, description, { plan }) }));
      return { subjects, close: () => gpu.end() };
    };
    await addChecks(report, profile, open, { ...limits, seconds: limits.seconds / names.length });
  }
  const engine = gpuEngineOn(await gpuFrom(find), description);
  await addTimings(report, engine, limits);
  engine.destroy();
  return report;
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
  return (await withTimeout(seconds, opening, () => new CompileTimeout(seconds))).gpu;
}

/** Checks and times an engine that needs no adapter, then destroys the engine. */
export async function examineEngine(engine: Engine, limits: Limits): Promise<DeviceReport> {
  const open = async () => ({ subjects: [{ plan: '', engine }], close: () => undefined });
  const report: DeviceReport = { description: engine.adapter, profiles: [], speeds: [] };
  limits.onReport?.(report);
  await addChecks(report, engine.name, open, limits);
  await addTimings(report, engine, limits);
  engine.destroy();
  return report;
}

/** Adds the checks under one profile to a report. */
async function addChecks(
  report: DeviceReport,
  profile: string,
  open: () => Promise<{ subjects: Subject[]; close(): void }>,
  { seconds, onProgress }: Limits,
): Promise<void> {
  const reference = createReferenceEngine();
  const results: ProfileReport = { profile, checks: [], notRun: [], seconds: 0 };
  report.profiles.push(results);
  try {
    const { subjects, close } = await open();
    // The first kernels of a device are compiled when it is opened, which may take longer than a check.
    const start = performance.now();
    const elapsed = (): number => (performance.now() - start) / 1000;
    try {
      for (const check of checksOf(subjects, reference)) {
        if (elapsed() > seconds) {
          results.notRun.push(check.name);
          continue;
        }
        onProgress?.(`${profile}: ${check.name}`);
        results.checks.push(await outcomeOf(check));
        results.seconds = elapsed();
      }
    } finally {
      close();
    }
  } catch (error) {
    results.problem =
      error instanceof DeviceLost ? `the device was lost: ${firstLineOf(error)}` : messageOf(error);
  }
  reference.destroy();
}

/** Adds the timings of an engine to a report. */
async function addTimings(
  { speeds }: DeviceReport,
  engine: Engine,
  { seconds, onProgress }: Limits,
): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  for (const timed of TIMED) {
    if (performance.now() > end) {
      speeds.push({ name: timed.name, problem: 'not timed: the time limit was reached' });
      continue;
    }
    onProgress?.(`timing: ${timed.name}`);
    try {
      speeds.push(await timeCase(engine, timed, seconds / (2 * TIMED.length)));
    } catch (error) {
      speeds.push({ name: timed.name, problem: firstLineOf(error) });
      break;
    }
  }
}

/** Whether everything that ran agrees with the reference, and no profile had a problem. */
export const isHealthy = ({ profiles }: DeviceReport): boolean =>
  profiles.every(({ checks, problem }) => !problem && checks.every(({ agrees }) => agrees));
