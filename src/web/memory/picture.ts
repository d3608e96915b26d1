import { byId, colour, onColourSchemeChange, onceAFrame, write } from '../dom.ts';
import { BAR, GAP, type Layout, LINE, layOut, MARGIN } from './layout.ts';
import type { MemorySteps, SequenceSteps } from './probe.ts';
import { firstRow } from './weights.ts';

/** Smaller strengths are not drawn. */
const MIN_STRENGTH = 0.004;
/** Rows that are read with a smaller weight have no frame. */
const MIN_WEIGHT = 0.02;

/**
 * One memory over the steps of a sequence: strengths as a heat map with frames around what is read, push and pop as
 * bars, the outputs and their probabilities. A click selects a step, whose details are shown beside the picture.
 */
export class Picture {
  readonly #canvas = byId('heat', HTMLCanvasElement);
  readonly #scroll = byId('heat-scroll', HTMLElement);
  readonly #under = byId('under', HTMLOutputElement);
  readonly #context = this.#canvas.getContext('2d')!;
  readonly #draw = onceAFrame(() => this.#drawNow());
  #steps: SequenceSteps | undefined;
  #memory: MemorySteps | undefined;
  #chosen = 0;
  #layout: Layout | undefined;
  #pointer: { x: number; y: number } | undefined;

  constructor(onChoose: (step: number) => void) {
    onColourSchemeChange(this.#draw);
    new ResizeObserver(this.#draw).observe(this.#scroll);
    this.#canvas.addEventListener('pointermove', ({ offsetX, offsetY }) => {
      this.#pointer = { x: offsetX, y: offsetY };
      this.#showPointed();
    });
    this.#canvas.addEventListener('pointerleave', () => {
      this.#pointer = undefined;
      this.#showPointed();
    });
    this.#canvas.addEventListener('click', ({ offsetX }) => {
      const step = this.#stepAt(offsetX);
      if (step !== undefined) onChoose(step);
    });
  }

  /** @param chosen the selected step */
  show(steps: SequenceSteps, memory: MemorySteps | undefined, chosen: number): void {
    this.#steps = steps;
    this.#memory = memory;
    this.#chosen = chosen;
    const expected = steps.target.flatMap((target, t) => (target === '·' ? [] : [t]));
    const label =
      `${memory ? 'The memory over ' : ''}${steps.input.length} steps. Output: ${expected.map(t => steps.output[t]).join(' ')}. ` +
      `Correct answer: ${expected.map(t => steps.target[t]).join(' ')}.`;
    if (this.#canvas.getAttribute('aria-label') !== label) this.#canvas.setAttribute('aria-label', label);
    this.#draw();
    this.#showPointed();
  }

  #drawNow(): void {
    const steps = this.#steps;
    if (!steps || this.#scroll.clientWidth === 0) return;
    const context = this.#context;
    const layout = layOut(steps, this.#memory, this.#scroll.clientWidth, context);
    this.#layout = layout;
    const ratio = devicePixelRatio || 1;
    const { width, height } = layout;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = layout.font;
    context.textBaseline = 'middle';
    this.#drawChosen(layout);
    if (this.#memory) {
      this.#drawStrengths(this.#memory, steps, layout);
      this.#drawReads(this.#memory, layout);
      this.#drawRowNames(steps, layout);
    }
    this.#drawInputs(steps, layout);
    layout.bars.forEach(({ name, colour: hue, strengths }, i) => {
      this.#drawBars(name, hue, strengths, layout, layout.barsAt + i * (BAR + GAP));
    });
    this.#drawOutputs(steps, layout);
  }

  #drawChosen({ column, left, height }: Layout): void {
    const context = this.#context;
    context.fillStyle = colour('chosen');
    context.fillRect(left + this.#chosen * column - 0.5, 0, column, height);
  }

  #drawStrengths({ kind, strengths }: MemorySteps, { input }: SequenceSteps, layout: Layout): void {
    const { column, row, rows, left } = layout;
    const context = this.#context;
    const T = input.length;
    context.fillStyle = colour('heat');
    strengths.forEach((values, t) => {
      const first = firstRow(kind, T, t);
      values.forEach((strength, i) => {
        if (strength < MIN_STRENGTH) return;
        context.globalAlpha = Math.min(1, strength);
        const y = (rows.length - 1 - first - i) * row;
        context.fillRect(left + t * column, y, Math.max(1, column - 1), Math.max(1, row - 1));
      });
    });
    context.globalAlpha = 1;
    context.strokeStyle = colour('line');
    context.strokeRect(left - 0.5, 0.5, T * column, rows.length * row - 1);
    // The two ends of a deque grow from the middle.
    if (kind === 'deque') context.strokeRect(left - 0.5, T * row - 0.5, T * column, 0);
  }

  /** Draws frames around what is read at each step; those of a deque's bottom are dashed. */
  #drawReads({ kind, ends, strengths }: MemorySteps, { column, row, rows, left }: Layout): void {
    const context = this.#context;
    const T = strengths.length;
    const thin = row < 6;
    const frame = (...box: [number, number, number, number]): void => {
      // Two colours, so that the frame is visible on any strength.
      for (const [hue, width] of [
        ['card', thin ? 2 : 4],
        ['read', thin ? 1 : 2],
      ] as const) {
        context.strokeStyle = colour(hue);
        context.lineWidth = width;
        context.strokeRect(...box);
      }
    };
    ends.forEach(({ weights }, end) => {
      context.setLineDash(end === 1 ? [3, 2] : []);
      weights.forEach((values, t) => {
        const first = firstRow(kind, T, t);
        for (const [low, high] of groupsOf(values)) {
          const y = (rows.length - 1 - first - high) * row;
          frame(left + t * column + 0.5, y, Math.max(2, column - 2), (high - low + 1) * row - 1);
        }
      });
    });
    context.setLineDash([]);
    context.lineWidth = 1;
  }

  #drawRowNames({ input }: SequenceSteps, { row, rows, left }: Layout): void {
    const context = this.#context;
    context.fillStyle = colour('muted');
    context.textAlign = 'right';
    const every = Math.ceil(12 / row);
    rows.forEach(({ step, end }, i) => {
      if (step % every === 0 && (end === 0 || step > 0 || every === 1)) {
        context.fillText(input[step], left - 6, (rows.length - 0.5 - i) * row);
      }
    });
  }

  #drawInputs(
    { input }: SequenceSteps,
    { column, left, labelled, labels, rotated, inputs: y }: Layout,
  ): void {
    const context = this.#context;
    context.fillStyle = colour('ink');
    input.forEach((name, t) => {
      if (!labelled) return;
      const x = left + (t + 0.5) * column;
      if (rotated) {
        context.save();
        context.translate(x, y + 2);
        context.rotate(-Math.PI / 2);
        context.textAlign = 'right';
        context.fillText(name, 0, 0);
        context.restore();
      } else {
        context.textAlign = 'center';
        context.fillText(name, x, y + LINE / 2, column - 2);
      }
    });
    this.#name('input', left, y + labels / 2);
  }

  #name(name: string, left: number, y: number): void {
    this.#context.fillStyle = colour('muted');
    this.#context.textAlign = 'right';
    this.#context.fillText(name, left - 6, y);
  }

  #drawBars(
    name: string,
    hue: string,
    values: readonly number[],
    { column, left, width }: Layout,
    y: number,
  ): void {
    const context = this.#context;
    this.#name(name, left, y + BAR / 2);
    context.fillStyle = colour('line');
    context.fillRect(left, y, width - left - MARGIN, 1);
    context.fillRect(left, y + BAR, width - left - MARGIN, 1);
    context.fillStyle = colour(hue);
    const inset = column > 20 ? 3 : 1;
    values.forEach((value, t) => {
      const height = Math.max(0, Math.min(1, value)) * BAR;
      context.fillRect(
        left + t * column + inset,
        y + BAR - height,
        Math.max(1, column - 2 * inset - 1),
        height,
      );
    });
  }

  #drawOutputs({ output, target, likely }: SequenceSteps, layout: Layout): void {
    const { column, left, labelled, outputs: y } = layout;
    const probabilities = output.map((name, t) => (name === '·' ? 0 : (likely[t][0]?.value ?? 0)));
    this.#drawBars('prob.', 'sure', probabilities, layout, y);
    const context = this.#context;
    const [ink, muted, bad] = [colour('ink'), colour('muted'), colour('bad')];
    const [outputs, targets] = [y + BAR + GAP + LINE * 0.5, y + BAR + GAP + LINE * 1.5];
    this.#name('output', left, outputs);
    this.#name('target', left, targets);
    context.textAlign = 'center';
    output.forEach((name, t) => {
      const x = left + (t + 0.5) * column;
      const wrong = name !== '·' && name !== target[t];
      context.fillStyle = name === '·' ? muted : wrong ? bad : ink;
      if (labelled) {
        // A name wider than its column is condensed, so that labels do not overlap.
        context.fillText(name, x, outputs, column - 2);
        // Wrong outputs are marked by more than colour.
        if (wrong) context.fillRect(x - column * 0.3, outputs - 0.5, column * 0.6, 1.5);
        context.fillStyle = muted;
        context.fillText(target[t], x, targets, column - 2);
      } else if (name !== '·') {
        context.fillRect(x - column * 0.35, wrong ? outputs - 6 : outputs - 1, column * 0.7, wrong ? 12 : 2);
      }
    });
  }

  #stepAt(x: number): number | undefined {
    if (!this.#layout || !this.#steps) return undefined;
    const step = Math.floor((x - this.#layout.left) / this.#layout.column);
    return step >= 0 && step < this.#steps.input.length ? step : undefined;
  }

  /** Describes what is under the pointer. */
  #showPointed(): void {
    write(this.#under, this.#steps && this.#layout && this.#pointer ? this.#pointedText() : '');
  }

  #pointedText(): string {
    const { input, output, likely } = this.#steps!;
    const { row, rows, bars } = this.#layout!;
    const { x, y } = this.#pointer!;
    const t = this.#stepAt(x);
    if (t === undefined) return '';
    const stepText = `step ${t + 1} (${input[t]})`;
    const outputText = output[t] === '·' ? '' : `, output ${output[t]} (${likely[t][0].value.toFixed(3)})`;
    const memory = this.#memory;
    const pointed = row ? rows.length - 1 - Math.floor(y / row) : -1;
    if (memory && pointed >= 0) {
      const i = pointed - firstRow(memory.kind, input.length, t);
      const strength = memory.strengths[t][i];
      if (strength === undefined) return `${stepText}: not pushed yet`;
      const weights = memory.ends.map(({ weights }) => weights[t][i]);
      const pushed = rows[pointed].step;
      return `${stepText}: ${strength.toFixed(3)} left of the value of step ${pushed + 1} (${input[pushed]}), read with weight ${weights.map(weight => weight.toFixed(3)).join(' and ')}`;
    }
    return `${stepText}: ${bars.map(({ name, strengths }) => `${name} ${strengths[t].toFixed(3)}`).join(', ')}${outputText}`;
  }
}

/** Returns the first and last index of each group of adjacent rows that are read. */
function groupsOf(weights: readonly number[]): [low: number, high: number][] {
  const groups: [number, number][] = [];
  weights.forEach((weight, i) => {
    if (weight < MIN_WEIGHT) return;
    const last = groups.at(-1);
    if (last?.[1] === i - 1) last[1] = i;
    else groups.push([i, i]);
  });
  return groups;
}
