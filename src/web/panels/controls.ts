import { byId, write } from '../dom.ts';
import type { Pace, RunState } from '../protocol.ts';

type Phase = 'opening' | 'failed' | RunState;

export interface Commands {
  run(): void;
  pause(): void;
  step(): void;
  stop(): void;
  /** Continues a run that is over. */
  extend(): void;
  /** Starts again from step 0 with the same settings. */
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

/** The buttons of the run, its speed, and the status line. */
export class Controls {
  readonly #go = byId('go', HTMLButtonElement);
  readonly #step = byId('step', HTMLButtonElement);
  readonly #stop = byId('stop', HTMLButtonElement);
  readonly #restart = byId('restart', HTMLButtonElement);
  readonly #pace = byId('pace', HTMLSelectElement);
  readonly #looks = byId('looks', HTMLSelectElement);
  readonly #status = byId('status', HTMLElement);
  #phase: Phase = 'opening';
  /** Whether the run was paused because the tab was hidden; it resumes when the tab is shown again. */
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

  /** Resumes the run when a hidden tab is shown again. If it is still pausing, it resumes after the pause. */
  #wake(): void {
    if (!this.#asleep || document.hidden || this.#phase === 'running') return;
    this.#asleep = false;
    if (this.#phase === 'paused') this.#run();
  }

  get pace(): Pace {
    return { steps: Number(this.#pace.value), looks: Number(this.#looks.value) };
  }

  /** @param status short description @param step number of training steps done */
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
