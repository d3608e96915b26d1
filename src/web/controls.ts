import { PRESETS } from '../train/presets.ts';
import { byId, write, writeOrHide } from './dom.ts';
import type { EngineChoice, RunState, Settings } from './protocol.ts';

export type Phase = 'opening' | RunState | 'failed';

export interface Commands {
  /** The settings were changed, or a reset asked for: a new run. */
  open(settings: Settings): void;
  run(): void;
  pause(): void;
  step(): void;
}

const GO: Record<Phase, string> = {
  opening: 'Start',
  ready: 'Start',
  running: 'Pause',
  paused: 'Continue',
  done: 'Done',
  solved: 'Solved',
  failed: 'Start',
};

/** Settings, buttons and the line that says where the run stands. Settings are open until a run has begun. */
export class Controls {
  readonly #preset = byId('preset', HTMLSelectElement);
  readonly #seed = byId('seed', HTMLInputElement);
  readonly #engine = byId('engine', HTMLSelectElement);
  readonly #settings = byId('settings', HTMLFieldSetElement);
  readonly #form = byId('form', HTMLFormElement);
  readonly #go = byId('go', HTMLButtonElement);
  readonly #step = byId('step', HTMLButtonElement);
  readonly #status = byId('status', HTMLElement);
  #phase: Phase = 'opening';

  constructor(commands: Commands) {
    // Those with a folder in their name are grouped by it: a list of all would be long.
    const groups = new Map<string, HTMLOptGroupElement>();
    for (const { name } of PRESETS) {
      const folder = name.split('/').slice(0, -1).join('/');
      if (!folder) {
        this.#preset.add(new Option(name, name));
        continue;
      }
      let group = groups.get(folder);
      if (!group) {
        group = document.createElement('optgroup');
        group.label = folder;
        groups.set(folder, group);
        this.#preset.append(group);
      }
      group.append(new Option(name, name));
    }
    this.#preset.value = 'reverse';
    const open = () => {
      this.#describe();
      if (this.#form.reportValidity()) commands.open(this.settings);
    };
    this.#describe();
    for (const field of [this.#preset, this.#seed, this.#engine]) field.addEventListener('change', open);
    byId('reset', HTMLButtonElement).addEventListener('click', open);
    this.#step.addEventListener('click', () => commands.step());
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      if (this.#phase === 'running') commands.pause();
      else if (this.#phase === 'ready' || this.#phase === 'paused') commands.run();
    });
  }

  get settings(): Settings {
    return {
      preset: this.#preset.value,
      seed: this.#seed.valueAsNumber,
      engine: this.#engine.value as EngineChoice,
    };
  }

  /** @param status what has happened, in a few words */
  show(phase: Phase, status: string): void {
    this.#phase = phase;
    write(this.#go, GO[phase]);
    this.#go.disabled = !(phase === 'ready' || phase === 'running' || phase === 'paused');
    this.#step.disabled = !(phase === 'ready' || phase === 'paused');
    this.#settings.disabled =
      phase === 'running' || phase === 'paused' || phase === 'done' || phase === 'solved';
    this.#settings.title = this.#settings.disabled ? 'Reset to change these.' : '';
    write(this.#status, status);
  }

  #describe(): void {
    const chosen = PRESETS.find(({ name }) => name === this.#preset.value);
    writeOrHide(byId('description', HTMLElement), chosen && `${chosen.description}.`);
  }
}
