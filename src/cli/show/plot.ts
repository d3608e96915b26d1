/** Accuracy against length as an SVG: no dependencies, for light and dark, for all eyes. */

/** What is drawn of an evaluation. */
export interface PlotRow {
  length: number;
  coarse: number;
  fine: number;
  accuracy: number;
}

export interface PlotOptions {
  /** Lengths trained on, shaded. */
  trained: readonly [low: number, high: number];
  title: string;
}

const [WIDTH, HEIGHT] = [720, 400];
const AREA = { left: 58, right: 20, top: 66, bottom: 50 };
const RIGHT = WIDTH - AREA.right;
const BOTTOM = HEIGHT - AREA.bottom;
/** More points than this are a line without marks. */
const MOST_MARKS = 70;

/**
 * Colours are Okabe and Ito's, told apart by the colour-blind; lines also differ by dashes and marks, for print in
 * grey. Text and ground follow the reader's choice of light or dark.
 */
const SERIES = [
  { key: 'coarse', name: 'coarse: sequences wholly right', dash: '', mark: 'circle' },
  { key: 'fine', name: 'fine: before the first error', dash: '7 4', mark: 'square' },
  { key: 'accuracy', name: 'symbols right', dash: '2 3', mark: 'diamond' },
] as const;

const STYLE = `
  svg { font: 13px system-ui, sans-serif; background: #fff }
  text { fill: #333 } .title { font-size: 15px; font-weight: 600 }
  .ground { fill: #fff } .grid { stroke: #ddd } .axis { stroke: #777 } .trained { fill: #e9eef3 }
  .coarse { --c: #0072b2 } .fine { --c: #d55e00 } .accuracy { --c: #007a59 }
  .line { fill: none; stroke: var(--c); stroke-width: 2 } .mark { fill: var(--c) }
  @media (prefers-color-scheme: dark) {
    svg { background: #16191d } text { fill: #d5d9de }
    .ground { fill: #16191d } .grid { stroke: #343a41 } .axis { stroke: #8b939c } .trained { fill: #252d36 }
    .coarse { --c: #56b4e9 } .fine { --c: #f0a35e } .accuracy { --c: #3fc79a }
  }`;

/**
 * Coarse, fine and symbol accuracy against the length of the source, the trained lengths shaded:
 *
 *   writeFile('plot.svg', accuracyPlot(evaluations, { trained: [1, 10], title: 'reverse with a stack' }));
 */
export function accuracyPlot(rows: readonly PlotRow[], { trained, title }: PlotOptions): string {
  const sorted = [...rows].sort((a, b) => a.length - b.length);
  const lengths = sorted.map(({ length }) => length);
  const low = Math.min(trained[0], ...lengths);
  const high = Math.max(trained[1], ...lengths, low + 1);
  const x = (length: number): number => AREA.left + ((length - low) / (high - low)) * (RIGHT - AREA.left);
  const y = (share: number): number => BOTTOM - share * (BOTTOM - AREA.top);
  const parts = [
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text class="title" x="${AREA.left}" y="24">${xml(title)}</text>`,
    shade(x(trained[0]), x(trained[1])),
    ...[0, 0.25, 0.5, 0.75, 1].map(share => {
      const at = round(y(share));
      return (
        `<line class="grid" x1="${AREA.left}" x2="${RIGHT}" y1="${at}" y2="${at}"/>` +
        `<text x="${AREA.left - 8}" y="${at + 4}" text-anchor="end">${share.toFixed(2)}</text>`
      );
    }),
    ...ticks(low, high).map(length => {
      const at = round(x(length));
      return (
        `<line class="axis" x1="${at}" x2="${at}" y1="${BOTTOM}" y2="${BOTTOM + 5}"/>` +
        `<text x="${at}" y="${BOTTOM + 20}" text-anchor="middle">${length}</text>`
      );
    }),
    `<line class="axis" x1="${AREA.left}" x2="${RIGHT}" y1="${BOTTOM}" y2="${BOTTOM}"/>`,
    `<text x="${(AREA.left + RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">length of the source, in symbols</text>`,
    `<text transform="translate(16 ${(AREA.top + BOTTOM) / 2}) rotate(-90)" text-anchor="middle">accuracy</text>`,
    ...SERIES.map(({ key, dash, mark }) => {
      const points = sorted.map(row => [x(row.length), y(row[key])] as const);
      const marks = points.length > MOST_MARKS ? [] : points.filter(([, at]) => Number.isFinite(at));
      return (
        `<g class="${key}"><path class="line" d="${pathOf(points)}"${dashOf(dash)}/>` +
        `${marks.map(([px, py]) => markOf(mark, px, py)).join('')}</g>`
      );
    }),
    legend(),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">\n` +
    `<title>${xml(title)}</title>\n<style>${STYLE}\n</style>\n${parts.filter(Boolean).join('\n')}\n</svg>\n`
  );
}

function shade(from: number, to: number): string {
  // A single length would be a line of no width.
  const [left, right] = to - from < 4 ? [from - 2, to + 2] : [from, to];
  const label =
    right - left > 60
      ? `<text x="${round((left + right) / 2)}" y="${BOTTOM - 8}" text-anchor="middle">trained</text>`
      : '';
  return `<rect class="trained" x="${round(left)}" y="${AREA.top}" width="${round(right - left)}" height="${BOTTOM - AREA.top}"/>${label}`;
}

/** A line that breaks off where there is no number. */
function pathOf(points: readonly (readonly [number, number])[]): string {
  let pen = false;
  return points
    .map(([px, py]) => {
      if (!Number.isFinite(py)) {
        pen = false;
        return '';
      }
      const command = `${pen ? 'L' : 'M'}${round(px)} ${round(py)}`;
      pen = true;
      return command;
    })
    .join('');
}

const dashOf = (dash: string): string => (dash ? ` stroke-dasharray="${dash}"` : '');

function markOf(mark: (typeof SERIES)[number]['mark'], px: number, py: number): string {
  const [cx, cy] = [round(px), round(py)];
  if (mark === 'circle') return `<circle class="mark" cx="${cx}" cy="${cy}" r="3.2"/>`;
  if (mark === 'square')
    return `<rect class="mark" x="${cx - 2.8}" y="${cy - 2.8}" width="5.6" height="5.6"/>`;
  return `<path class="mark" d="M${cx} ${cy - 4}l4 4l-4 4l-4 -4z"/>`;
}

function legend(): string {
  let at = AREA.left;
  return SERIES.map(({ key, name, dash, mark }) => {
    const line =
      `<g class="${key}"><path class="line" d="M${at} 44h28"${dashOf(dash)}/>${markOf(mark, at + 14, 44)}` +
      `<text x="${at + 34}" y="48">${name}</text></g>`;
    // About the width of the letters: fonts differ, gaps are wide.
    at += 34 + name.length * 6.6 + 18;
    return line;
  }).join('\n');
}

/** Up to about ten round numbers within [low, high]. */
function ticks(low: number, high: number): number[] {
  const rough = Math.max(1, (high - low) / 9);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough)!;
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, i) => first + i * step);
}

const round = (value: number): number => Math.round(value * 10) / 10;

const xml = (text: string): string =>
  text.replace(/[&<>"]/g, char => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);
