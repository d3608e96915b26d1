import { byId, colour, onceAFrame, onScheme, write } from './dom.ts';
import type { Steps } from './look.ts';

/** Sizes in CSS pixels. A column is as wide as fits, within these; where it does not fit, the box scrolls. */
const COLUMN = { min: 17, max: 60 };
const ROW = { min: 9, max: 26 };
/** Height of all rows together, if rows stay within their limits. */
const ROWS = 364;
const GAP = 10;
const BAR = 34;
const LINE = 18;
/** A label may stand out of the last column. */
const MARGIN = 6;
/** Labels are smaller where columns are narrower than this. */
const NARROW = 24;
const fontOf = (size: number) =>
  `${size}px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace`;

interface Layout {
  font: string;
  column: number;
  row: number;
  /** Left edge of the first column. */
  left: number;
  /** Height of the labels of the inputs, which stand upright where they are wider than a column. */
  labels: number;
  upright: boolean;
  width: number;
  height: number;
}

/** The strengths of one sequence over time, its push and pop, and what came out. */
export class HeatMap {
  readonly #canvas = byId('heat', HTMLCanvasElement);
  readonly #scroll = byId('heat-scroll', HTMLElement);
  readonly #under = byId('under', HTMLOutputElement);
  readonly #right = byId('heat-right', HTMLElement);
  readonly #context = this.#canvas.getContext('2d')!;
  readonly #draw = onceAFrame(() => this.#drawNow());
  #steps: Steps | undefined;
  #layout: Layout | undefined;
  #pointer: { x: number; y: number } | undefined;

  constructor() {
    onScheme(this.#draw);
    new ResizeObserver(this.#draw).observe(this.#scroll);
    this.#canvas.addEventListener('pointermove', ({ offsetX, offsetY }) => {
      this.#pointer = { x: offsetX, y: offsetY };
      this.#tell();
    });
    this.#canvas.addEventListener('pointerleave', () => {
      this.#pointer = undefined;
      this.#tell();
    });
  }

  show(steps: Steps): void {
    this.#steps = steps;
    const asked = steps.target.flatMap((target, t) => (target === '·' ? [] : [t]));
    const right = asked.filter(t => steps.target[t] === steps.output[t]).length;
    write(this.#right, `Now ${right} of ${asked.length} outputs are right.`);
    this.#canvas.setAttribute(
      'aria-label',
      `Strengths over ${steps.input.length} steps. Output: ${asked.map(t => steps.output[t]).join(' ')}. ` +
        `Right would be: ${asked.map(t => steps.target[t]).join(' ')}.`,
    );
    this.#draw();
    this.#tell();
  }

  #measure(steps: Steps): Layout {
    const wide = this.#measureWith(12, steps);
    return wide.column >= NARROW ? wide : this.#measureWith(10, steps);
  }

  #measureWith(size: number, { input }: Steps): Layout {
    const T = input.length;
    const font = fontOf(size);
    this.#context.font = font;
    const widthOf = (text: string) => this.#context.measureText(text).width;
    const label = Math.max(...input.map(widthOf));
    const left = Math.ceil(Math.max(label, widthOf('output'))) + 8;
    const room = this.#scroll.clientWidth - left - MARGIN;
    const column = Math.max(COLUMN.min, Math.min(COLUMN.max, Math.floor(room / T)));
    const row = Math.max(ROW.min, Math.min(ROW.max, Math.floor(ROWS / T)));
    // Markers such as `<s>` may stand out a little; words stay apart.
    const upright = label > (label > 30 ? column - 4 : column + 2);
    const labels = upright ? Math.ceil(label) + 6 : LINE;
    return {
      font,
      column,
      row,
      left,
      labels,
      upright,
      width: left + T * column + MARGIN,
      height: T * row + GAP / 2 + labels + 2 * (BAR + GAP) + 2 * LINE,
    };
  }

  #drawNow(): void {
    const steps = this.#steps;
    if (!steps || this.#scroll.clientWidth === 0) return;
    const layout = this.#measure(steps);
    this.#layout = layout;
    const ratio = devicePixelRatio || 1;
    const { width, height } = layout;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    const context = this.#context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = layout.font;
    context.textBaseline = 'middle';
    this.#drawMap(steps, layout);
    let y = steps.input.length * layout.row + GAP / 2;
    this.#drawInputs(steps, layout, y);
    y += layout.labels + GAP;
    this.#drawBars('push', steps.push, layout, y);
    this.#drawBars('pop', steps.pop, layout, y + BAR + GAP);
    this.#drawOutputs(steps, layout, y + 2 * BAR + GAP);
  }

  #drawMap({ input, strengths }: Steps, { column, row, left }: Layout): void {
    const context = this.#context;
    const T = input.length;
    context.fillStyle = colour('heat');
    strengths.forEach((rows, t) => {
      rows.forEach((strength, i) => {
        context.globalAlpha = Math.max(0, Math.min(1, strength));
        context.fillRect(left + t * column, (T - 1 - i) * row, column - 1, row - 1);
      });
    });
    context.globalAlpha = 1;
    context.strokeStyle = colour('line');
    context.strokeRect(left - 0.5, 0.5, T * column, T * row - 1);
    context.fillStyle = colour('muted');
    context.textAlign = 'right';
    const every = Math.ceil(12 / row);
    input.forEach((name, i) => {
      if (i % every === 0) context.fillText(name, left - 6, (T - 0.5 - i) * row);
    });
  }

  #drawInputs({ input }: Steps, { column, left, labels, upright }: Layout, y: number): void {
    const context = this.#context;
    context.fillStyle = colour('ink');
    input.forEach((name, t) => {
      const x = left + (t + 0.5) * column;
      if (upright) {
        context.save();
        context.translate(x, y + 2);
        context.rotate(-Math.PI / 2);
        context.textAlign = 'right';
        context.fillText(name, 0, 0);
        context.restore();
      } else {
        context.textAlign = 'center';
        context.fillText(name, x, y + LINE / 2);
      }
    });
    context.fillStyle = colour('muted');
    context.textAlign = 'right';
    context.fillText('input', left - 6, y + labels / 2);
  }

  #drawBars(
    name: 'push' | 'pop',
    strengths: readonly number[],
    { column, left, width }: Layout,
    y: number,
  ): void {
    const context = this.#context;
    context.fillStyle = colour('muted');
    context.textAlign = 'right';
    context.fillText(name, left - 6, y + BAR / 2);
    context.fillStyle = colour('line');
    context.fillRect(left, y, width - left - MARGIN, 1);
    context.fillRect(left, y + BAR, width - left - MARGIN, 1);
    context.fillStyle = colour(name);
    strengths.forEach((strength, t) => {
      const height = strength * BAR;
      context.fillRect(left + t * column + 3, y + BAR - height, column - 7, height);
    });
  }

  #drawOutputs({ output, target }: Steps, { column, left }: Layout, y: number): void {
    const context = this.#context;
    const [ink, muted, bad] = [colour('ink'), colour('muted'), colour('bad')];
    context.fillStyle = muted;
    context.textAlign = 'right';
    context.fillText('output', left - 6, y + LINE * 0.7);
    context.fillText('right', left - 6, y + LINE * 1.6);
    context.textAlign = 'center';
    output.forEach((name, t) => {
      const x = left + (t + 0.5) * column;
      const wrong = name !== target[t];
      context.fillStyle = name === '·' ? muted : wrong ? bad : ink;
      context.fillText(name, x, y + LINE * 0.7);
      if (wrong) context.fillRect(x - column * 0.3, y + LINE * 0.7 - 0.5, column * 0.6, 1);
      context.fillStyle = muted;
      context.fillText(target[t], x, y + LINE * 1.6);
    });
  }

  /** Says in words what lies under the pointer. */
  #tell(): void {
    write(this.#under, this.#steps && this.#layout && this.#pointer ? this.#words() : '');
  }

  #words(): string {
    const { input, strengths, push, pop } = this.#steps!;
    const { column, row, left } = this.#layout!;
    const { x, y } = this.#pointer!;
    const t = Math.floor((x - left) / column);
    if (t < 0 || t >= input.length) return '';
    const i = input.length - 1 - Math.floor(y / row);
    const at = `step ${t + 1} (${input[t]})`;
    if (i >= 0 && i <= t) {
      return `${at}: ${strengths[t][i].toFixed(3)} left of what was pushed at step ${i + 1} (${input[i]})`;
    }
    return `${at}: push ${push[t].toFixed(3)}, pop ${pop[t].toFixed(3)}`;
  }
}
