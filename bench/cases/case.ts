/** A case of the suite, and its result. */
import { InputError } from '../../src/base/errors.ts';
import type { AdapterDescription, Engine } from '../../src/engine/engine.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { Spread } from '../measure.ts';
import type { Peer, PeerRun } from '../peers/peer.ts';
import type { Clock, Timing, Work } from '../work.ts';

/** Where cases run. */
export interface Bench {
  gpu: Gpu;
  /** On the same device. */
  engine: Engine;
  adapter: AdapterDescription;
  clock?: Clock;
  /** Of each, where one does not take too long. */
  samples: number;
  peers: readonly Peer[];
  /** What this adapter reaches, as far as measured: GB/s of a copy, GFLOP/s of a matrix product. */
  peak: { copy?: number; matmul?: number };
  /** Tells what is being done. */
  say(what: string): void;
}

export interface Case {
  /** What `--only` looks in, and results are found by: `memory: stack B=128 T=1024 M=32, near 1`. */
  name: string;
  /** Only with `--full`. */
  full?: boolean;
  /** @throws InputError where it does not fit on this device */
  run(bench: Bench): Promise<Outcome>;
}

/** What a pass must do at least, from the sizes alone. */
export interface Floor {
  flops: number;
  bytes: number;
}

/** The floor over the time of a pass, and over what this adapter's copy and matrix product reach. */
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
  /** A pass, waited for. */
  ms?: Spread;
  /** Its median over pushdown's, both waited for. */
  times?: number;
  /** Largest difference of an output from pushdown's, over the largest number of that output. */
  difference?: number;
  /** Why there is no time: outputs that disagree, an error, or that it was not asked. */
  none?: string;
}

/** Time and bytes of growing sizes, as powers of the size. */
export interface Growth {
  points: { T: number; ms: Spread; device?: Spread; bytes: number }[];
  /** Fitted over all points, and between the last two alone, where launches weigh least. */
  exponent: number;
  last: number;
  bytesExponent: number;
  /** Above it, of time or bytes, is a failure. */
  limit: number;
}

export interface Outcome {
  how?: string;
  ours?: Timing;
  floor?: Floor;
  rate?: Rate;
  peers?: PeerOutcome[];
  growth?: Growth;
  /** What a reader has to know: fewer samples than usual … */
  notes?: string[];
}

/** An outcome with its name; without one, why. */
export interface Result extends Outcome {
  name: string;
  skipped?: string;
  failed?: string;
}

export type Outputs = ReadonlyMap<string, Float32Array>;

/** A case of one work, compared with what peers make of the same. */
export interface WorkCase {
  open(bench: Bench): Promise<Work>;
  floor(): Floor;
  /** The same by a peer, or why it is not asked; absent: nobody is. */
  peer?(peer: Peer): Promise<PeerRun> | string;
  /** What of the outputs is compared; absent: all of it. */
  compared?(outputs: Outputs): Outputs;
  /** Differences allowed, in parts of a tensor's largest number; absent: those of bench/peers/agree.ts. */
  tolerance?: number;
  /** Told what came of it. */
  done?(outcome: Outcome, bench: Bench): void;
}

/** How fast the floor was passed. Device time is nearer to the work, where there is one. */
export function rateOf({ flops, bytes }: Floor, { ms, device = ms }: Timing): Rate {
  return { gflops: flops / device.median / 1e6, gbs: bytes / device.median / 1e6 };
}

/** The shares of what the adapter reaches, once that is known. */
export function addShares({ rate }: Outcome, { copy, matmul }: Bench['peak']): void {
  if (rate && copy) rate.ofCopy = rate.gbs / copy;
  if (rate && matmul) rate.ofMatmul = rate.gflops / matmul;
}

/**
 * Opens works so that what the device has no room for is refused here, and not told to everyone who uses the device
 * later.
 * @throws InputError where there is no room
 */
export async function opened<T extends { destroy(): void }>(
  { gpu }: Bench,
  open: () => Promise<T>,
): Promise<T> {
  gpu.device.pushErrorScope('out-of-memory');
  let work: T | undefined;
  let refusal: unknown;
  try {
    work = await open();
  } catch (error) {
    refusal = error;
  }
  const full = await gpu.device.popErrorScope();
  if (full) {
    work?.destroy();
    throw new InputError(`the device has not the memory for it: ${full.message}`);
  }
  if (!work) throw refusal;
  return work;
}
