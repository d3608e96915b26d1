/** A case of the suite, and its result. */
import { InputError } from '../../src/base/errors.ts';
import type { AdapterDescription, Engine } from '../../src/engine/engine.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { Spread } from '../measure.ts';
import type { Peer, PeerRun } from '../peers/peer.ts';
import type { Clock, Timing, Workload } from '../work.ts';

/** What cases run on. */
export interface Bench {
  gpu: Gpu;
  /** An engine on the same device. */
  engine: Engine;
  adapter: AdapterDescription;
  clock?: Clock;
  /** Samples per case, unless one sample takes too long. */
  samples: number;
  peers: readonly Peer[];
  /** The peak performance measured on this adapter so far: GB/s of a copy, GFLOP/s of a matrix product. */
  peak: { copy?: number; matmul?: number };
  /** Shows the current activity. */
  say(what: string): void;
}

export interface Case {
  /** The name that `--only` searches and that identifies results: `memory: stack B=128 T=1024 M=32, near 1`. */
  name: string;
  /** Run only with `--full`. */
  full?: boolean;
  /** @throws InputError if the case does not fit on this device */
  run(bench: Bench): Promise<Outcome>;
}

/** The minimum work of a pass, computed from its sizes. */
export interface Floor {
  flops: number;
  bytes: number;
}

/**
 * The rate of a pass: its minimum work over its time, also as a share of the adapter's peak copy and matrix product.
 */
export interface Rate {
  gflops: number;
  gbs: number;
  ofMatmul?: number;
  ofCopy?: number;
}

export interface PeerOutcome {
  name: string;
  version: string;
  device: string;
  /** Time of a pass that is waited for. */
  ms?: Spread;
  /** The median of the peer over the median of pushdown; both wait for every pass. */
  times?: number;
  /** Largest difference between an output and pushdown's, relative to the largest number of that output. */
  difference?: number;
  /** Why there is no time: the outputs disagree, an error occurred, or the peer was not measured. */
  none?: string;
}

/** How time and memory grow with the size, as exponents. */
export interface Growth {
  points: { T: number; ms: Spread; device?: Spread; bytes: number }[];
  /** Fitted over all points, and over the last two alone, where the share of launch overhead is smallest. */
  exponent: number;
  last: number;
  bytesExponent: number;
  /** The case fails if the exponent of time or bytes exceeds this. */
  limit: number;
}

export interface Outcome {
  /** The form or plan used: `Work.how`. */
  how?: string;
  ours?: Timing;
  floor?: Floor;
  rate?: Rate;
  peers?: PeerOutcome[];
  growth?: Growth;
  /** Remarks for the reader, for example that there are fewer samples than usual. */
  notes?: string[];
}

/** The outcome of a case, or the reason why there is none. */
export interface Result extends Outcome {
  name: string;
  skipped?: string;
  failed?: string;
}

export type Outputs = ReadonlyMap<string, Float32Array>;

/** A case that measures a workload and compares it with the same one by peers. */
export interface WorkCase {
  open(bench: Bench): Promise<Workload>;
  floor(): Floor;
  /** The same workload by a peer, or the reason why the peer is not measured. Absent: no peer is measured. */
  peer?(peer: Peer): Promise<PeerRun> | string;
  /** The part of the outputs to compare. Absent: all. */
  compared?(outputs: Outputs): Outputs;
  /** Allowed difference, relative to a tensor's largest number. Absent: the tolerance of bench/peers/agree.ts. */
  tolerance?: number;
  /** Called with the outcome. */
  done?(outcome: Outcome, bench: Bench): void;
}

/**
 * The rate at which the minimum work was done. Uses device time if there is one, because it excludes launch overhead.
 */
export function rateOf({ flops, bytes }: Floor, { ms, device = ms }: Timing): Rate {
  return { gflops: flops / device.median / 1e6, gbs: bytes / device.median / 1e6 };
}

/** Adds the rate as a share of the adapter's peak, once that is known. */
export function addShares({ rate }: Outcome, { copy, matmul }: Bench['peak']): void {
  if (rate && copy) rate.ofCopy = rate.gbs / copy;
  if (rate && matmul) rate.ofMatmul = rate.gflops / matmul;
}

/**
 * Opens a workload so that an out-of-memory error is thrown here, and not reported to later users of the device.
 * @throws InputError if the device has too little memory
 */
export async function opened<T extends { destroy(): void }>(
  { gpu }: Bench,
  open: () => Promise<T>,
): Promise<T> {
  gpu.device.pushErrorScope('out-of-memory');
  let work: T | undefined;
  let failure: unknown;
  try {
    work = await open();
  } catch (error) {
    failure = error;
  }
  const outOfMemory = await gpu.device.popErrorScope();
  if (outOfMemory) {
    work?.destroy();
    throw new InputError(`the device has too little memory for this case: ${outOfMemory.message}`);
  }
  if (!work) throw failure;
  return work;
}
