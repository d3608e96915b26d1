/** The plots of a suite. */
import { type BarPlot, barPlot } from '../src/plot/bars.ts';
import { linePlot } from '../src/plot/lines.ts';
import { decades, logAt } from '../src/plot/scale.ts';
import type { Result } from './cases/case.ts';
import type { Suite } from './suite.ts';

export interface Plot {
  /** Part of a file's name. */
  name: string;
  title: string;
  svg: string;
}

const OURS = 'pushdown';

/** The plots for which the suite has cases: pushdown and its peers, pushdown alone, and growth. */
export function plotsOf({ cases, adapter, peers }: Suite): Plot[] {
  const on = `on ${adapter.name}`;
  return [
    ...peersPlot(cases, `One pass, awaited, ${on}`, [OURS, ...peers.map(({ name }) => name)]),
    ...alonePlot(cases, `One pass of pushdown, several per submission, ${on}`),
    ...growthPlot(cases, `Growth of time with T, ${on}`, 'time', 'ms per pass', ({ ms }) => ms),
    ...growthPlot(cases, `Growth of device memory with T, ${on}`, 'bytes', 'MiB', ({ bytes }) => {
      const mib = bytes / 2 ** 20;
      return { median: mib, low: mib, high: mib };
    }),
  ];
}

function peersPlot(cases: readonly Result[], title: string, series: string[]): Plot[] {
  const groups = cases.flatMap(({ name, ours, peers }) =>
    ours?.waited && peers
      ? [
          {
            label: name,
            bars: [
              { series: 0, value: ours.waited },
              ...peers.map(({ name, ms, none }) => ({
                series: series.indexOf(name),
                ...(ms ? { value: ms } : { text: `${name}: ${none?.split(':')[0] ?? 'not timed'}` }),
              })),
            ],
          },
        ]
      : [],
  );
  return bars('peers', { title, unit: 'ms', series, groups });
}

/** Leaves out the cases of the adapter, which do other work. */
function alonePlot(cases: readonly Result[], title: string): Plot[] {
  const groups = cases.flatMap(({ name, ours }) =>
    ours && !name.startsWith('adapter') ? [{ label: name, bars: [{ series: 0, value: ours.ms }] }] : [],
  );
  return bars('alone', { title, unit: 'ms', series: [OURS], groups });
}

const bars = (name: string, plot: BarPlot): Plot[] =>
  plot.groups.length ? [{ name, title: plot.title, svg: barPlot(plot) }] : [];

type GrowthPoint = NonNullable<Result['growth']>['points'][number];

function growthPlot(
  cases: readonly Result[],
  title: string,
  of: 'time' | 'bytes',
  yLabel: string,
  value: (point: GrowthPoint) => { median: number; low: number; high: number },
): Plot[] {
  const lines = cases.flatMap(({ name, growth }) => {
    if (!growth) return [];
    const power = of === 'time' ? growth.exponent : growth.bytesExponent;
    return [
      {
        label: `${name.replace('growth: ', '')}: T^${power.toFixed(2)}`,
        points: growth.points.map(point => {
          const { median, low, high } = value(point);
          return { x: point.T, y: median, low, high };
        }),
      },
    ];
  });
  if (lines.length === 0) return [];
  const points = lines.flatMap(line => line.points);
  // On logarithmic axes a power of T is a straight line, whose slope is the exponent.
  const svg = linePlot({
    title,
    x: { label: 'T, time steps, log scale', scale: logAt(points.map(({ x }) => x)) },
    y: { label: `${yLabel}, log scale`, scale: decades(points.flatMap(({ low, high }) => [low, high])) },
    lines,
  });
  return [{ name: `growth-${of}`, title, svg }];
}
