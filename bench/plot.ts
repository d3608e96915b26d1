/** Plots as SVG text: bars of times on a log axis, and lines on two. No dependencies, for light and dark. */

/** Who is drawn how. Okabe and Ito's colours, told apart by the colour-blind; marks and dashes differ too. */
const LOOKS = [
  { light: '#0072b2', dark: '#56b4e9', dash: '', mark: 'circle' },
  { light: '#b35900', dark: '#f0a35e', dash: '7 4', mark: 'square' },
  { light: '#007a59', dark: '#3fc79a', dash: '2 3', mark: 'diamond' },
  { light: '#a14f82', dark: '#e09ac4', dash: '8 3 2 3', mark: 'triangle' },
] as const;
type Mark = (typeof LOOKS)[number]['mark'];

const style = (): string => {
  const colours = (of: 'light' | 'dark'): string =>
    LOOKS.map((look, k) => `.s${k} { --c: ${look[of]} }`).join(' ');
  return `<style>
  svg { font: 13px system-ui, sans-serif; background: #fff }
  text { fill: #333 } .title { font-size: 15px; font-weight: 600 } .small { font-size: 12px }
  .ground { fill: #fff } .grid { stroke: #ddd } .axis { stroke: #777 }
  .bar { fill: var(--c) } .line { fill: none; stroke: var(--c); stroke-width: 2 } .mark { fill: var(--c) }
  .spread { stroke: #333; stroke-width: 1.5 }
  ${colours('light')}
  @media (prefers-color-scheme: dark) {
    svg { background: #1b2126 } text { fill: #d5d9de } .spread { stroke: #d5d9de }
    .ground { fill: #1b2126 } .grid { stroke: #343a41 } .axis { stroke: #8b939c }
    ${colours('dark')}
  }
</style>`;
};

/** A number with its quartiles. */
export interface Value {
  median: number;
  low: number;
  high: number;
}

export interface BarPlot {
  title: string;
  /** Of the numbers: `ms a pass`. */
  unit: string;
  /** Names of the bars that a group may have, in the order of their colours; at most four. */
  series: readonly string[];
  /** Bars one below the other, by the number of their series. A bar without a value has a text: why. */
  groups: readonly { label: string; bars: readonly { series: number; value?: Value; text?: string }[] }[];
}

const WIDTH = 860;
const BAR = 16;

/** Bars from the left, on a log axis: whoever is ten times slower is one decade longer. */
export function barPlot({ title, unit, series, groups }: BarPlot): string {
  const left = Math.min(380, 30 + 7 * Math.max(1, ...groups.map(({ label }) => label.length)));
  const [top, right] = [series.length > 1 ? 66 : 44, WIDTH - 70];
  const heights = groups.map(({ bars }) => bars.length * BAR + 14);
  const bottom = top + heights.reduce((sum, height) => sum + height, 0);
  const values = groups.flatMap(({ bars }) => bars.flatMap(({ value }) => value ?? []));
  const x = logScale(
    values.flatMap(({ median, low, high }) => [median, low, high]),
    left,
    right,
  );
  const parts = [
    ...x.ticks.map(({ at, text }) => vertical(at, top, bottom, text)),
    `<text x="${(left + right) / 2}" y="${bottom + 40}" text-anchor="middle">${xml(unit)}, log scale</text>`,
    ...(series.length > 1 ? [legend(series, left, 'bar')] : []),
  ];
  let y = top + 7;
  for (const [g, { label, bars }] of groups.entries()) {
    parts.push(textAt(left - 10, y + (heights[g] - 14) / 2 + 4, label, 'text-anchor="end"'));
    for (const { series, value, text = '' } of bars) {
      if (value) parts.push(bar(series, value, x.at, left, y));
      else parts.push(textAt(left + 6, y + BAR - 4, text, 'class="small"'));
      y += BAR;
    }
    y += 14;
  }
  parts.push(`<line class="axis" x1="${left}" x2="${left}" y1="${top}" y2="${bottom}"/>`);
  return svg(bottom + 54, title, parts);
}

function bar(
  series: number,
  { median, low, high }: Value,
  x: (value: number) => number,
  left: number,
  y: number,
): string {
  const middle = y + BAR / 2;
  const end = round(x(median));
  const past = round(Math.max(x(high), end)) + 6;
  return (
    `<rect class="bar s${series}" x="${left}" y="${y + 1}" width="${round(end - left)}" height="${BAR - 2}"/>` +
    `<line class="spread" x1="${round(x(low))}" x2="${round(x(high))}" y1="${middle}" y2="${middle}"/>` +
    textAt(past, y + BAR - 4, short(median), 'class="small"')
  );
}

export interface LinePlot {
  title: string;
  xLabel: string;
  yLabel: string;
  /** At most four. */
  lines: readonly { label: string; points: readonly (Value & { x: number })[] }[];
}

const AREA = { left: 78, right: WIDTH - 24, height: 300 };

/** Lines on two log axes: a power of x is straight, and its slope is the exponent. */
export function linePlot({ title, xLabel, yLabel, lines }: LinePlot): string {
  const { left, right, height } = AREA;
  const top = 44 + 20 * lines.length;
  const bottom = top + height;
  const points = lines.flatMap(line => line.points);
  const x = logScale(
    points.map(point => point.x),
    left + 20,
    right - 20,
    true,
  );
  const y = logScale(
    points.flatMap(({ low, high }) => [low, high]),
    bottom,
    top,
  );
  return svg(bottom + 54, title, [
    ...x.ticks.map(({ at, text }) => vertical(at, top, bottom, text)),
    ...y.ticks.map(
      ({ at, text }) =>
        `<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/>` +
        textAt(left - 8, at + 4, text, 'text-anchor="end"'),
    ),
    `<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`,
    `<text x="${(left + right) / 2}" y="${bottom + 40}" text-anchor="middle">${xml(xLabel)}, log scale</text>`,
    `<text transform="translate(18 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${xml(yLabel)}, log scale</text>`,
    legend(
      lines.map(({ label }) => label),
      left,
      'line',
    ),
    ...lines.map(({ points }, k) => line(k, points, x.at, y.at)),
  ]);
}

function line(
  k: number,
  points: LinePlot['lines'][number]['points'],
  x: Scale['at'],
  y: Scale['at'],
): string {
  const { dash, mark } = LOOKS[k % LOOKS.length];
  const at = points.map(point => [round(x(point.x)), round(y(point.median))] as const);
  return (
    `<polyline class="line s${k}" stroke-dasharray="${dash}" points="${at.map(pair => pair.join(',')).join(' ')}"/>` +
    points
      .map((point, i) => {
        const [low, high] = [round(y(point.low)), round(y(point.high))];
        return `<line class="spread" x1="${at[i][0]}" x2="${at[i][0]}" y1="${low}" y2="${high}"/>${drawMark(k, mark, ...at[i])}`;
      })
      .join('')
  );
}

function drawMark(k: number, mark: Mark, x: number, y: number): string {
  const shape = {
    circle: 'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z',
    square: 'M-4 -4h8v8h-8z',
    diamond: 'M0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z',
    triangle: 'M0 -5l5 9h-10z',
  }[mark];
  return `<path class="mark s${k}" transform="translate(${x} ${y})" d="${shape}"/>`;
}

/** Bars' names side by side, lines' names one below the other. */
function legend(names: readonly string[], left: number, of: 'bar' | 'line'): string {
  let x = left;
  return names
    .map((name, k) => {
      const [at, y] = of === 'bar' ? [x, 46] : [left, 48 + 20 * k];
      x += 34 + 8 * name.length;
      const sign =
        of === 'bar'
          ? `<rect class="bar s${k}" x="${at}" y="${y - 6}" width="12" height="12"/>`
          : `<line class="line s${k}" stroke-dasharray="${LOOKS[k % LOOKS.length].dash}" x1="${at}" x2="${at + 34}" y1="${y}" y2="${y}"/>` +
            drawMark(k, LOOKS[k % LOOKS.length].mark, at + 17, y);
      return sign + textAt(at + (of === 'bar' ? 18 : 42), y + 4, name);
    })
    .join('');
}

interface Scale {
  at(value: number): number;
  ticks: { at: number; text: string }[];
}

/** @param own ticks at the values themselves, instead of at powers of ten */
function logScale(values: readonly number[], from: number, to: number, own = false): Scale {
  const given = values.filter(value => value > 0);
  const known = given.length ? given : [1, 10];
  const [least, most] = [Math.log10(Math.min(...known)), Math.log10(Math.max(...known))];
  const low = own ? least : Math.floor(least + 1e-9);
  const high = own ? Math.max(most, low + 0.1) : Math.max(Math.ceil(most - 1e-9), low + 1);
  const at = (value: number): number =>
    from + ((Math.max(Math.log10(Math.max(value, 1e-300)), low) - low) / (high - low)) * (to - from);
  const powers = Array.from({ length: Math.round(high - low) + 1 }, (_, k) => 10 ** (low + k));
  const ticks = own ? [...new Set(known)] : powers;
  return {
    at,
    ticks: ticks.map(value => ({ at: round(at(value)), text: own ? String(value) : short(value) })),
  };
}

const vertical = (x: number, top: number, bottom: number, text: string): string =>
  `<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>` +
  textAt(x, bottom + 18, text, 'text-anchor="middle"');

const textAt = (x: number, y: number, text: string, more = ''): string =>
  `<text x="${round(x)}" y="${round(y)}" ${more}>${xml(text)}</text>`;

const svg = (height: number, title: string, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">` +
  `<title>${xml(title)}</title>${style()}<rect class="ground" width="${WIDTH}" height="${height}"/>` +
  `<text class="title" x="16" y="24">${xml(title)}</text>${parts.join('\n')}</svg>\n`;

/** At most three digits; powers of ten as they are. */
const short = (value: number): string =>
  value >= 1e6 || value < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(3)));
const round = (x: number): number => Math.round(x * 10) / 10;
const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
