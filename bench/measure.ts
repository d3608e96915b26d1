/** Tools shared by all benchmarks, in Node and browsers: samples, medians, fits, tables. Times in ms. */

import { type Spread, spread } from '../src/base/spread.ts';

export { type Spread, spread };

/**
 * Samples all cases in turn: a, b, c, a, b, c … so that other load on the machine affects all alike. The sample of case
 * k in round i is at [k][i].
 */
export async function sample<S>(rounds: number, cases: readonly (() => Promise<S>)[]): Promise<S[][]> {
  const samples: S[][] = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [k, run] of cases.entries()) samples[k].push(await run());
  }
  return samples;
}

/** Time of `work`, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The exponent of a power law: least squares of log y = exponent · log x + c. */
export function exponent(xs: readonly number[], ys: readonly number[]): number {
  const mean = (of: readonly number[]): number => of.reduce((sum, x) => sum + x, 0) / of.length;
  const u = xs.map(Math.log);
  const v = ys.map(Math.log);
  const [mu, mv] = [mean(u), mean(v)];
  return mean(u.map((x, i) => (x - mu) * (v[i] - mv))) / mean(u.map(x => (x - mu) ** 2));
}

/** Three significant digits, with thousands separators. */
export const figure = (x: number): string =>
  Number(x.toPrecision(3)).toLocaleString('en-US', { maximumSignificantDigits: 3 });

/** `12.3 (11.9–13)`: median and quartiles. */
export const figures = ({ median, low, high }: Spread): string =>
  `${figure(median)} (${figure(low)}–${figure(high)})`;

/** A name as part of a file name: `nvidia-h100`. */
export const slug = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

/** Aligns columns: the first to the left, the others to the right. The first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map(row => row[c].length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ');
  const [head, ...body] = rows;
  return [line(head), widths.map(width => '-'.repeat(width)).join('  '), ...body.map(line)].join('\n');
}
