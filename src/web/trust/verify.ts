import { messageOf } from '../../base/errors.ts';
import type { Difference, Verification } from '../../train/verify.ts';
import { byId, make, write } from '../dom.ts';
import { count, significant } from '../format.ts';
import { workerFailureMessage } from '../load-failure.ts';
import { openWorker } from '../open-worker.ts';
import type { FromVerify, ToVerify } from '../protocol.ts';

/** Compares the next training step of the run with the same step on the reference. */
export class VerifyPanel {
  readonly #button = byId('verify', HTMLButtonElement);
  readonly #status = byId('verify-status', HTMLElement);
  readonly #table = byId('verify-table', HTMLTableElement);
  #worker: Worker | undefined;
  /** Id of the current verification. The results of earlier ones are dropped. */
  #verificationId = 0;
  #busy = false;

  /**
   * @param subject returns the checkpoint, engine and data of the current run, or undefined if there is no run; rejects
   * with the reason if the run cannot be verified
   */
  constructor(subject: () => Promise<ToVerify | undefined>) {
    this.#button.addEventListener('click', () => {
      if (this.#busy) this.clear();
      else this.#verify(++this.#verificationId, subject);
    });
  }

  /** Clears the result, because the run has changed. */
  clear(): void {
    this.#end('');
    this.#table.hidden = true;
  }

  async #verify(verificationId: number, subject: () => Promise<ToVerify | undefined>): Promise<void> {
    this.#busy = true;
    write(this.#status, 'Comparing …');
    write(this.#button, 'Cancel');
    const request = await subject().catch(error => messageOf(error));
    if (verificationId !== this.#verificationId) return;
    if (!request || typeof request === 'string') {
      this.#end(request ?? 'There is no run to verify.');
      return;
    }
    const worker = openWorker('verifying');
    this.#worker = worker;
    worker.onerror = ({ message }) => this.#end(`The verification failed: ${workerFailureMessage(message)}`);
    worker.onmessage = ({ data }: MessageEvent<FromVerify>) => {
      if ('problem' in data) this.#end(data.problem);
      else this.#show(data.verification);
    };
    worker.postMessage(request);
  }

  #end(message: string): void {
    this.#verificationId++;
    this.#busy = false;
    this.#worker?.terminate();
    this.#worker = undefined;
    write(this.#button, 'Verify');
    write(this.#status, message);
    this.#status.classList.remove('good', 'bad');
  }

  #show(verification: Verification): void {
    const { step, sequences, T, engine, reference, loss, bound, floor, agrees } = verification;
    this.#end(
      `${agrees ? '✓ Agrees' : '✗ Differs'}: step ${count(step + 1)} on ${engine} against the ${reference}, ${sequences} sequences of up to ${T} time steps. ` +
        `Loss ${significant(loss.engine, 7)} against ${significant(loss.reference, 7)}. Allowed difference: ${bound} of each tensor's largest magnitude; for loss and gradients, ${significant(floor, 2)} more in absolute terms: the rounding of an output near 1 in float32. Weights after the step are shown, but not checked.` +
        (agrees
          ? ''
          : ' A strength very close to a point where a min or max of the equations switches may fall on the other side in float32. If the next steps differ too, please report it.'),
    );
    this.#status.classList.add(agrees ? 'good' : 'bad');
    const body = make('tbody');
    for (const [group, differences] of [
      ['forward pass', verification.forward],
      ['gradient', verification.gradients],
      ['weight after the step', verification.weights],
    ] as const) {
      const groupFloor = group === 'gradient' ? floor : 0;
      body.append(...differences.map(difference => rowOf(group, difference, bound, groupFloor)));
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
  // The ratio of two numbers near 0 is meaningless.
  const belowFloor = difference > bound * largest && difference <= floor;
  return make(
    'tr',
    {},
    make('th', { scope: 'row' }, tensor),
    make('td', {}, group),
    make('td', {}, count(numbers)),
    make('td', {}, significant(largest)),
    make('td', {}, difference === 0 ? '0' : difference.toExponential(1)),
    make('td', {}, belowFloor ? `${relative}, below ${significant(floor, 2)}` : relative),
  );
}
