import { button, byId, make, write } from '../dom.ts';
import {
  type Inputs,
  type Kind,
  type Line,
  outcomeOf,
  plain,
  pushLine,
  readLines,
  slopesOf,
  strengthLines,
} from './equations.ts';
import { EXAMPLES, type Example } from './examples.ts';

/** Maximum number of steps: as many as fit side by side. */
const MAX_STEPS = 6;

/** The inputs of a step, with the ranges of their sliders. */
const SLIDERS = [
  { name: 'value', letter: 'v', max: 9, step: 1 },
  { name: 'push', letter: 'd', max: 1, step: 0.05 },
  { name: 'pop', letter: 'u', max: 1, step: 0.05 },
] as const;

/**
 * A memory operated by hand: sliders for the inputs of each step, strengths and reads below them, and the equations
 * with these numbers.
 */
export class HandMemory {
  readonly #table = byId('hand', HTMLTableElement);
  readonly #text = byId('hand-text', HTMLElement);
  readonly #more = byId('hand-more', HTMLButtonElement);
  readonly #less = byId('hand-less', HTMLButtonElement);
  readonly #examples: HTMLButtonElement[];
  readonly #kinds: Record<Kind, HTMLButtonElement>;
  #kind: Kind = 'stack';
  #inputs: Inputs = { push: [], pop: [], value: [] };
  #chosen = 0;

  constructor() {
    this.#examples = EXAMPLES.map(example => button(example.label, () => this.#show(example)));
    byId('hand-examples', HTMLElement).append(...this.#examples);
    this.#kinds = {
      stack: button('stack', () => this.#setKind('stack')),
      queue: button('queue', () => this.#setKind('queue')),
    };
    byId('hand-kinds', HTMLElement).append(this.#kinds.stack, this.#kinds.queue);
    this.#more.addEventListener('click', () => this.#resize(1));
    this.#less.addEventListener('click', () => this.#resize(-1));
    this.#show(EXAMPLES[0]);
  }

  #show(example: Example): void {
    this.#kind = example.kind;
    this.#inputs = structuredClone(example.inputs);
    // The figure's text explains its last step. In the other examples, the fourth step is the first that pops.
    this.#chosen = example.id === 'figure' ? this.#steps - 1 : 3;
    write(this.#text, example.text);
    for (const [i, { id }] of EXAMPLES.entries())
      this.#examples[i].setAttribute('aria-pressed', String(id === example.id));
    this.#build();
  }

  #setKind(kind: Kind): void {
    this.#kind = kind;
    this.#clearExample();
    this.#draw();
  }

  get #steps(): number {
    return this.#inputs.push.length;
  }

  #resize(by: 1 | -1): void {
    for (const values of Object.values(this.#inputs)) by > 0 ? values.push(0) : values.pop();
    this.#chosen = by > 0 ? this.#steps - 1 : Math.min(this.#chosen, this.#steps - 1);
    this.#clearExample();
    this.#build();
  }

  /** Called when the user changes an example: its description no longer applies. */
  #clearExample(): void {
    write(this.#text, '');
    for (const button of this.#examples) button.setAttribute('aria-pressed', 'false');
  }

  /** Rebuilds the table after the number of steps has changed. */
  #build(): void {
    const steps = Array.from({ length: this.#steps }, (_, t) => t);
    const head = make(
      'tr',
      {},
      make('td'),
      ...steps.map(t =>
        make(
          'th',
          { scope: 'col' },
          button(`step ${t + 1}`, () => this.#choose(t)),
        ),
      ),
    );
    const sliders = SLIDERS.map(slider =>
      make(
        'tr',
        {},
        make('th', { scope: 'row' }, slider.name, make('i', {}, ` ${slider.letter}`)),
        ...steps.map(t => make('td', {}, ...this.#slider(slider, t))),
      ),
    );
    const row = (name: string, letter: string, id: string) =>
      make(
        'tr',
        { class: id },
        make('th', { scope: 'row' }, name, make('i', {}, ` ${letter}`)),
        ...steps.map(t => make('td', { id: `${id}-${t}` })),
      );
    const rows = steps.map(i => row('row', `${i + 1}`, `hand-row-${i}`)).reverse();
    this.#table.style.setProperty('--steps', String(this.#steps));
    this.#table.tHead!.replaceChildren(head);
    this.#table.tBodies[0].replaceChildren(...sliders);
    this.#table.tBodies[1].replaceChildren(...rows, row('read', 'r', 'hand-read'));
    this.#more.disabled = this.#steps >= MAX_STEPS;
    this.#less.disabled = this.#steps <= 1;
    this.#draw();
  }

  #slider({ name, letter, max, step }: (typeof SLIDERS)[number], t: number): HTMLElement[] {
    const input = make('input', {
      type: 'range',
      min: 0,
      max,
      step,
      value: this.#inputs[name][t],
      id: `hand-${name}-${t}`,
      'aria-label': `${name} ${letter} at step ${t + 1}`,
    });
    input.addEventListener('input', () => {
      this.#inputs[name][t] = input.valueAsNumber;
      this.#clearExample();
      this.#draw();
    });
    return [input, make('output', { for: input.id, id: `hand-${name}-value-${t}` })];
  }

  #choose(t: number): void {
    this.#chosen = t;
    this.#draw();
  }

  #draw(): void {
    const [kind, inputs, chosen] = [this.#kind, this.#inputs, this.#chosen];
    const outcome = outcomeOf(kind, inputs);
    const slopes = slopesOf(kind, inputs, chosen);
    for (const name of ['stack', 'queue'] as const)
      this.#kinds[name].setAttribute('aria-pressed', String(name === kind));
    for (const [t, cell] of [...this.#table.tHead!.rows[0].cells].slice(1).entries())
      cell.firstElementChild!.setAttribute('aria-pressed', String(t === chosen));
    for (let t = 0; t < this.#steps; t++) {
      for (const { name } of SLIDERS) {
        const slope = slopes[name][t];
        const note = make('small', {
          title: `derivative of the read of step ${chosen + 1} with respect to this input`,
        });
        if (t <= chosen) note.append(` slope ${plain(slope)}`);
        byId(`hand-${name}-value-${t}`, HTMLOutputElement).replaceChildren(plain(inputs[name][t]), note);
      }
      for (let i = 0; i < this.#steps; i++) {
        const cell = byId(`hand-row-${i}-${t}`, HTMLTableCellElement);
        cell.classList.toggle('chosen', t === chosen);
        cell.replaceChildren(...(i <= t ? rowCell(outcome.strengths[t][i], outcome.weights[t][i]) : []));
      }
      const read = byId(`hand-read-${t}`, HTMLTableCellElement);
      read.classList.toggle('chosen', t === chosen);
      write(read, plain(outcome.read[t]));
    }
    write(byId('hand-step', HTMLElement), `Step ${chosen + 1} in the paper’s equations`);
    fill('hand-push', [pushLine(inputs, chosen)]);
    fill('hand-strengths', strengthLines(kind, inputs, outcome, chosen));
    fill('hand-reads', readLines(kind, inputs, outcome, chosen));
  }
}

/** A cell with a strength as a bar; the part that is read is framed. */
function rowCell(strength: number, weight: number): HTMLElement[] {
  const bar = make('i', { class: 'bar heat' });
  bar.style.setProperty('--share', String(strength));
  const read = make('b');
  read.style.setProperty('--share', String(weight));
  bar.append(read);
  const label = weight > 0.004 ? `${plain(strength)}, ${plain(weight)} read` : plain(strength);
  return [bar, make('span', {}, label)];
}

function fill(id: string, lines: readonly Line[]): void {
  byId(id, HTMLElement).replaceChildren(
    ...lines.map(({ letters, numbers, result }) =>
      make(
        'li',
        {},
        make('span', {}, letters),
        make('span', {}, numbers ? ` = ${numbers}` : ''),
        ' = ',
        make('b', {}, result),
      ),
    ),
  );
}
