import uPlot from 'uplot';
import { messageOf } from '../../base/errors.ts';
import { axis } from '../charts/axis.ts';
import { TICKS } from '../charts/specs.ts';
import { byId, colour, onColourSchemeChange, write } from '../dom.ts';
import { percent } from '../format.ts';
import type { Run } from '../run.ts';

const HEIGHT = 220;
/** Number of new sequences to evaluate at each length. */
const SEQUENCES = 64;

/** Accuracy by source length, up to ten times the longest trained length: shows how well the model generalises. */
export class LengthChart {
  readonly #host = byId('length-accuracy', HTMLElement);
  readonly #button = byId('measure-lengths', HTMLButtonElement);
  readonly #status = byId('lengths-status', HTMLElement);
  #measured = { length: [] as number[], coarse: [] as number[], fine: [] as number[] };
  /** The shortest and longest trained length; 0 before a measurement. */
  #trained: [number, number] = [0, 0];
  #plot: uPlot | undefined;
  /** Id of the current measurement. The results of earlier ones are dropped. */
  #measurementId = 0;
  #busy = false;

  constructor(run: () => Run | undefined) {
    this.#button.addEventListener('click', () => {
      const current = run();
      if (this.#busy) this.#end('Stopped.');
      else if (current) this.#measure(current, ++this.#measurementId);
    });
    onColourSchemeChange(() => this.#build());
    new ResizeObserver(() => {
      const width = this.#host.clientWidth;
      if (this.#plot && width > 0 && width !== this.#plot.width)
        this.#plot.setSize({ width, height: HEIGHT });
    }).observe(this.#host);
  }

  /** Clears the chart for another run. */
  clear(): void {
    this.#end('');
    this.#measured = { length: [], coarse: [], fine: [] };
    this.#trained = [0, 0];
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  async #measure(run: Run, measurementId: number): Promise<void> {
    this.#busy = true;
    write(this.#button, 'Stop measuring');
    let message: string;
    try {
      message = await this.#measureAll(run, measurementId);
    } catch (error) {
      message = messageOf(error);
    }
    if (measurementId === this.#measurementId) this.#end(message);
  }

  /** Evaluates all lengths. Returns a sentence about the longest one. */
  async #measureAll(run: Run, measurementId: number): Promise<string> {
    const { lengths, shortest, longest } = await run.ask('lengths', {});
    if (measurementId !== this.#measurementId) return '';
    this.#measured = { length: [], coarse: [], fine: [] };
    this.#trained = [shortest, longest];
    this.#build();
    for (const length of lengths) {
      write(this.#status, `Measuring at length ${length} …`);
      const { coarse, fine } = await run.ask('evaluate', { length, sequences: SEQUENCES });
      if (measurementId !== this.#measurementId) return '';
      this.#measured.length.push(length);
      this.#measured.coarse.push(coarse);
      this.#measured.fine.push(fine);
      this.#draw();
    }
    const { length, coarse } = this.#measured;
    const last = length.length - 1;
    if (last < 0) return 'The task has no sources of these lengths.';
    return `At length ${length[last]}, ${(length[last] / longest).toFixed(1)} times the longest trained length: coarse accuracy ${percent(coarse[last])}.`;
  }

  #end(message: string): void {
    this.#measurementId++;
    this.#busy = false;
    write(this.#button, 'Measure');
    write(this.#status, message);
  }

  #draw(): void {
    const { length, coarse, fine } = this.#measured;
    this.#plot?.setData([length, coarse, fine]);
  }

  #build(): void {
    if (!this.#trained[1]) return;
    this.#plot?.destroy();
    const { splits, value } = TICKS.share;
    const [, longest] = this.#trained;
    const line = (label: string, name: string, width: number, size: number): uPlot.Series => ({
      label,
      stroke: colour(name),
      width,
      value: (_, value) => (value == null ? '–' : percent(value)),
      points: { show: true, size, fill: colour('card'), stroke: colour(name), width: 2 },
    });
    this.#plot = new uPlot(
      {
        width: this.#host.clientWidth || 300,
        height: HEIGHT,
        scales: { x: { time: false, range: [0, 10.3 * longest] }, y: { range: [-0.04, 1.04] } },
        axes: [axis({ size: 30 }), axis({ size: 56, splits, values: (_, ticks) => ticks.map(value) })],
        series: [{ label: 'length' }, line('coarse', 'push', 3, 11), line('fine', 'pop', 1.5, 6)],
        cursor: { drag: { x: false, y: false }, y: false },
        legend: { markers: { width: 2, fill: (_, i) => colour(i === 1 ? 'push' : 'pop') } },
        padding: [8, 22, 0, 0],
        hooks: { drawClear: [plot => this.#shade(plot)] },
      },
      undefined,
      this.#host,
    );
    this.#draw();
  }

  /** Shades the range of trained lengths. */
  #shade(plot: uPlot): void {
    const [from, to] = this.#trained.map(length => plot.valToPos(length, 'x', true));
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = colour('chosen');
    ctx.fillRect(from, bbox.top, Math.max(2, to - from), bbox.height);
    ctx.restore();
  }
}
