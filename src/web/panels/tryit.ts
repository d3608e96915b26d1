import { messageOf } from '../../base/errors.ts';
import { byId, make, write, writeOrHide } from '../dom.ts';
import { percent } from '../format.ts';
import type { DataText, DecodedAnswer, PairsResult } from '../protocol.ts';
import type { Run } from '../run.ts';

/** Shows the model's answer to a source that the user types, and tests the model on a file of pairs. */
export class TryIt {
  readonly #source = byId('try-source', HTMLInputElement);
  readonly #answer = byId('try-answer', HTMLElement);
  readonly #verdict = byId('try-verdict', HTMLElement);
  readonly #refused = byId('try-refused', HTMLElement);
  readonly #tested = byId('tested', HTMLElement);
  readonly #run: () => Run | undefined;

  constructor(run: () => Run | undefined) {
    this.#run = run;
    byId('try', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault();
      this.#ask();
    });
  }

  /** Shows an example of the new run's task, and clears earlier answers. */
  opened(example: string): void {
    this.#source.value = example;
    this.#source.placeholder = example;
    this.#answer.replaceChildren();
    this.#tested.replaceChildren();
    this.#tested.hidden = true;
    write(this.#verdict, '');
    writeOrHide(this.#refused, undefined);
  }

  /** Tests the model on a file of pairs. @throws InputError if this model cannot read the file */
  async test(data: DataText, characters: boolean): Promise<void> {
    const result = await this.#run()?.ask('test', { data, characters });
    if (result) this.#showResult(data.file, result);
  }

  async #ask(): Promise<void> {
    const run = this.#run();
    if (!run) return;
    try {
      const answer = await run.ask('predict', { source: this.#source.value });
      if (run !== this.#run()) return;
      writeOrHide(this.#refused, undefined);
      this.#source.removeAttribute('aria-invalid');
      this.#show(answer);
    } catch (error) {
      if (run !== this.#run()) return;
      this.#source.setAttribute('aria-invalid', 'true');
      writeOrHide(this.#refused, messageOf(error));
    }
  }

  #show({ symbols, ended, limit, right }: DecodedAnswer): void {
    this.#answer.replaceChildren(
      ...symbols.map(({ output, probability, expected }) => {
        const wrong = expected !== undefined && expected !== output;
        const item = make(
          'li',
          { title: `${probability.toFixed(3)}${wrong ? `, correct: ${expected}` : ''}` },
          wrong ? make('mark', {}, output) : make('span', {}, output),
          make(
            'small',
            {},
            wrong ? `${probability.toFixed(2)} · correct ${expected}` : probability.toFixed(2),
          ),
        );
        item.style.setProperty('--share', String(Math.max(0, Math.min(1, probability))));
        return item;
      }),
    );
    const verdict =
      right === undefined ? '' : right ? '✓ Correct.' : '✗ Not correct: wrong symbols are struck through.';
    write(
      this.#verdict,
      [verdict, ended ? '' : `Cut off after ${limit} symbols: the model had not ended its answer.`]
        .filter(Boolean)
        .join(' '),
    );
  }

  #showResult(file: string, { pairs, right, rows, omitted }: PairsResult): void {
    const first = omitted ? ` (the first ${pairs} of ${pairs + omitted})` : '';
    this.#tested.hidden = false;
    this.#tested.replaceChildren(
      make(
        'p',
        { role: 'status' },
        `${file}: ${right} of ${pairs} pairs fully correct, ${percent(right / pairs)}${first}.`,
      ),
      make(
        'section',
        { class: 'scroll', tabindex: 0, 'aria-label': `pairs of ${file}` },
        make(
          'table',
          { class: 'samples' },
          make(
            'thead',
            {},
            make(
              'tr',
              {},
              ...['Source', 'Target', 'Predicted'].map(name => make('th', { scope: 'col' }, name)),
            ),
          ),
          make(
            'tbody',
            {},
            ...rows.map(row =>
              make(
                'tr',
                {},
                make('td', { class: 'symbols' }, row.source),
                make('td', { class: 'symbols' }, row.target),
                make('td', { class: 'symbols' }, row.right ? row.predicted : make('mark', {}, row.predicted)),
              ),
            ),
          ),
        ),
      ),
    );
  }
}
