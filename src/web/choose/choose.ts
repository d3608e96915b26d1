import type { Config } from '../../base/config.ts';
import { button, byId } from '../dom.ts';
import { type Choice, CONTROLLERS, choiceOf, configOf, MEMORIES, TASKS } from './choices.ts';

const GROUPS = { task: TASKS, memory: MEMORIES, controller: CONTROLLERS } as const;
const FIRST: Choice = { task: 'reverse', memory: 'stack', controller: 'rnn' };

/** Buttons for task, memory and controller. Pressing one starts its run at once. */
export class Chooser {
  readonly #buttons: { part: keyof Choice; name: string; button: HTMLButtonElement }[] = [];
  #now = FIRST;

  constructor(begin: (config: Config) => void) {
    for (const [part, options] of Object.entries(GROUPS) as [keyof Choice, typeof TASKS][]) {
      for (const { name, label, words } of options) {
        const made = button(
          label,
          () => {
            this.#now = { ...this.#now, [part]: name };
            begin(configOf(this.#now));
          },
          { id: `choose-${part}-${name}`, title: words },
        );
        byId(`choose-${part}`, HTMLElement).append(made);
        this.#buttons.push({ part, name, button: made });
      }
    }
  }

  /** Marks the buttons of the current run as pressed; none if its settings match no choice. */
  show(config: Config): void {
    const choice = choiceOf(config);
    if (choice) this.#now = choice;
    for (const { part, name, button } of this.#buttons)
      button.setAttribute('aria-pressed', String(choice?.[part] === name));
  }
}
