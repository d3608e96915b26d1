/** Runs cases one after the other and collects their results. This file needs neither Node nor a browser. */
import { firstLineOf, InputError } from '../src/base/errors.ts';
import type { AdapterDescription, Engine } from '../src/engine/engine.ts';
import { createGpuEngine } from '../src/engine/gpu.ts';
import { requestDevice } from '../src/gpu/device.ts';
import { openGpu } from '../src/kernels/open.ts';
import { isFallback } from '../src/platform/adapter.ts';
import { addShares, type Bench, type Case, type Result } from './cases/case.ts';
import { within } from './cases/growth.ts';
import type { Peer } from './peers/peer.ts';
import { Clock } from './work.ts';

/** The adapter that a suite runs on. */
export interface Found {
  adapter: GPUAdapter;
  description: AdapterDescription;
}

/** A peer that is not available, and the reason. */
export interface Missing {
  name: string;
  reason: string;
}

export interface SuiteOptions {
  cases: readonly Case[];
  samples: number;
  peers: readonly Peer[];
  missing: readonly Missing[];
  /** Absent: the WebGPU engine on the adapter of find(). */
  engine?: Engine;
  /** A description of the machine, from Node or the browser. */
  machine: object;
  /** Finds the adapter. Called again after a failed case, because the next case gets a new device. */
  find(): Promise<Found>;
  /** Reports the case, the current activity and the number of finished cases: `[3/20] memory: … – sampling`. */
  onProgress?(name: string, doing: string, done: number): void;
  onResult?(result: Result, suite: Suite): void;
}

/** The results of a run, as written to disk. */
export interface Suite {
  benchmark: 'suite';
  date: string;
  adapter: AdapterDescription & { fallback: boolean; timestamps: boolean; info: Record<string, string> };
  machine: object;
  samples: number;
  peers: { name: string; version: string; device: string }[];
  missing: readonly Missing[];
  /** The peak of this adapter in a plain copy, in GB/s, and a plain matrix product, in GFLOP/s. */
  peak: Bench['peak'];
  /** Total time in seconds. */
  took: number;
  cases: Result[];
}

/**
 * Runs the cases in order. A case that fails does not end the suite:
 * its result gives the reason, and the next case gets a new device.
 */
export async function runSuite(options: SuiteOptions): Promise<Suite> {
  const { cases, peers, missing, machine, samples } = options;
  const start = performance.now();
  let bench = await openBench(options);
  const suite: Suite = {
    benchmark: 'suite',
    date: new Date().toISOString(),
    adapter: bench.suiteAdapter,
    machine,
    samples,
    peers: peers.map(({ name, version, device }) => ({ name, version, device })),
    missing,
    peak: bench.peak,
    took: 0,
    cases: [],
  };
  for (const suiteCase of cases) {
    bench.say = doing => options.onProgress?.(suiteCase.name, doing, suite.cases.length);
    const result = await resultOf(suiteCase, bench);
    suite.cases.push(result);
    for (const outcome of suite.cases) addShares(outcome, bench.peak);
    suite.took = (performance.now() - start) / 1000;
    options.onResult?.(result, suite);
    if (result.failed === undefined || suite.cases.length === cases.length) continue;
    bench.engine.destroy();
    const { peak } = bench;
    bench = { ...(await openBench(options)), peak };
  }
  bench.engine.destroy();
  return suite;
}

/** Opens a device and an engine for cases to run on. */
export async function openBench({
  find,
  samples,
  peers,
  engine,
}: Pick<SuiteOptions, 'find' | 'samples' | 'peers' | 'engine'>): Promise<
  Bench & { suiteAdapter: Suite['adapter'] }
> {
  const { adapter, description } = await find();
  const device = await requestDevice(adapter);
  const { gpu } = await openGpu(device, description.kind);
  const clock = engine ? undefined : Clock.of(gpu);
  const { vendor, architecture, device: model, description: text } = adapter.info;
  return {
    gpu,
    engine: engine ?? (await createGpuEngine(device, description)),
    adapter: engine?.adapter ?? description,
    ...(clock && { clock }),
    samples,
    peers,
    peak: {},
    say: () => undefined,
    suiteAdapter: engine
      ? { ...engine.adapter, fallback: false, timestamps: false, info: {} }
      : {
          ...description,
          fallback: isFallback(adapter),
          timestamps: clock !== undefined,
          info: { vendor, architecture, device: model, description: text },
        },
  };
}

async function resultOf(suiteCase: Case, bench: Bench): Promise<Result> {
  const { name } = suiteCase;
  try {
    bench.say('opening');
    const outcome = await suiteCase.run(bench);
    bench.gpu.check();
    return { name, ...outcome };
  } catch (error) {
    const reason = firstLineOf(error);
    return error instanceof InputError ? { name, skipped: reason } : { name, failed: reason };
  }
}

/** The reasons for exit code 1: cases that failed, peers that disagree, growth above its limit. */
export function failuresOf({ cases }: Pick<Suite, 'cases'>): string[] {
  return cases.flatMap(({ name, failed, growth, peers = [] }) => [
    ...(failed === undefined ? [] : [`${name} failed: ${failed}`]),
    ...(growth && !within(growth)
      ? [
          `${name} grows too fast: time like T^${growth.exponent.toFixed(2)}, bytes like ` +
            `T^${growth.bytesExponent.toFixed(2)}; at most T^${growth.limit} is allowed. If the machine was busy, try again.`,
        ]
      : []),
    ...peers.flatMap(peer =>
      peer.none?.startsWith('wrong') ? [`${name}: ${peer.name} is ${peer.none}`] : [],
    ),
  ]);
}
