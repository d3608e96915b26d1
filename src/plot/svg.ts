/** What all plots share: SVG as text, for light and dark mode, without dependencies or a DOM. */

/**
 * Colours based on those of Okabe and Ito, distinguishable by colour-blind readers. Marks and dashes also differ, for
 * greyscale printing.
 */
const SERIES_STYLES = [
  { light: '#0072b2', dark: '#56b4e9', dash: '', mark: 'M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z' },
  { light: '#b35900', dark: '#f0a35e', dash: '7 4', mark: 'M-3.2 -3.2h6.4v6.4h-6.4z' },
  { light: '#007a59', dark: '#3fc79a', dash: '2 3', mark: 'M0 -4.6l4.6 4.6l-4.6 4.6l-4.6 -4.6z' },
  { light: '#a14f82', dark: '#e09ac4', dash: '8 3 2 3', mark: 'M0 -4.4l4.4 8h-8.8z' },
] as const;
/** Maximum number of series in a plot. */
const MAX_SERIES = SERIES_STYLES.length;

const colours = (mode: 'light' | 'dark'): string =>
  SERIES_STYLES.map((style, k) => `.s${k} { --c: ${style[mode]} }`).join(' ');

const STYLE = `<style>
  svg { font: 13px system-ui, sans-serif; background: #fff }
  text { fill: #333 } .title { font-size: 15px; font-weight: 600 } .small { font-size: 12px }
  .ground { fill: #fff } .grid { stroke: #ddd } .axis { stroke: #777 } .shade { fill: #e9eef3 }
  .bar { fill: var(--c) } .line { fill: none; stroke: var(--c); stroke-width: 2 } .mark { fill: var(--c) }
  .spread { stroke: #333; stroke-width: 1.5 }
  ${colours('light')}
  @media (prefers-color-scheme: dark) {
    svg { background: #1b2126 } text { fill: #d5d9de } .spread { stroke: #d5d9de }
    .ground { fill: #1b2126 } .grid { stroke: #343a41 } .axis { stroke: #8b939c } .shade { fill: #26303a }
    ${colours('dark')}
  }
</style>`;

/** Left edge of titles, in px. */
export const MARGIN = 16;

/** Widths of letters at 13 px in a wide font, so that text in any common font fits. */
const WIDTHS: [letters: RegExp, width: number][] = [
  [/[ijl.,:;'|! ]/, 4.2],
  [/[frt()-]/, 5.2],
  [/[mwMW]/, 12],
  [/[A-Z=^~+]/, 9.6],
];
const USUAL_WIDTH = 8.1;

/** Approximate width of a text in px. */
export const widthOf = (text: string): number =>
  [...text].reduce(
    (sum, letter) => sum + (WIDTHS.find(([letters]) => letters.test(letter))?.[1] ?? USUAL_WIDTH),
    0,
  );

export const round = (x: number): number => Math.round(x * 10) / 10;

const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, char => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);

export const textAt = (x: number, y: number, text: string, attributes = ''): string =>
  `<text x="${round(x)}" y="${round(y)}"${attributes && ` ${attributes}`}>${escapeXml(text)}</text>`;

/** A straight line. */
export const straight = (kind: string, x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="${kind}" x1="${round(x1)}" x2="${round(x2)}" y1="${round(y1)}" y2="${round(y2)}"/>`;

/** A complete SVG image, as text. */
export const picture = (width: number, height: number, title: string, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">\n` +
  `<title>${escapeXml(title)}</title>\n${STYLE}\n<rect class="ground" width="${width}" height="${height}"/>\n` +
  `${textAt(MARGIN, 24, title, 'class="title"')}\n${parts.filter(Boolean).join('\n')}\n</svg>\n`;

/** The line of series k along an SVG path. */
export const lineOf = (k: number, path: string): string => {
  const { dash } = SERIES_STYLES[k % MAX_SERIES];
  return `<path class="line s${k % MAX_SERIES}" d="${path}"${dash && ` stroke-dasharray="${dash}"`}/>`;
};

export const markOf = (k: number, x: number, y: number): string =>
  `<path class="mark s${k % MAX_SERIES}" transform="translate(${round(x)} ${round(y)})" d="${SERIES_STYLES[k % MAX_SERIES].mark}"/>`;

export const barOf = (k: number, x: number, y: number, width: number, height: number): string =>
  `<rect class="bar s${k % MAX_SERIES}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}"/>`;

const ROW = 20;
/** How the legend shows a series. */
const LEGEND_KEYS = {
  line: {
    width: 34,
    draw: (k: number, x: number, y: number) => lineOf(k, `M${x} ${y}h28`) + markOf(k, x + 14, y),
  },
  bar: { width: 18, draw: (k: number, x: number, y: number) => barOf(k, x, y - 6, 12, 12) },
};

/** The names of the series below the title, in as many rows as they need. The plot may start at `bottom`, in px. */
export function legend(
  names: readonly string[],
  kind: keyof typeof LEGEND_KEYS,
  left: number,
  right: number,
): { parts: string[]; bottom: number } {
  const { width, draw } = LEGEND_KEYS[kind];
  let [x, y] = [left, 46];
  const parts = names.map((name, k) => {
    const total = width + widthOf(name);
    if (x > left && x + total > right) [x, y] = [left, y + ROW];
    const part = draw(k, round(x), y) + textAt(x + width, y + 4, name);
    x += total + 16;
    return part;
  });
  return { parts, bottom: y + ROW };
}

export interface Axis {
  label: string;
  ticks: readonly { at: number; text: string }[];
}

/** Grid and numbers of an x axis over [top, bottom], with the label below. */
export const gridOfX = (
  { label, ticks }: Axis,
  left: number,
  right: number,
  top: number,
  bottom: number,
): string[] => [
  ...ticks.map(
    ({ at, text }) =>
      straight('grid', at, top, at, bottom) + textAt(at, bottom + 18, text, 'text-anchor="middle"'),
  ),
  textAt((left + right) / 2, bottom + 40, label, 'text-anchor="middle"'),
];

/** Grid and numbers of a y axis over [left, right], with the label rotated beside it. */
export const gridOfY = (
  { label, ticks }: Axis,
  left: number,
  right: number,
  top: number,
  bottom: number,
): string[] => [
  ...ticks.map(
    ({ at, text }) =>
      straight('grid', left, at, right, at) + textAt(left - 8, at + 4, text, 'text-anchor="end"'),
  ),
  `<text transform="translate(18 ${round((top + bottom) / 2)}) rotate(-90)" text-anchor="middle">${escapeXml(label)}</text>`,
];
