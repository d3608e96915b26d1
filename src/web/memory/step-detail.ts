import { byId, make, write } from '../dom.ts';
import type { Likely, MemorySteps, SequenceSteps } from './probe.ts';
import { endName, firstRow, rowsOf } from './weights.ts';

/** Maximum number of rows to list. */
const MAX_ROWS = 10;
/** Smaller strengths and weights are not listed: they would be shown as 0.00. */
const MIN_SHOWN = 0.005;
/** Maximum number of elements of a read to draw. */
const MAX_VALUES = 64;

/** One step in numbers: the rows with a strength and their weights in the read, the read, the most likely outputs. */
export class StepDetail {
  readonly #title = byId('detail-title', HTMLElement);
  readonly #strengths = byId('detail-strengths', HTMLElement);
  readonly #rows = byId('detail-rows', HTMLTableSectionElement);
  readonly #rest = byId('detail-rest', HTMLElement);
  readonly #reads = byId('detail-reads', HTMLElement);
  readonly #outputs = byId('detail-outputs', HTMLTableSectionElement);

  show(steps: SequenceSteps, memory: MemorySteps | undefined, t: number): void {
    write(this.#title, `Time step ${t + 1} of ${steps.input.length}, input ${steps.input[t]}`);
    byId('detail-memory', HTMLElement).hidden = !memory;
    if (memory) {
      const strengths = memory.ends.flatMap(({ controls }, end) =>
        Object.entries(controls).map(
          ([name, all]) => `${endName(name, memory.kind, end)} ${all[t].toFixed(2)}`,
        ),
      );
      write(this.#strengths, strengths.join(' · '));
      this.#showRows(steps, memory, t);
      this.#reads.replaceChildren(
        ...memory.ends.map(({ read }, end) => strip(endName('read', memory.kind, end), read[t])),
      );
    }
    this.#outputs.replaceChildren(
      ...steps.likely[t].map(likely => outputRow(likely, steps.target[t] === likely.name)),
    );
  }

  /** Lists the rows from the top of the picture down. */
  #showRows({ input }: SequenceSteps, { kind, ends, strengths }: MemorySteps, t: number): void {
    const rows = rowsOf(kind, input.length);
    const first = firstRow(kind, input.length, t);
    const values = strengths[t];
    const weights = ends.map(({ weights }) => weights[t]);
    const alive = values.flatMap((strength, i) => (strength >= MIN_SHOWN ? [i] : [])).reverse();
    // If there are too many rows, those nearest to the end that is read are listed.
    const listed = kind === 'queue' ? alive.slice(-MAX_ROWS) : alive.slice(0, MAX_ROWS);
    this.#rows.replaceChildren(
      ...listed.map(i => {
        const { step, end } = rows[first + i];
        const weight = Math.max(...weights.map(ofEnd => ofEnd[i]));
        return make(
          'tr',
          weight >= MIN_SHOWN ? { class: 'is-read' } : {},
          make(
            'th',
            { scope: 'row' },
            `${input[step]}`,
            make('small', {}, ` ${endName(`step ${step + 1}`, kind, end)}`),
          ),
          make('td', {}, bar(values[i], 'heat'), values[i].toFixed(2)),
          make('td', {}, weight >= MIN_SHOWN ? weight.toFixed(2) : '–'),
        );
      }),
    );
    const left = alive.length - listed.length;
    write(
      this.#rest,
      alive.length === 0 ? 'The memory is empty.' : left > 0 ? `… and ${left} more rows.` : '',
    );
  }
}

/** Creates a bar that fills a share of its width. */
function bar(share: number, hue: string): HTMLElement {
  const element = make('i', { class: `bar ${hue}` });
  element.style.setProperty('--share', String(Math.max(0, Math.min(1, share))));
  return element;
}

function outputRow({ name, value }: Likely, isTarget: boolean): HTMLTableRowElement {
  return make(
    'tr',
    isTarget ? { class: 'is-target' } : {},
    make('th', { scope: 'row' }, name, ...(isTarget ? [make('small', {}, ' target')] : [])),
    make('td', {}, bar(value, 'sure'), value.toFixed(3)),
  );
}

/** Draws the values of a read as colours: blue above 0, orange below. */
function strip(name: string, values: readonly number[]): HTMLElement {
  const cells = values.slice(0, MAX_VALUES).map(value => {
    const cell = make('i', { class: value < 0 ? 'below' : 'above', title: value.toFixed(3) });
    cell.style.setProperty('--share', String(Math.min(1, Math.abs(value))));
    return cell;
  });
  const more = values.length > MAX_VALUES ? ` … ${values.length} values` : '';
  const label = values
    .slice(0, 8)
    .map(value => value.toFixed(2))
    .join(', ');
  return make(
    'p',
    { class: 'strip' },
    make('span', {}, name),
    make(
      'span',
      { class: 'cells', role: 'img', 'aria-label': `${label}${values.length > 8 ? ' …' : ''}` },
      ...cells,
    ),
    make('small', {}, more),
  );
}
