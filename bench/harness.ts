/** What the benchmarks share: samples, medians, tables, results on disk. Times in ms. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../src/base/errors.ts';
import type { AdapterDescription } from '../src/engine/engine.ts';

/** Median and quartiles of some samples, which are kept. */
export interface Spread {
  median: number;
  low: number;
  high: number;
  samples: number[];
}

/** Quartiles are interpolated between the two nearest samples. */
export function spread(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number): number => {
    const place = part * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return { median: at(0.5), low: at(0.25), high: at(0.75), samples: [...samples] };
}

/**
 * Samples of every case, in turn: a, b, c, a, b, c … so that whatever else the machine does meets all alike.
 * Case k's sample of round i is at [k][i].
 */
export async function sample(rounds: number, cases: readonly (() => Promise<number>)[]): Promise<number[][]> {
  const samples: number[][] = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [k, run] of cases.entries()) samples[k].push(await run());
  }
  return samples;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Least squares of log y = exponent · log x + c. */
export function exponent(xs: readonly number[], ys: readonly number[]): number {
  const mean = (of: readonly number[]): number => of.reduce((sum, x) => sum + x, 0) / of.length;
  const u = xs.map(Math.log);
  const v = ys.map(Math.log);
  const [mu, mv] = [mean(u), mean(v)];
  return mean(u.map((x, i) => (x - mu) * (v[i] - mv))) / mean(u.map(x => (x - mu) ** 2));
}

/** Three significant digits; thousands apart. */
export const figure = (x: number): string =>
  Number(x.toPrecision(3)).toLocaleString('en-US', { maximumSignificantDigits: 3 });

/** `12.3 (11.9–13)`: median and quartiles. */
export const figures = ({ median, low, high }: Spread): string =>
  `${figure(median)} (${figure(low)}–${figure(high)})`;

/** Lines with columns one below the other: the first one left, numbers right. The first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map(row => row[c].length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ');
  const [head, ...body] = rows;
  return [line(head), widths.map(width => '-'.repeat(width)).join('  '), ...body.map(line)].join('\n');
}

/**
 * An option that has to be a number.
 * @throws InputError where it is not, or below `least`
 */
export function numberOption(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value < Infinity) return value;
  throw new InputError(`--${name} must be a number, at least ${least}, got "${text}".`);
}

/** The same for whole numbers. */
export function countOption(name: string, text: string, least: number): number {
  const value = numberOption(name, text, least);
  if (Number.isInteger(value)) return value;
  throw new InputError(`--${name} must be a whole number, got "${text}".`);
}

/** What figures depend on beside the adapter. The load tells whether the machine was quiet. */
export const machine = () => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  load: Number(loadavg()[0].toFixed(2)),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
});

/** Writes bench/results/<name>-<adapter>-<date>.json. Returns its path. */
export function save(name: string, adapter: AdapterDescription, results: object): string {
  const date = new Date().toISOString();
  const slug = adapter.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  const folder = join('bench', 'results');
  const path = join(folder, `${name}-${slug}-${date.slice(0, 10)}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ benchmark: name, date, adapter, ...results }, undefined, 2)}\n`);
  return path;
}
