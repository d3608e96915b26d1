import uPlot from 'uplot';
import { colour, make, onColourSchemeChange, onceAFrame } from '../dom.ts';
import { significant } from '../format.ts';
import { axis } from './axis.ts';
import { decades } from './decades.ts';
import { emptyHistory, type History, smooth } from './history.ts';
import { CHARTS, type ChartSpec, COMPARED, DASHES, type Line, MAX_COMPARED, TICKS } from './specs.ts';

const HEIGHT = 190;
/** Number of charts that are always visible. */
const VISIBLE = 2;

/** A run to compare with the current one. */
export interface Compared {
  name: string;
  history: History;
}

/** A chart as drawn, with the labels of its lines. */
export interface DrawnChart {
  title: string;
  canvas: HTMLCanvasElement;
  legend: { label: string; colour: string }[];
}

interface Chart {
  spec: ChartSpec;
  host: HTMLElement;
  plot: uPlot;
}

/** Charts of the numbers of a run over training steps, together with those of compared runs. */
export class Charts {
  #history = emptyHistory();
  #compared: Compared[] = [];
  #smoothing = 0;
  #charts: Chart[] = [];
  readonly #hosts: { spec: ChartSpec; host: HTMLElement }[];
  readonly #draw = onceAFrame(() => this.#drawNow());

  /** @param parent element for the first two charts @param more element for the others */
  constructor(parent: HTMLElement, more: HTMLElement) {
    this.#hosts = CHARTS.map((spec, i) => {
      const host = make('div', { class: 'chart', id: `${spec.id}-chart`, role: 'group' });
      const title = make('h3', { id: `${spec.id}-title` }, spec.title);
      (i < VISIBLE ? parent : more).append(
        make(
          'figure',
          { class: 'card', id: `${spec.id}-figure`, 'aria-labelledby': title.id },
          title,
          host,
          make('figcaption', {}, spec.caption),
        ),
      );
      return { spec, host };
    });
    this.#build();
    onColourSchemeChange(() => this.#build());
    const resized = new ResizeObserver(() => this.#fit());
    for (const box of [parent, more]) resized.observe(box);
  }

  /** Shows a history. Call changed() after adding to it. */
  show(history: History): void {
    this.#history = history;
    this.#draw();
  }

  changed(): void {
    this.#draw();
  }

  compare(compared: readonly Compared[]): void {
    this.#compared = compared.slice(0, MAX_COMPARED);
    this.#build();
  }

  /** Sets the smoothing. @param share weight of the past in the moving average, 0 to 1 */
  smoothing(share: number): void {
    this.#smoothing = share;
    this.#draw();
  }

  /** The charts as currently drawn, for exporting a picture. */
  get drawn(): DrawnChart[] {
    return this.#charts.map(({ spec, plot }) => ({
      title: spec.title,
      canvas: plot.ctx.canvas,
      legend: plot.series.slice(1).map(({ label, stroke }) => ({
        label: String(label),
        colour: typeof stroke === 'function' ? String(stroke(plot, 1)) : String(stroke),
      })),
    }));
  }

  #build(): void {
    for (const { plot } of this.#charts) plot.destroy();
    this.#charts = this.#hosts.map(({ spec, host }) => {
      const plot = new uPlot(optionsOf(spec, host.clientWidth || 300, this.#compared), undefined, host);
      return { spec, host, plot };
    });
    this.#drawNow();
  }

  #drawNow(): void {
    for (const { spec, plot, host } of this.#charts) {
      const current: uPlot.AlignedData = [
        this.#history.step,
        ...spec.lines.map(({ column }) => this.#shown(spec, this.#history[column])),
      ];
      const { compared } = spec;
      const others = compared
        ? this.#compared.map(
            ({ history }): uPlot.AlignedData => [history.step, this.#shown(spec, history[compared])],
          )
        : [];
      plot.setData(others.length ? uPlot.join([current, ...others]) : current);
      host.setAttribute('aria-label', this.#describe(spec));
    }
  }

  /** Returns the latest values as text, for screen readers. */
  #describe({ title, lines }: ChartSpec): string {
    const values = lines.map(({ column, label }) => {
      const last = this.#history[column].findLast(value => value !== null);
      return `${label} ${last == null ? 'unknown' : significant(last)}`;
    });
    return `${title} up to step ${this.#history.step.at(-1) ?? 0}: ${values.join(', ')}`;
  }

  #shown({ scale, smooth: smoothed }: ChartSpec, values: (number | null)[]): (number | null)[] {
    // 0 cannot be drawn on a logarithmic axis.
    const drawable =
      scale === 'logarithmic' ? values.map(value => (value && value > 0 ? value : null)) : values;
    return smoothed ? smooth(drawable, this.#smoothing) : drawable;
  }

  #fit(): void {
    for (const { plot, host } of this.#charts) {
      const width = host.clientWidth;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }
}

function optionsOf(spec: ChartSpec, width: number, compared: readonly Compared[]): uPlot.Options {
  const { splits, value } = TICKS[spec.scale];
  const series = [
    ...spec.lines.map(seriesOf),
    ...(spec.compared ? compared.map(({ name }, i) => comparedSeries(name, i)) : []),
  ];
  return {
    width,
    height: HEIGHT,
    scales: {
      x: { time: false, range: (_, min, max) => [Math.min(min ?? 0, 0), Math.max(max ?? 0, 50)] },
      y: scaleOf(spec),
    },
    axes: [
      axis({ space: 60, size: 30 }),
      axis({
        size: 56,
        ...(splits && { splits: (_self, _axis, min, max) => splits(min, max) }),
        values: (_, ticks) => ticks.map(value),
        ...(spec.scale === 'logarithmic' && { filter: (_, ticks) => ticks }),
      }),
    ],
    series: [{ label: 'step' }, ...series],
    cursor: { drag: { x: false, y: false }, y: false, sync: { key: 'pushdown' } },
    legend: {
      markers: {
        width: 2,
        fill: (_, i) => (isHollow(series[i - 1]) ? 'transparent' : (series[i - 1].stroke as string)),
        dash: (_, i) => (series[i - 1].dash ? 'dashed' : 'solid'),
      },
    },
    padding: [8, 22, 0, 0],
  };
}

/** Whether the legend shows the mark of a series as an outline, as for points and dashed lines. */
const isHollow = ({ dash, points }: uPlot.Series): boolean => Boolean(dash || points?.size);

function scaleOf({ scale }: ChartSpec): uPlot.Scale {
  if (scale === 'logarithmic') return { distr: 3, range: (_, min, max) => decades(min, max) };
  if (scale === 'share') return { range: [-0.04, 1.04] };
  return { range: (_, _min, max) => [0, max > 0 ? 1.1 * max : 1] };
}

const legendValue = (_: uPlot, value: number | null): string => (value == null ? '–' : significant(value));

const seriesOf = ({ label, colour: name, width, dashed, points }: Line): uPlot.Series => ({
  label,
  stroke: colour(name),
  width,
  ...(dashed && { dash: [5, 4] }),
  spanGaps: true,
  value: legendValue,
  ...(points
    ? {
        paths: () => null,
        points: { show: true, size: points, width: 2, stroke: colour(name), fill: colour('card') },
      }
    : // One or two values are drawn as points, because they hardly make a line.
      { points: { show: self => (self.data[0]?.length ?? 0) < 3 } }),
});

const comparedSeries = (label: string, index: number): uPlot.Series => ({
  label,
  stroke: colour(COMPARED[index]),
  width: 1.5,
  dash: DASHES[index],
  spanGaps: true,
  value: legendValue,
  points: { show: false },
});
