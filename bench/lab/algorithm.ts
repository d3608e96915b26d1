/**
 * Compares the algorithm of docs/algorithm.md with the paper's formulas as written, both in plain JavaScript
 * in float64 on one core: one sequence, forward and backward pass. Prints medians of processor time in ms, which
 * other processes hardly change, and the exponents of their growth with T. Section 8 shows this table.
 *
 *   node bench/run.mjs bench/lab/algorithm.ts
 */
import { memoryBackward, memoryForward } from '../../src/reference/memory.ts';
import { type AlgorithmCode, loadAlgorithm } from '../algorithm-code.ts';
import { exponent, figure, spread } from '../measure.ts';
import { machine, machineLine } from '../node.ts';
import { memoryInputs } from '../problems.ts';

const TIMES = [64, 256, 1024, 4096];
const M = 8;
const SAMPLES = 5;

interface Problem {
  T: number;
  written(): void;
  ours(): void;
}

export async function main(): Promise<number> {
  const code = await loadAlgorithm();
  console.log(machineLine(machine()));
  const problems = TIMES.map(T => problemOf(code, T));
  // All samples of this algorithm come first. Otherwise it would be
  // charged with the garbage collection of the other's T² strengths.
  const ours = problems.map(({ T, ours }) => processorMs(T, ours));
  const written = problems.map(({ T, written }) => processorMs(T, written));
  console.log('| T | as written | this algorithm | ratio |\n|-:|-:|-:|-:|');
  for (const [k, T] of TIMES.entries()) {
    const ratio = figure(Number((written[k] / ours[k]).toPrecision(2)));
    console.log(`| ${T.toLocaleString('en-US')} | ${figure(written[k])} | ${figure(ours[k])} | ${ratio}× |`);
  }
  const growth = (ms: number[]): string => `T^${exponent(TIMES, ms).toFixed(2)}`;
  console.log(`| growth | ${growth(written)} | ${growth(ours)} | |`);
  return 0;
}

function problemOf({ stackForward, stackBackward }: AlgorithmCode, T: number): Problem {
  const { push, pop, value, dRead } = memoryInputs({ kind: 'stack', B: 1, T, M, strengths: 'near 1' });
  const nested = (flat: Float32Array): number[][] =>
    Array.from({ length: T }, (_, t) => [...flat.subarray(t * M, (t + 1) * M)]);
  const [d, u, v, dr] = [[...push], [...pop], nested(value), nested(dRead)];
  return {
    T,
    written(): void {
      const forward = memoryForward('stack', [push, pop], value);
      memoryBackward('stack', [push, pop], value, forward, dRead);
    },
    ours(): void {
      stackBackward(d, u, v, stackForward(d, u, v), dr);
    },
  };
}

/** The median processor time of a pass, in ms. A sample has several passes, because the clock is coarse. */
function processorMs(T: number, pass: () => void): number {
  const repeats = Math.max(1, Math.round(8192 / T));
  const samples: number[] = [];
  for (let k = 0; k <= SAMPLES; k++) {
    const start = process.cpuUsage();
    for (let n = 0; n < repeats; n++) pass();
    samples.push(process.cpuUsage(start).user / 1000 / repeats);
  }
  // The first sample warms up.
  return spread(samples.slice(1)).median;
}
