import type { MemorySteps, SequenceSteps } from './probe.ts';
import { endName, type Row, rowsOf } from './weights.ts';

/** Sizes in CSS pixels. Columns fill the width within these limits; if they are wider than the box, it scrolls. */
const COLUMN = { min: 7, max: 60 };
const ROW = { min: 2, max: 26 };
/** Intended height of all rows together. The limits of ROW take precedence. */
const ROWS = 364;
/** Columns narrower than NARROW have smaller labels, columns narrower than NO_LABELS have none. */
const NARROW = 24;
const NO_LABELS = 13;
/** Space between parts of the picture, height of bars, and height of a line of text. */
export const GAP = 10;
export const BAR = 30;
export const LINE = 18;
/** Space for a label that extends beyond the last column. */
export const MARGIN = 6;

/** Colours of the controls of an end, in order. */
export const HUES = ['push', 'pop', 'muted'] as const;

/** A control of one end, such as push or pop, drawn as bars. */
export interface Bars {
  name: string;
  colour: (typeof HUES)[number];
  strengths: readonly number[];
}

export interface Layout {
  font: string;
  column: number;
  row: number;
  rows: Row[];
  bars: Bars[];
  /** Left edge of the first column. */
  left: number;
  /** Whether columns are wide enough for their symbols. */
  labelled: boolean;
  /** Height of the labels of the inputs. */
  labels: number;
  /** Whether these labels are rotated, because they are wider than a column. */
  rotated: boolean;
  /** Top edges of the inputs, the bars and the outputs. */
  inputs: number;
  barsAt: number;
  outputs: number;
  width: number;
  height: number;
}

const fontOf = (size: number) =>
  `${size}px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace`;

const barsOf = ({ kind, ends }: MemorySteps): Bars[] =>
  ends.flatMap(({ controls }, end) =>
    Object.entries(controls).map(([name, strengths], c) => ({
      name: endName(name, kind, end),
      colour: HUES[c],
      strengths,
    })),
  );

/** Computes the layout of a memory over time for a given width. Without a memory it has only inputs and outputs. */
export function layOut(
  steps: SequenceSteps,
  memory: MemorySteps | undefined,
  width: number,
  context: CanvasRenderingContext2D,
): Layout {
  const layout = layOutWith(12, steps, memory, width, context);
  return layout.column >= NARROW ? layout : layOutWith(10, steps, memory, width, context);
}

function layOutWith(
  size: number,
  { input }: SequenceSteps,
  memory: MemorySteps | undefined,
  available: number,
  context: CanvasRenderingContext2D,
): Layout {
  const T = input.length;
  const font = fontOf(size);
  context.font = font;
  const widthOf = (text: string) => context.measureText(text).width;
  const bars = memory ? barsOf(memory) : [];
  const rows = memory ? rowsOf(memory.kind, T) : [];
  const label = Math.max(...input.map(widthOf));
  const left = Math.ceil(Math.max(label, widthOf('output'), ...bars.map(({ name }) => widthOf(name)))) + 8;
  const room = available - left - MARGIN;
  const column = Math.max(COLUMN.min, Math.min(COLUMN.max, Math.floor(room / T)));
  const row = rows.length && Math.max(ROW.min, Math.min(ROW.max, Math.floor(ROWS / rows.length)));
  const labelled = column >= NO_LABELS;
  // Short markers such as `<s>` may exceed their column a little; longer words may not.
  const rotated = labelled && label > (label > 30 ? column - 4 : column + 2);
  const labels = rotated ? Math.ceil(label) + 6 : LINE;
  const inputs = rows.length * row + GAP / 2;
  const barsAt = inputs + labels + GAP;
  const outputs = barsAt + bars.length * (BAR + GAP);
  return {
    font,
    column,
    row,
    rows,
    bars,
    left,
    labelled,
    labels,
    rotated,
    inputs,
    barsAt,
    outputs,
    width: left + T * column + MARGIN,
    height: outputs + BAR + GAP + 2 * LINE,
  };
}

/** Whether two pictures show the same source. */
export const isSameInput = (a: SequenceSteps, b: SequenceSteps): boolean =>
  a.input.join('\t') === b.input.join('\t');
