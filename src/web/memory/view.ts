import { byId, make, write } from '../dom.ts';
import { isSameInput } from './layout.ts';
import { Picture } from './picture.ts';
import type { MemorySteps, SequenceSteps } from './probe.ts';
import { StepDetail } from './step-detail.ts';

/** The memory of the run: the picture over time, one step in numbers, and the controls for moving between steps. */
export class MemoryView {
  readonly #slider = byId('time', HTMLInputElement);
  readonly #play = byId('play', HTMLButtonElement);
  readonly #tempo = byId('tempo', HTMLSelectElement);
  readonly #which = byId('which-memory', HTMLSelectElement);
  readonly #correct = byId('heat-correct', HTMLElement);
  readonly #picture = new Picture(step => this.#choose(step));
  readonly #detail = new StepDetail();
  #steps: SequenceSteps | undefined;
  #playing: ReturnType<typeof setInterval> | undefined;

  constructor() {
    this.#slider.addEventListener('input', () => this.#redraw());
    this.#which.addEventListener('change', () => this.#redraw());
    this.#play.addEventListener('click', () => (this.#playing === undefined ? this.#start() : this.#stop()));
    this.#tempo.addEventListener('change', () => {
      if (this.#playing !== undefined) this.#start();
    });
  }

  show(steps: SequenceSteps): void {
    const T = steps.input.length;
    if (!this.#steps || !isSameInput(this.#steps, steps)) {
      this.#slider.max = String(T);
      // For a new source, selects the first step with an expected output, or the last step if there is none.
      const first = steps.target.findIndex(target => target !== '·');
      this.#slider.value = String(first < 0 ? T : first + 1);
    }
    if (this.#which.options.length !== steps.memories.length) {
      this.#which.replaceChildren(
        ...steps.memories.map((_, m) => make('option', { value: m }, `memory ${m + 1}`)),
      );
    }
    byId('which-memory-field', HTMLElement).hidden = steps.memories.length < 2;
    this.#steps = steps;
    byId('markers', HTMLElement).hidden = !steps.input.includes('|||');
    const expected = steps.target.flatMap((target, t) => (target === '·' ? [] : [t]));
    const correct = expected.filter(t => steps.target[t] === steps.output[t]).length;
    write(this.#correct, expected.length ? `${correct} of ${expected.length} outputs are correct.` : '');
    this.#redraw();
  }

  #redraw(): void {
    const steps = this.#steps;
    if (!steps) return;
    const t = Math.min(steps.input.length, Number(this.#slider.value)) - 1;
    const memory: MemorySteps | undefined = steps.memories[Number(this.#which.value) || 0];
    this.#slider.setAttribute(
      'aria-valuetext',
      `step ${t + 1} of ${steps.input.length}, input ${steps.input[t]}`,
    );
    this.#picture.show(steps, memory, t);
    this.#detail.show(steps, memory, t);
  }

  /** Selects a step, counted from 0. */
  #choose(step: number): void {
    this.#slider.value = String(step + 1);
    this.#redraw();
  }

  /** Starts playing; from the first step if the last one is selected. */
  #start(): void {
    clearInterval(this.#playing);
    if (Number(this.#slider.value) >= Number(this.#slider.max)) this.#choose(0);
    write(this.#play, 'Pause');
    this.#playing = setInterval(() => {
      const next = Number(this.#slider.value) + 1;
      if (next > Number(this.#slider.max)) this.#stop();
      else this.#choose(next - 1);
    }, 1000 / Number(this.#tempo.value));
  }

  #stop(): void {
    clearInterval(this.#playing);
    this.#playing = undefined;
    write(this.#play, 'Play');
  }
}
