import uPlot from 'uplot';
import type { Evaluation } from '../train/evaluate.ts';
import type { Progress } from '../train/trainer.ts';
import { decades, powers } from './decades.ts';
import { colour, onceAFrame, onScheme } from './dom.ts';
import { significant } from './format.ts';

const HEIGHT = 190;

type Column = (number | null)[];

/** Everything that is drawn, by training step; null where a step has no such number. */
interface History {
  step: number[];
  loss: Column;
  coarse: Column;
  fine: Column;
  evaluatedCoarse: Column;
  evaluatedFine: Column;
}

const noHistory = (): History => ({
  step: [],
  loss: [],
  coarse: [],
  fine: [],
  evaluatedCoarse: [],
  evaluatedFine: [],
});

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Loss and accuracy over training steps. */
export class Charts {
  #history = noHistory();
  #plots: { plot: uPlot; data: () => uPlot.AlignedData }[] = [];
  readonly #lossHost: HTMLElement;
  readonly #accuracyHost: HTMLElement;
  readonly #draw = onceAFrame(() => this.#drawNow());

  constructor(lossHost: HTMLElement, accuracyHost: HTMLElement) {
    this.#lossHost = lossHost;
    this.#accuracyHost = accuracyHost;
    this.#build();
    onScheme(() => this.#build());
    new ResizeObserver(() => this.#fit()).observe(lossHost);
  }

  clear(): void {
    this.#history = noHistory();
    this.#draw();
  }

  progress({ step, loss, coarse, fine }: Progress): void {
    const at = this.#at(step);
    // A logarithm has no place for 0.
    this.#history.loss[at] = loss > 0 ? orNull(loss) : null;
    this.#history.coarse[at] = orNull(coarse);
    this.#history.fine[at] = orNull(fine);
    this.#draw();
  }

  evaluation({ coarse, fine }: Evaluation, step: number): void {
    const at = this.#at(step);
    this.#history.evaluatedCoarse[at] = orNull(coarse);
    this.#history.evaluatedFine[at] = orNull(fine);
    this.#draw();
  }

  /** The place of a step: a new one, unless it was the last. */
  #at(step: number): number {
    const { step: steps, ...columns } = this.#history;
    if (steps.at(-1) !== step) {
      steps.push(step);
      for (const column of Object.values(columns)) column.push(null);
    }
    return steps.length - 1;
  }

  #build(): void {
    for (const { plot } of this.#plots) plot.destroy();
    const loss = new uPlot(lossOptions(this.#lossHost.clientWidth), undefined, this.#lossHost);
    const accuracy = new uPlot(
      accuracyOptions(this.#accuracyHost.clientWidth),
      undefined,
      this.#accuracyHost,
    );
    this.#plots = [
      { plot: loss, data: () => [this.#history.step, this.#history.loss] },
      {
        plot: accuracy,
        data: () => {
          const { step, coarse, fine, evaluatedCoarse, evaluatedFine } = this.#history;
          return [step, coarse, fine, evaluatedCoarse, evaluatedFine];
        },
      },
    ];
    this.#drawNow();
  }

  #drawNow(): void {
    for (const { plot, data } of this.#plots) plot.setData(data());
  }

  #fit(): void {
    for (const { plot } of this.#plots) {
      const width = plot.root.parentElement?.clientWidth ?? 0;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }
}

const lossOptions = (width: number): uPlot.Options =>
  options(
    width,
    { distr: 3, range: (_, min, max) => decades(min, max) },
    {
      splits: (_self, _axis, min, max) => powers(min, max),
      values: (_, ticks) => ticks.map(tick => (tick < 1e-3 ? tick.toExponential(0) : String(tick))),
      filter: (_, ticks) => ticks,
    },
    [line('loss', 'push', 2)],
  );

// Coarse and fine lie on each other when all is right: the coarse ones are drawn wider, under the fine ones.
const accuracyOptions = (width: number): uPlot.Options =>
  options(
    width,
    { range: [-0.04, 1.04] },
    {
      splits: () => [0, 0.25, 0.5, 0.75, 1],
      values: (_, ticks) => ticks.map(tick => `${100 * tick} %`),
    },
    [
      line('coarse', 'push', 4),
      line('fine', 'pop', 1.5),
      dots('coarse, evaluated', 'push', 12),
      dots('fine, evaluated', 'pop', 7),
    ],
  );

function options(
  width: number,
  y: uPlot.Scale,
  yAxis: uPlot.Axis,
  series: (uPlot.Series & { dots?: boolean })[],
): uPlot.Options {
  const axis = (of: uPlot.Axis): uPlot.Axis => ({
    stroke: colour('muted'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
    ...of,
  });
  return {
    width,
    height: HEIGHT,
    scales: {
      x: { time: false, range: (_, min, max) => [Math.min(min ?? 0, 0), Math.max(max ?? 0, 50)] },
      y,
    },
    axes: [axis({ space: 60, size: 30 }), axis({ size: 56, ...yAxis })],
    series: [{ label: 'step' }, ...series],
    cursor: { drag: { x: false, y: false }, y: false },
    legend: {
      markers: {
        width: 2,
        fill: (_, i) => (series[i - 1].dots ? 'transparent' : (series[i - 1].stroke as string)),
      },
    },
    padding: [8, 22, 0, 0],
  };
}

const line = (label: string, name: string, width: number): uPlot.Series => ({
  label,
  stroke: colour(name),
  width,
  spanGaps: true,
  // The first reports make no line yet.
  points: { show: self => (self.data[0]?.length ?? 0) < 3 },
  value: (_, value) => (value == null ? '–' : significant(value)),
});

const dots = (label: string, name: string, size: number): uPlot.Series & { dots: true } => ({
  ...line(label, name, 2),
  paths: () => null,
  points: { show: true, size, width: 2, stroke: colour(name), fill: colour('card') },
  dots: true,
});
