import { byId, write } from '../dom.ts';
import { count } from '../format.ts';
import type { SequenceSteps } from '../memory/probe.ts';
import type { Frame } from './frames.ts';

const FRAMES_PER_SECOND = 8;

/** Shows the memory as it was at earlier training steps, with a slider and playback. */
export class TrainingPlayback {
  readonly #field = byId('past-field', HTMLElement);
  readonly #slider = byId('past', HTMLInputElement);
  readonly #play = byId('play-past', HTMLButtonElement);
  readonly #label = byId('past-step', HTMLElement);
  readonly #show: (shown: SequenceSteps) => void;
  #frames: readonly Frame[] = [];
  /** Whether the slider is at its end, so that the picture follows training. */
  #follows = true;
  #playing: ReturnType<typeof setInterval> | undefined;

  /** @param show draws a picture */
  constructor(show: (shown: SequenceSteps) => void) {
    this.#show = show;
    this.#slider.addEventListener('input', () => {
      this.#stop();
      this.#go(this.#slider.valueAsNumber);
    });
    this.#play.addEventListener('click', () => (this.#playing === undefined ? this.#start() : this.#stop()));
  }

  /** Clears the frames for another run. */
  clear(): void {
    this.#stop();
    this.#frames = [];
    this.#follows = true;
    this.#showStep();
  }

  /**
   * Sets all frames of the run. The last one, the current state, is drawn unless the user is viewing an earlier one.
   */
  update(frames: readonly Frame[]): void {
    const viewed = this.#follows ? undefined : this.#frames[this.#slider.valueAsNumber - 1];
    this.#frames = frames;
    const index = viewed ? this.#frames.indexOf(viewed) : -1;
    this.#slider.max = String(this.#frames.length);
    // If the frame being viewed is gone (dropped, another source, or a lost device), return to the latest.
    this.#follows = index < 0;
    this.#slider.value = String(index < 0 ? this.#frames.length : index + 1);
    if (this.#follows) this.#show(frames[frames.length - 1].shown);
    this.#showStep();
  }

  /** Shows a frame, counted from 1. */
  #go(number: number): void {
    const frame = this.#frames[number - 1];
    if (!frame) return;
    this.#slider.value = String(number);
    this.#follows = number === this.#frames.length;
    this.#show(frame.shown);
    this.#showStep();
  }

  #showStep(): void {
    this.#field.hidden = this.#frames.length < 2;
    const frame = this.#frames[this.#slider.valueAsNumber - 1];
    const label = !frame
      ? ''
      : this.#follows
        ? `step ${count(frame.step)}, now`
        : `step ${count(frame.step)}`;
    write(this.#label, label);
    this.#slider.setAttribute('aria-valuetext', label);
  }

  /** Starts playing; from the first frame if the latest is shown. */
  #start(): void {
    this.#go(this.#follows ? 1 : this.#slider.valueAsNumber);
    write(this.#play, 'Pause');
    this.#playing = setInterval(() => {
      const next = this.#slider.valueAsNumber + 1;
      this.#go(next);
      if (next >= this.#frames.length) this.#stop();
    }, 1000 / FRAMES_PER_SECOND);
  }

  #stop(): void {
    clearInterval(this.#playing);
    this.#playing = undefined;
    write(this.#play, 'Play training');
  }
}
