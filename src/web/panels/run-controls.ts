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

/** The label of the first button in each phase. */
const GO_LABELS: Record<Phase, string> = {
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
export class RunControls {
  readonly #go = byId('go', HTMLButtonElement);
  readonly #step = byId('step', HTMLButtonElement);
  readonly #stop = byId('stop', HTMLButtonElement);
  readonly #restart = byId('restart', HTMLButtonElement);
  readonly #pace = byId('pace', HTMLSelectElement);
  readonly #redraw = byId('redraw', HTMLSelectElement);
  readonly #status = byId('status', HTMLElement);
  #phase: Phase = 'opening';
  /** Whether the run was paused because the tab was hidden. It resumes when the tab is shown again. */
  #pausedWhileHidden = false;
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
    for (const select of [this.#pace, this.#redraw]) {
      select.addEventListener('change', () => commands.pace(this.pace));
    }
    const pauseHidden = byId('pause-hidden', HTMLInputElement);
    document.addEventListener('visibilitychange', () => {
      if (document.hidden && pauseHidden.checked && this.#phase === 'running') {
        this.#pausedWhileHidden = true;
        commands.pause();
      } else this.#resumeIfShown();
    });
    this.#run = () => commands.run();
  }

  /** Resumes a run that was paused while the tab was hidden. If it is still pausing, it resumes once it has paused. */
  #resumeIfShown(): void {
    if (!this.#pausedWhileHidden || document.hidden || this.#phase === 'running') return;
    this.#pausedWhileHidden = false;
    if (this.#phase === 'paused') this.#run();
  }

  get pace(): Pace {
    return { stepsPerSecond: Number(this.#pace.value), probesPerSecond: Number(this.#redraw.value) };
  }

  /** @param status short description @param step number of training steps done */
  show(phase: Phase, status: string, step = 0): void {
    this.#phase = phase;
    const [running, paused] = [phase === 'running', phase === 'paused'];
    write(this.#go, paused && step === 0 ? 'Start' : GO_LABELS[phase]);
    this.#go.disabled = phase === 'opening' || phase === 'failed';
    this.#step.disabled = !paused;
    this.#stop.disabled = !running && !paused;
    this.#restart.disabled = phase === 'opening';
    write(this.#status, status);
    this.#status.dataset['phase'] = phase;
    this.#resumeIfShown();
  }
}
