import { describe, expect, test } from 'vitest';
import { accuracyPlot } from '../../src/cli/show/plot.ts';
import { barPlot } from '../../src/plot/bars.ts';
import { linePlot } from '../../src/plot/lines.ts';
import { decades, linear, logAt } from '../../src/plot/scale.ts';

/** Plots are SVG text: these tests check what they contain, and that they contain no NaN. */

const INVALID_NUMBER = /NaN|undefined|Infinity/;

describe('scales', () => {
  test('a linear scale has the given ticks', () => {
    const scale = linear(0, 1, [0, 0.5, 1], share => share.toFixed(1))(100, 0);
    expect(scale.ticks).toEqual([
      { at: 100, text: '0.0' },
      { at: 50, text: '0.5' },
      { at: 0, text: '1.0' },
    ]);
  });

  test('a scale of decades covers the values; zero is drawn at its minimum', () => {
    const scale = decades([0, 0.2, 30])(0, 300);
    expect(scale.ticks.map(({ text }) => text)).toEqual(['0.1', '1', '10', '100']);
    expect([0, 0.1, 1, 100].map(scale.at)).toEqual([0, 0, 100, 300]);
    expect(decades([])(0, 1).ticks.map(({ text }) => text)).toEqual(['1', '10']);
  });

  test('a logarithmic scale has one tick at each value', () => {
    const scale = logAt([64, 256, 64, 1024])(0, 100);
    expect(scale.ticks).toEqual([
      { at: 0, text: '64' },
      { at: 50, text: '256' },
      { at: 100, text: '1024' },
    ]);
    expect(logAt([7])(0, 1).at(7)).toBe(0);
  });
});

describe('accuracy by length', () => {
  const rows = [20, 5, 10].map(length => ({ length, coarse: 1 / length, fine: 0.5, accuracy: Number.NaN }));

  test('has three series, the trained range and an escaped title', () => {
    const svg = accuracyPlot(rows, { trained: [5, 10], title: 'a <b> & "c"' });
    expect(svg).toContain('<title>a &lt;b&gt; &amp; &quot;c&quot;</title>');
    // Once in the legend and once in the plot.
    expect(svg.match(/class="line s\d"/g)).toHaveLength(6);
    expect(svg).toMatch(/<rect class="shade" x="84" [^>]*width="200"/);
    expect(svg).not.toMatch(INVALID_NUMBER);
    // Ascending, whatever the order of the rows.
    expect(svg).toMatch(/<path class="line s0" d="M84 \S+L284 \S+L684 /);
  });

  test('can be drawn for one length, or for none', () => {
    for (const few of [rows.slice(0, 1), []]) {
      expect(accuracyPlot(few, { trained: [4, 4], title: '' })).not.toMatch(INVALID_NUMBER);
    }
  });
});

describe('lines', () => {
  const plot = (points: { x: number; y: number; low?: number; high?: number }[], labels = ['one']): string =>
    linePlot({
      title: 't',
      x: { label: 'x', scale: linear(0, 100, [0, 100]) },
      y: { label: 'y', scale: linear(0, 1, [0, 1]) },
      lines: labels.map(label => ({ label, points })),
    });

  test('have gaps where a value is NaN', () => {
    const svg = plot([0, 0.5, Number.NaN, 1, 1].map((y, k) => ({ x: 10 * k, y })));
    expect(svg).toMatch(/class="line s0" d="M[^M"]*L[^M"]*M[^M"]*L[^M"]*"/);
    expect(svg).not.toMatch(INVALID_NUMBER);
  });

  test('have marks and quartiles, but no marks if there would be too many', () => {
    const few = plot([{ x: 1, y: 0.5, low: 0.4, high: 0.6 }]);
    expect(few.match(/class="spread"/g)).toHaveLength(1);
    expect(few.match(/class="mark s0"/g)).toHaveLength(2);
    const many = plot(Array.from({ length: 90 }, (_, x) => ({ x, y: 0.5 })));
    expect(many.match(/class="mark s0"/g)).toHaveLength(1);
  });

  test('whose labels do not fit side by side have a legend of several rows', () => {
    const heightOf = (svg: string): number => Number(/ height="(\d+)"/.exec(svg)![1]);
    const long = 'a name of half the width of the whole picture, at the least';
    expect(heightOf(plot([], [long, long])) - heightOf(plot([], ['a', 'b']))).toBe(20);
  });
});

test('bars: values with their quartiles, or the reason why there is none', () => {
  const svg = barPlot({
    title: 'A <pass>',
    unit: 'ms',
    series: ['pushdown', 'other'],
    groups: [
      {
        label: 'memory',
        bars: [
          { series: 0, value: { median: 2, low: 1, high: 3 } },
          { series: 1, text: 'other: failed' },
        ],
      },
    ],
  });
  expect(svg).toMatch(/^<svg[^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg).toContain('A &lt;pass&gt;');
  expect(svg.trimEnd().endsWith('</svg>')).toBe(true);
  for (const text of ['memory', 'pushdown', 'other: failed', 'ms, log scale']) expect(svg).toContain(text);
  expect(svg).not.toMatch(INVALID_NUMBER);
});
