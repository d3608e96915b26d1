import type { Config } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { openWorker } from '../open-worker.ts';
import type { Checked, DataText, FromCheck, ToCheck } from '../protocol.ts';
import { workerFailed } from '../unloaded.ts';

/** Limit for a check, in ms. If a check takes longer, the start of the run would too. */
const MOST_MS = 10_000;

/**
 * Returns settings that fit a file of pairs.
 * @throws InputError if the file cannot be read
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

/** Checks settings in a worker, one at a time. A new request replaces a waiting one. */
export class Checker {
  #worker: Worker | undefined;
  #id = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy: ((checked: Checked | undefined) => void) | undefined;
  #next: { config: Config; data?: DataText; resolve(checked: Checked | undefined): void } | undefined;

  /** Checks settings. Resolves to undefined if another request replaced this one before its turn. */
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
      const message = `the check of these settings took more than ${MOST_MS / 1000} s: choose shorter sequences.`;
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
