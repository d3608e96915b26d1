import { comparedColour, MAX_COMPARED } from '../charts/specs.ts';
import { button, byId, make, writeOrHide } from '../dom.ts';
import { count, percent } from '../format.ts';
import { isOver } from '../protocol.ts';
import { changesBetween, describeConfig } from '../settings/differences.ts';
import type { StoredRun } from './store.ts';

export interface RunCommands {
  /** Resumes a stored run, or shows it if it is over. */
  resume(id: string): void;
  /** @param name description of the run */
  delete(id: string, name: string): void;
  download(id: string): void;
  /** Draws these runs together with the current one, in this order. */
  compare(ids: readonly string[]): void;
}

const STATES: Record<StoredRun['state'], string> = {
  paused: 'paused',
  done: 'done',
  solved: 'solved',
  stalled: 'stopped improving',
  stopped: 'stopped',
};

/** Lists the runs stored in this browser, with what changed from one to the next and buttons for each. */
export class RunList {
  readonly #body = byId('runs', HTMLTableSectionElement);
  readonly #empty = byId('no-runs', HTMLElement);
  readonly #commands: RunCommands;
  #compared: string[] = [];
  #shown: { runs: readonly StoredRun[]; current: string } = { runs: [], current: '' };

  constructor(commands: RunCommands) {
    this.#commands = commands;
  }

  /** Puts a run first in the list of those drawn together with the current one. */
  add(id: string): void {
    this.#compared = [id, ...this.#compared.filter(other => other !== id)].slice(0, MAX_COMPARED);
    this.#changed();
  }

  /** @param runs the latest first */
  show(runs: readonly StoredRun[], current: string): void {
    this.#shown = { runs, current };
    const known = this.#compared.filter(id => id !== current && runs.some(run => run.id === id));
    if (known.length < this.#compared.length) {
      this.#compared = known;
      this.#commands.compare(known);
    }
    this.#draw();
  }

  #changed(): void {
    this.#commands.compare(this.#compared);
    this.#draw();
  }

  #draw(): void {
    const { runs, current } = this.#shown;
    const focused = document.activeElement?.id;
    this.#body.replaceChildren(...runs.map((run, i) => this.#row(run, runs[i + 1], run.id === current)));
    // The focused row may have been replaced.
    if (focused && this.#body.contains(document.activeElement) === false) {
      (document.getElementById(focused) ?? document.getElementById('files'))?.focus();
    }
    writeOrHide(this.#empty, runs.length === 0 ? 'No runs yet.' : undefined);
  }

  #row(run: StoredRun, previous: StoredRun | undefined, current: boolean): HTMLTableRowElement {
    const { id, config, step, state, coarse, length } = run;
    const name = describeConfig(config);
    const index = this.#compared.indexOf(id);
    const draw = make('input', {
      type: 'checkbox',
      id: `draw-${id}`,
      'aria-label': `show ${name} in the charts`,
      checked: index >= 0,
      disabled: current || (index < 0 && this.#compared.length >= MAX_COMPARED),
    });
    draw.addEventListener('change', () => {
      this.#compared = draw.checked ? [...this.#compared, id] : this.#compared.filter(other => other !== id);
      this.#changed();
    });
    const swatch = make('i', { class: 'run-colour' });
    swatch.style.background = index >= 0 ? comparedColour(index) : current ? 'var(--push)' : 'transparent';
    const changes = previous ? changesBetween(previous.config, config) || 'the same settings' : 'first run';
    const action = (label: string, work: () => void) =>
      button(label, work, {
        id: `${label.toLowerCase().replace(' ', '-')}-${id}`,
        'aria-label': `${label}: ${name}`,
      });
    return make(
      'tr',
      current ? { class: 'current', 'aria-current': 'true' } : {},
      make('td', { class: 'draw' }, draw, swatch),
      make('th', { scope: 'row' }, name, make('small', {}, when(run.created))),
      make('td', { 'data-label': 'changed' }, changes),
      make('td', { 'data-label': 'step' }, `${count(step)}, ${current ? 'current' : STATES[state]}`),
      make(
        'td',
        { 'data-label': 'coarse accuracy' },
        coarse === undefined ? '–' : `${percent(coarse)} at ${length}`,
      ),
      make(
        'td',
        { class: 'acts' },
        ...(current ? [] : [action(isOver(state) ? 'Open' : 'Resume', () => this.#commands.resume(id))]),
        action('Checkpoint', () => this.#commands.download(id)),
        ...(current ? [] : [action('Delete', () => this.#commands.delete(id, name))]),
      ),
    );
  }
}

const when = (ms: number): string =>
  new Date(ms).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' });
