import type { Config } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { openWorker } from '../open-worker.ts';
import type { Checked, DataText, FromCheck, ToCheck } from '../protocol.ts';
import { workerFailed } from '../unloaded.ts';

/** A check that takes longer is given up, in ms: so would be the start of the run. */
const MOST_MS = 10_000;

/**
 * Settings that fit a file of pairs.
 * @throws InputError where it cannot be read
 */
export function fitTo(data: DataText, characters: boolean): Promise<Config> {
  const worker = openWorker('checking');
  const answered = new Promise<Config>((resolve, reject) => {
    worker.onmessage = ({ data: answer }: MessageEvent<FromCheck>) => {
      if (answer.kind === 'defaults') resolve(answer.config);
      else if (answer.kind === 'refused') reject(new InputError(answer.message));
    };
    worker.onerror = ({ message }) =>
      reject(new Error(`${data.file} could not be read: ${workerFailed(message)}`));
  });
  worker.postMessage({ kind: 'data', data, characters } satisfies ToCheck);
  return answered.finally(() => worker.terminate());
}

/** Has settings checked in a worker, one at a time: what is asked for meanwhile takes the place of what waits. */
export class Checker {
  #worker: Worker | undefined;
  #id = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy: ((checked: Checked | undefined) => void) | undefined;
  #next: { config: Config; data?: DataText; resolve(checked: Checked | undefined): void } | undefined;

  /** What the settings come to; undefined where others were asked about before this came to its turn. */
  check(config: Config, data?: DataText): Promise<Checked | undefined> {
    return new Promise(resolve => {
      this.#next?.resolve(undefined);
      this.#next = { config, data, resolve };
      if (!this.#busy) this.#begin();
    });
  }

  #begin(): void {
    const next = this.#next;
    if (!next) return;
    this.#next = undefined;
    this.#busy = next.resolve;
    this.#worker ??= this.#open();
    this.#timer = setTimeout(() => {
      this.#drop();
      const message = `these settings could not be checked within ${MOST_MS / 1000} s: take shorter sequences.`;
      this.#done({ problem: { key: 'task.maxLength', message } });
    }, MOST_MS);
    const { config, data } = next;
    this.#worker.postMessage({ kind: 'config', id: ++this.#id, config, data } satisfies ToCheck);
  }

  #open(): Worker {
    const worker = openWorker('checking');
    worker.onmessage = ({ data }: MessageEvent<FromCheck>) => {
      if (data.kind === 'checked' && data.id === this.#id) this.#done(data.checked);
    };
    worker.onerror = ({ message }) => {
      this.#drop();
      this.#done({
        problem: { key: '', message: `the settings were not checked: ${workerFailed(message)}` },
      });
    };
    return worker;
  }

  #drop(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #done(checked: Checked): void {
    clearTimeout(this.#timer);
    const resolve = this.#busy;
    this.#busy = undefined;
    resolve?.(checked);
    this.#begin();
  }
}
