import type { Config } from '../../base/config.ts';
import { button, byId } from '../dom.ts';
import { type Choice, CONTROLLERS, choiceOf, configOf, MEMORIES, TASKS } from './choices.ts';

const GROUPS = { task: TASKS, memory: MEMORIES, controller: CONTROLLERS } as const;
/** The choice until a run is open. */
const DEFAULT: Choice = { task: 'reverse', memory: 'stack', controller: 'rnn' };

/** Buttons for task, memory and controller. Pressing one starts its run at once. */
export class Chooser {
  readonly #buttons: { part: keyof Choice; name: string; button: HTMLButtonElement }[] = [];
  #choice = DEFAULT;

  constructor(train: (config: Config) => void) {
    for (const [part, options] of Object.entries(GROUPS) as [keyof Choice, typeof TASKS][]) {
      for (const { name, label, title } of options) {
        const element = button(
          label,
          () => {
            this.#choice = { ...this.#choice, [part]: name };
            train(configOf(this.#choice));
          },
          { id: `choose-${part}-${name}`, title },
        );
        byId(`choose-${part}`, HTMLElement).append(element);
        this.#buttons.push({ part, name, button: element });
      }
    }
  }

  /** Marks the buttons of the current run as pressed, or none if its settings match no choice. */
  show(config: Config): void {
    const choice = choiceOf(config);
    if (choice) this.#choice = choice;
    for (const { part, name, button } of this.#buttons)
      button.setAttribute('aria-pressed', String(choice?.[part] === name));
  }
}
