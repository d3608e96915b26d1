/** Formats the results of a suite for people. */

import type { Result } from './cases/case.ts';
import { within } from './cases/growth.ts';
import { figure, figures, table } from './measure.ts';
import type { Suite } from './suite.ts';

/** `SwiftShader (software, fallback adapter) · no GPU adapter found` */
export const adapterLine = ({ name, kind, fallback, reason }: Suite['adapter']): string =>
  `${name} (${kind}${fallback ? ', fallback adapter' : ''}) · ${reason}`;

/** The lines above the tables. @param on a description of the machine */
export function headOf({ adapter, cases, samples, took, peers, missing }: Suite, on: string): string[] {
  return [
    `${cases.length} cases, ${samples} samples each, ${took.toFixed(0)} s`,
    adapterLine(adapter),
    `on ${on}`,
    ...peers.map(({ name, version, device }) => `peer ${name} ${version} on ${device}`),
    ...missing.map(({ name, reason }) => `no peer ${name}: ${reason}`),
  ];
}

const percent = (share: number | undefined): string =>
  share === undefined ? '–' : `${figure(100 * share)} %`;

/** Rows of the tables, each starting with its head, for the terminal and the page. */
export interface Tables {
  passes: string[][];
  peers: string[][];
  growth: string[][];
  /** Skipped cases, failed cases, and remarks. */
  notes: string[];
}

export function tablesOf(cases: readonly Result[]): Tables {
  return {
    passes: [
      [
        'one pass of',
        'ms (quartiles)',
        'device ms',
        'dispatches',
        'MiB',
        'GFLOP/s',
        'of peak GFLOP/s',
        'GB/s',
        'of peak GB/s',
      ],
      ...cases.flatMap(({ name, how, ours, rate, floor }) =>
        ours && rate && floor
          ? [
              [
                how ? `${name} (${how})` : name,
                figures(ours.ms),
                ours.device ? figure(ours.device.median) : '–',
                ours.dispatches === undefined ? '–' : figure(ours.dispatches),
                figure(ours.bytes / 2 ** 20),
                floor.flops ? figure(rate.gflops) : '–',
                floor.flops ? percent(rate.ofMatmul) : '–',
                figure(rate.gbs),
                percent(rate.ofCopy),
              ],
            ]
          : [],
      ),
    ],
    peers: [
      ['one pass, awaited', 'pushdown, ms', 'peer', 'its ms (quartiles)', '× pushdown', 'max. difference'],
      ...cases.flatMap(({ name, ours, peers = [] }) =>
        peers.map(peer => [
          name,
          ours?.waited ? figure(ours.waited.median) : '–',
          peer.name,
          peer.ms ? figures(peer.ms) : (peer.none ?? '–'),
          peer.times === undefined ? '–' : figure(peer.times),
          peer.difference === undefined ? '–' : peer.difference.toExponential(0),
        ]),
      ),
    ],
    growth: [
      ['growth with T', 'T: ms', 'time ∝', 'between the last two T', 'bytes ∝', 'limit of both'],
      ...cases.flatMap(({ name, growth }) =>
        growth
          ? [
              [
                name,
                growth.points.map(({ T, ms }) => `${T}: ${figure(ms.median)}`).join('  '),
                `T^${growth.exponent.toFixed(2)}`,
                `T^${growth.last.toFixed(2)}`,
                `T^${growth.bytesExponent.toFixed(2)}`,
                `T^${growth.limit}${within(growth) ? '' : ' EXCEEDED'}`,
              ],
            ]
          : [],
      ),
    ],
    notes: cases.flatMap(({ name, skipped, failed, notes = [] }) => [
      ...(skipped === undefined ? [] : [`skipped: ${name}: ${skipped}`]),
      ...(failed === undefined ? [] : [`FAILED: ${name}: ${failed}`]),
      ...notes.map(note => `${name}: ${note}`),
    ]),
  };
}

/** The tables of a whole suite, as text for the terminal. */
export function textOf(suite: Suite): string {
  const { passes, peers, growth, notes } = tablesOf(suite.cases);
  const { copy, matmul } = suite.peak;
  const parts = [passes, peers, growth].filter(rows => rows.length > 1).map(table);
  if (copy && matmul) {
    parts.push(
      'of peak: the minimum work of a pass over its time, relative to the fastest matrix product ' +
        `(${figure(matmul)} GFLOP/s) and copy (${figure(copy)} GB/s) measured on this adapter. ` +
        'Above 100 %: the data is in its caches.',
    );
  }
  if (notes.length) parts.push(notes.join('\n'));
  return parts.join('\n\n');
}
