import { byId, write } from '../dom.ts';
import type { Pace, RunState } from '../protocol.ts';

type Phase = 'opening' | 'failed' | RunState;

export interface Commands {
  run(): void;
  pause(): void;
  step(): void;
  stop(): void;
  /** On, although the run is over. */
  extend(): void;
  /** The same settings from step 0. */
  restart(): void;
  pace(pace: Pace): void;
}

const GO: Record<Phase, string> = {
  opening: 'Start',
  running: 'Pause',
  paused: 'Resume',
  done: 'Keep training',
  solved: 'Keep training',
  stalled: 'Keep training',
  stopped: 'Keep training',
  failed: 'Start',
};

/** The buttons of the run, its speed, and the line that says where it stands. */
export class Controls {
  readonly #go = byId('go', HTMLButtonElement);
  readonly #step = byId('step', HTMLButtonElement);
  readonly #stop = byId('stop', HTMLButtonElement);
  readonly #restart = byId('restart', HTMLButtonElement);
  readonly #pace = byId('pace', HTMLSelectElement);
  readonly #looks = byId('looks', HTMLSelectElement);
  readonly #status = byId('status', HTMLElement);
  #phase: Phase = 'opening';
  /** Paused by the tab being hidden, to go on when it is seen. */
  #asleep = false;
  readonly #run: () => void;

  constructor(commands: Commands) {
    this.#go.addEventListener('click', () => {
      if (this.#phase === 'running') commands.pause();
      else if (this.#phase === 'paused') commands.run();
      else commands.extend();
    });
    this.#step.addEventListener('click', () => commands.step());
    this.#stop.addEventListener('click', () => commands.stop());
    this.#restart.addEventListener('click', () => commands.restart());
    for (const select of [this.#pace, this.#looks]) {
      select.addEventListener('change', () => commands.pace(this.pace));
    }
    const onlySeen = byId('pause-hidden', HTMLInputElement);
    document.addEventListener('visibilitychange', () => {
      if (document.hidden && onlySeen.checked && this.#phase === 'running') {
        this.#asleep = true;
        commands.pause();
      } else this.#wake();
    });
    this.#run = () => commands.run();
  }

  /** Goes on where a hidden tab is seen again; a pause that is still under way is waited for. */
  #wake(): void {
    if (!this.#asleep || document.hidden || this.#phase === 'running') return;
    this.#asleep = false;
    if (this.#phase === 'paused') this.#run();
  }

  get pace(): Pace {
    return { steps: Number(this.#pace.value), looks: Number(this.#looks.value) };
  }

  /** @param status what has happened, in a few words @param step training steps done */
  show(phase: Phase, status: string, step = 0): void {
    this.#phase = phase;
    const [running, paused] = [phase === 'running', phase === 'paused'];
    write(this.#go, paused && step === 0 ? 'Start' : GO[phase]);
    this.#go.disabled = phase === 'opening' || phase === 'failed';
    this.#step.disabled = !paused;
    this.#stop.disabled = !running && !paused;
    this.#restart.disabled = phase === 'opening';
    write(this.#status, status);
    this.#status.dataset['phase'] = phase;
    this.#wake();
  }
}
