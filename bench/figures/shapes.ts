/** Shapes of the figures of docs/algorithm.md, in the style and colours of src/plot. */
import { round, textAt } from '../../src/plot/svg.ts';

/** A rectangle in the colour of series k, on which text is readable in light and dark. @param faint for removed rows */
export const box = (k: number, x: number, y: number, width: number, height: number, faint = false): string =>
  `<rect class="s${k % 4}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" ` +
  `style="fill:var(--c);fill-opacity:${faint ? 0.07 : 0.3};stroke:var(--c)${faint ? ';stroke-dasharray:3 3' : ''}"/>`;

/** An empty slot. */
export const hollow = (x: number, y: number, width: number, height: number): string =>
  `<rect class="axis" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="none" stroke-opacity=".45"/>`;

/** A line of any direction, in the colour of axes. @param more attributes */
export const stroke = (x1: number, y1: number, x2: number, y2: number, more = ''): string =>
  `<line class="axis" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"${more && ` ${more}`}/>`;

/** A line that ends in an arrow head. */
export function arrow(x1: number, y1: number, x2: number, y2: number, more = ''): string {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const head = [-1, 1].map(side => {
    const turned = angle + Math.PI + side * 0.45;
    return stroke(x2, y2, x2 + 7 * Math.cos(turned), y2 + 7 * Math.sin(turned));
  });
  return stroke(x1, y1, x2, y2, more) + head.join('');
}

/** An upright bracket, open to the left. */
export const bracket = (x: number, y1: number, y2: number): string =>
  stroke(x, y1, x, y2, 'stroke-width="2"') + stroke(x - 5, y1, x, y1) + stroke(x - 5, y2, x, y2);

export const centred = (x: number, y: number, text: string, more = ''): string =>
  textAt(x, y, text, `text-anchor="middle"${more && ` ${more}`}`);

export const small = (x: number, y: number, text: string): string => textAt(x, y, text, 'class="small"');

/** A strength with as few digits as possible: `.8`, `1`, `1.25`. */
export const strength = (s: number): string => String(Number(s.toFixed(4))).replace(/^0\./, '.');
