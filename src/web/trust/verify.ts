import { messageOf } from '../../base/errors.ts';
import type { Difference, Verification } from '../../train/verify.ts';
import { byId, make, write } from '../dom.ts';
import { count, significant } from '../format.ts';
import { openWorker } from '../open-worker.ts';
import type { FromVerify, ToVerify } from '../protocol.ts';
import { workerFailed } from '../unloaded.ts';

/** The button that also runs the next step on the reference, and the comparison. */
export class VerifyPanel {
  readonly #button = byId('verify', HTMLButtonElement);
  readonly #status = byId('verify-status', HTMLElement);
  readonly #table = byId('verify-table', HTMLTableElement);
  #worker: Worker | undefined;
  /** Number of the current verification. A later verification, or another run, ends an earlier one. */
  #turn = 0;
  #busy = false;

  /** @param subject returns the state of the current run, or undefined if there is no run */
  constructor(subject: () => Promise<ToVerify | undefined>) {
    this.#button.addEventListener('click', () => {
      if (this.#busy) this.clear();
      else this.#verify(++this.#turn, subject);
    });
  }

  /** Clears the result, because the run has changed. */
  clear(): void {
    this.#end('');
    this.#table.hidden = true;
  }

  async #verify(turn: number, subject: () => Promise<ToVerify | undefined>): Promise<void> {
    this.#busy = true;
    write(this.#status, 'Comparing …');
    write(this.#button, 'Cancel');
    const of = await subject().catch(error => messageOf(error));
    if (turn !== this.#turn) return;
    if (!of || typeof of === 'string') {
      this.#end(of ?? 'There is no run to verify.');
      return;
    }
    const worker = openWorker('verifying');
    this.#worker = worker;
    worker.onerror = ({ message }) => this.#end(`The verification failed: ${workerFailed(message)}`);
    worker.onmessage = ({ data }: MessageEvent<FromVerify>) => {
      if ('problem' in data) this.#end(data.problem);
      else this.#show(data.verification);
    };
    worker.postMessage(of);
  }

  #end(words: string): void {
    this.#turn++;
    this.#busy = false;
    this.#worker?.terminate();
    this.#worker = undefined;
    write(this.#button, 'Verify');
    write(this.#status, words);
    this.#status.classList.remove('good', 'bad');
  }

  #show(of: Verification): void {
    const { step, sequences, T, engine, reference, loss, bound, floor, agrees } = of;
    this.#end(
      `${agrees ? '✓ Agrees' : '✗ Differs'}: step ${count(step + 1)} on ${engine} against the ${reference}, ${sequences} sequences of up to ${T} time steps. ` +
        `Loss ${significant(loss.engine, 7)} against ${significant(loss.reference, 7)}. Allowed difference: ${bound} of each tensor's largest value; for loss and gradients plus ${significant(floor, 2)} in absolute numbers, the rounding of an output near 1 in float32.` +
        (agrees
          ? ''
          : ' A strength within rounding error of a tie may take the other branch in float32. If the next steps differ too, please report it.'),
    );
    this.#status.classList.add(agrees ? 'good' : 'bad');
    const body = make('tbody');
    for (const [group, differences] of [
      ['forward pass', of.forward],
      ['gradient', of.gradients],
      ['weight after the step', of.weights],
    ] as const) {
      const own = group === 'gradient' ? floor : 0;
      body.append(...differences.map(one => rowOf(group, one, bound, own)));
    }
    this.#table.tBodies[0].replaceWith(body);
    this.#table.hidden = false;
  }
}

function rowOf(
  group: string,
  { tensor, numbers, largest, difference }: Difference,
  bound: number,
  floor: number,
): HTMLTableRowElement {
  const relative = largest > 0 ? (difference / largest).toExponential(1) : '–';
  // The ratio of two numbers that are both near 0 is meaningless.
  const under = difference > bound * largest && difference <= floor;
  return make(
    'tr',
    {},
    make('th', { scope: 'row' }, tensor),
    make('td', {}, group),
    make('td', {}, count(numbers)),
    make('td', {}, significant(largest)),
    make('td', {}, difference === 0 ? '0' : difference.toExponential(1)),
    make('td', {}, under ? `${relative}, below ${significant(floor, 2)}` : relative),
  );
}
