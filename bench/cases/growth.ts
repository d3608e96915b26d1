/** Checks that time and device memory grow like T. With the formulas computed as written, they would grow like T². */
import { assign } from '../../src/base/config.ts';
import { preset } from '../../src/train/presets.ts';
import { setup } from '../../src/train/setup.ts';
import { sampleContenders } from '../compare.ts';
import { exponent } from '../measure.ts';
import { type Strengths, trainingProblem } from '../problems.ts';
import { sampleWork, timingOf, type Workload, warmUp } from '../work.ts';
import { type Bench, type Case, type Growth, type Outcome, opened } from './case.ts';
import { openMemoryOn } from './memory.ts';
import { openTraining } from './training.ts';

const TIMES = [64, 256, 1024, 4096];
/**
 * Maximum exponents. With strengths near 1, every step costs the same; near
 * 0, a read visits more rows the deeper the memory is.
 */
const LIMITS = { linear: 1.1, 'near 0': 1.3 };

export const growthCases = (): Case[] => [
  memoryGrowth('near 1', LIMITS.linear),
  memoryGrowth('near 0', LIMITS['near 0']),
  trainingGrowth(),
];

function memoryGrowth(strengths: Strengths, limit: number): Case {
  const [B, M] = [128, 8];
  return growthCase(`memory stack B=${B} M=${M}, ${strengths}`, limit, T => ({
    T,
    open: bench => openMemoryOn(bench, { kind: 'stack', B, T, M, strengths }),
  }));
}

/** The page's model, made smaller, with sources of one length. */
function trainingGrowth(): Case {
  const B = 32;
  const sets = ['hidden=16', 'width=2'];
  return growthCase(`training step rnn h=16 stack M=2 B=${B}`, LIMITS.linear, maxSteps => {
    const length = lengthFor(maxSteps);
    const problem = trainingProblem('page', B, [...sets, `minLength=${length}`, `maxLength=${length}`]);
    return { T: problem.batch.T, open: ({ engine }) => openTraining(engine, problem) };
  });
}

/** The length of the longest source that takes at most T steps. */
function lengthFor(T: number): number {
  const { task } = setup(assign(preset('reverse'), []));
  let length = 1;
  while (task.steps(length + 1) <= T) length++;
  return length;
}

interface Point {
  T: number;
  open(bench: Bench): Promise<Workload>;
}

/** Samples all sizes in turn, so that other load on the machine does not distort the slope. */
function growthCase(name: string, limit: number, pointAt: (T: number) => Point): Case {
  return {
    name: `growth: ${name}`,
    async run(bench: Bench): Promise<Outcome> {
      const open: Workload[] = [];
      try {
        const contenders = [];
        for (const T of TIMES) {
          bench.say(`warming up T=${T}`);
          const point = pointAt(T);
          const work = await opened(bench, () => point.open(bench));
          open.push(work);
          const warm = await warmUp(work);
          const sample = () => sampleWork(work, warm.passes, bench.clock);
          contenders.push({ T: point.T, work, warm, sampleMs: warm.sampleMs, sample });
        }
        bench.say('sampling');
        const samples = await sampleContenders(bench.samples, contenders);
        const points = contenders.map(({ T, work, warm }, k) => {
          const { ms, device } = timingOf(work, warm, samples[k]);
          return { T, ms, ...(device && { device }), bytes: work.bytes };
        });
        return { how: open[0].how, growth: growthOf(points, limit) };
      } finally {
        for (const work of open) work.destroy();
      }
    },
  };
}

/** The exponents of wall-clock time and of bytes. */
export function growthOf(points: Growth['points'], limit: number): Growth {
  const exponentOf = (some: Growth['points'], y: (point: Growth['points'][number]) => number): number =>
    exponent(
      some.map(({ T }) => T),
      some.map(y),
    );
  return {
    points,
    exponent: exponentOf(points, ({ ms }) => ms.median),
    last: exponentOf(points.slice(-2), ({ ms }) => ms.median),
    bytesExponent: exponentOf(points, ({ bytes }) => bytes),
    limit,
  };
}

/** Whether time and bytes grow no faster than allowed. */
export const within = ({ exponent, bytesExponent, limit }: Growth): boolean =>
  exponent <= limit && bytesExponent <= limit;
