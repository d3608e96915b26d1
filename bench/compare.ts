/** Compares pushdown with its peers on the same workload: first the outputs, then the time. */
import { firstLineOf } from '../src/base/errors.ts';
import type { Bench, Outcome, Outputs, PeerOutcome, WorkCase } from './cases/case.ts';
import { opened, rateOf } from './cases/case.ts';
import { sample, spread, timed } from './measure.ts';
import { agree, TOLERANCE } from './peers/agree.ts';
import type { PeerRun } from './peers/peer.ts';
import {
  passesFor,
  type Sample,
  sampleWaited,
  sampleWork,
  timingOf,
  type Warm,
  type Workload,
  warmUp,
} from './work.ts';

/** Contenders whose samples take no longer than this are sampled in turn. */
const TURNS_MS = 2000;
/** A contender whose sample takes longer than this gets fewer samples. */
const LONG_MS = 20_000;
const MIN_SAMPLES = 3;
/**
 * If the first pass takes longer than this, it is the only
 * sample. It includes compilation, which is then a small share.
 */
const ONE_SAMPLE_MS = 60_000;
const MAX_PEER_PASSES = 256;

/** One of the implementations compared: the time of a sample, and the function that takes one. */
export interface Contender<S> {
  sampleMs: number;
  sample(): Promise<S>;
}

/** The number of samples, given how long one takes. */
export const roundsOf = (samples: number, sampleMs: number): number =>
  sampleMs > ONE_SAMPLE_MS ? 1 : sampleMs > LONG_MS ? Math.min(samples, MIN_SAMPLES) : samples;

/**
 * Takes samples of all contenders: of the fast ones in turn, of
 * each slow one by itself. The results have the given order.
 */
export async function sampleContenders<S>(
  samples: number,
  contenders: readonly Contender<S>[],
): Promise<S[][]> {
  const fast = contenders.filter(({ sampleMs }) => sampleMs <= TURNS_MS);
  const inTurn = await sample(
    samples,
    fast.map(contender => () => contender.sample()),
  );
  const all: S[][] = [];
  for (const contender of contenders) {
    const at = fast.indexOf(contender);
    if (at >= 0) all.push(inTurn[at]);
    else all.push((await sample(roundsOf(samples, contender.sampleMs), [() => contender.sample()]))[0]);
  }
  return all;
}

/** A warmed-up peer whose outputs agree with pushdown's. */
interface Rival extends Contender<Sample> {
  run: PeerRun;
  outcome: PeerOutcome;
}

/** Measures a workload and the peers that agree with it. */
export async function runWorkCase(workCase: WorkCase, bench: Bench): Promise<Outcome> {
  const work = await opened(bench, () => workCase.open(bench));
  const rivals: Rival[] = [];
  try {
    bench.say('warming up');
    const warm = await warmUp(work);
    const peers = await compare(workCase, work, bench, rivals);
    const outcome = await time(work, warm, rivals, bench);
    if (work.how) outcome.how = work.how;
    outcome.floor = workCase.floor();
    outcome.rate = rateOf(outcome.floor, outcome.ours!);
    if (peers.length) outcome.peers = peers;
    workCase.done?.(outcome, bench);
    return outcome;
  } finally {
    for (const { run } of rivals) await run.end();
    work.destroy();
  }
}

/** Compares every peer with pushdown. Those that agree are added to the rivals. */
async function compare(
  workCase: WorkCase,
  work: Workload,
  bench: Bench,
  rivals: Rival[],
): Promise<PeerOutcome[]> {
  if (!workCase.peer || bench.peers.length === 0) return [];
  const expected = await work.outputs();
  const outcomes: PeerOutcome[] = [];
  for (const peer of bench.peers) {
    bench.say(`comparing with ${peer.name}`);
    const { name, version, device } = peer;
    const outcome: PeerOutcome = { name, version, device };
    outcomes.push(outcome);
    try {
      const run = workCase.peer(peer);
      if (typeof run === 'string') outcome.none = `not measured: ${run}`;
      else rivals.push(...(await warmPeer(await run, workCase, expected, outcome)));
    } catch (error) {
      outcome.none = `failed: ${firstLineOf(error)}`;
    }
  }
  return outcomes;
}

/** Warms up a peer. Returns no rival if its outputs differ from pushdown's. */
async function warmPeer(
  run: PeerRun,
  { compared = outputs => outputs, tolerance = TOLERANCE }: WorkCase,
  expected: Outputs,
  outcome: PeerOutcome,
): Promise<Rival[]> {
  try {
    const first = await run.pass();
    const { worst, difference } = agree(compared(expected), compared(await run.outputs()));
    outcome.difference = difference;
    if (!(difference <= tolerance)) {
      outcome.none = `wrong: ${worst} differs by ${difference.toExponential(1)} of its largest number; at most ${tolerance} is allowed`;
      await run.end();
      return [];
    }
    if (first > ONE_SAMPLE_MS) {
      return [{ run, outcome, sampleMs: first, sample: async () => ({ ms: first }) }];
    }
    // Two passes warm up, or one that takes longer than LONG_MS.
    if (first > LONG_MS) return [rivalOf(run, outcome, 1, first)];
    await run.pass();
    const passes = await passesFor(count => passesOf(run, count), MAX_PEER_PASSES);
    return [rivalOf(run, outcome, passes, await passesOf(run, passes))];
  } catch (error) {
    await run.end();
    throw error;
  }
}

/** Time of `count` passes, in ms. */
async function passesOf(run: PeerRun, count: number): Promise<number> {
  let ms = 0;
  for (let k = 0; k < count; k++) ms += await run.pass();
  return ms;
}

/** A peer that agrees. If it fails while it is sampled, only its own time is lost, not that of pushdown. */
function rivalOf(run: PeerRun, outcome: PeerOutcome, passes: number, sampleMs: number): Rival {
  const take = async (): Promise<Sample> => {
    if (outcome.none !== undefined) return { ms: Number.NaN };
    try {
      return { ms: (await passesOf(run, passes)) / passes };
    } catch (error) {
      outcome.none = `failed: ${firstLineOf(error)}`;
      return { ms: Number.NaN };
    }
  };
  return { run, outcome, sampleMs, sample: take };
}

/** Takes samples of pushdown, of pushdown with a wait after every pass, and of the rivals. */
async function time(work: Workload, warm: Warm, rivals: Rival[], bench: Bench): Promise<Outcome> {
  bench.say(
    `sampling${rivals.length ? ` against ${rivals.map(({ outcome }) => outcome.name).join(', ')}` : ''}`,
  );
  const contenders: Contender<Sample>[] = [
    { sampleMs: warm.sampleMs, sample: () => sampleWork(work, warm.passes, bench.clock) },
  ];
  // With one pass per sample, there is a wait after every pass already.
  const separate = rivals.length > 0 && warm.passes > 1;
  if (separate) {
    const timeOf = async (passes: number): Promise<number> => passes * (await sampleWaited(work, passes)).ms;
    const passes = await passesFor(timeOf, warm.passes);
    const sampleMs = await timed(() => sampleWaited(work, passes));
    contenders.push({ sampleMs, sample: () => sampleWaited(work, passes) });
  }
  const all = await sampleContenders(bench.samples, [...contenders, ...rivals]);
  const waited = rivals.length ? all[separate ? 1 : 0] : undefined;
  const ours = timingOf(work, warm, all[0], waited);
  const notes: string[] = [];
  const taken = all[0].length;
  if (taken < bench.samples) notes.push(`${taken} samples: one takes ${seconds(warm.sampleMs)}`);
  rivals.forEach(({ outcome, sampleMs }, k) => {
    if (outcome.none !== undefined) return;
    const samples = all[contenders.length + k];
    outcome.ms = spread(samples.map(({ ms }) => ms));
    outcome.times = outcome.ms.median / ours.waited!.median;
    if (samples.length < bench.samples) {
      notes.push(`${outcome.name}: ${samples.length} samples, one takes ${seconds(sampleMs)}`);
    }
  });
  return { ours, ...(notes.length && { notes }) };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(0)} s`;
