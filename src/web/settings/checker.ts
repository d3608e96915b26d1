import type { Config } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { workerFailureMessage } from '../load-failure.ts';
import { openWorker } from '../open-worker.ts';
import type { CheckResult, DataText, FromCheck, ToCheck } from '../protocol.ts';

/** Time limit of a check, in ms. If a check takes longer, opening the run would too. */
const MAX_MS = 10_000;

/**
 * Returns a configuration that fits a file of pairs.
 * @throws InputError if the file cannot be read
 */
export function configFor(data: DataText, characters: boolean): Promise<Config> {
  const worker = openWorker('checking');
  const config = new Promise<Config>((resolve, reject) => {
    worker.onmessage = ({ data: answer }: MessageEvent<FromCheck>) => {
      if (answer.kind === 'defaults') resolve(answer.config);
      else if (answer.kind === 'refused') reject(new InputError(answer.message));
    };
    worker.onerror = ({ message }) =>
      reject(new Error(`${data.file} could not be read: ${workerFailureMessage(message)}`));
  });
  worker.postMessage({ kind: 'data', data, characters } satisfies ToCheck);
  return config.finally(() => worker.terminate());
}

/** Checks settings in a worker, one request at a time. A new request replaces one that has not started. */
export class Checker {
  #worker: Worker | undefined;
  #id = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Resolves the request that is being checked. */
  #resolve: ((checked: CheckResult | undefined) => void) | undefined;
  /** The request that has not started. */
  #next: { config: Config; data?: DataText; resolve(checked: CheckResult | undefined): void } | undefined;

  /** Checks settings. Resolves to undefined if another request replaced this one before it started. */
  check(config: Config, data?: DataText): Promise<CheckResult | undefined> {
    return new Promise(resolve => {
      this.#next?.resolve(undefined);
      this.#next = { config, data, resolve };
      if (!this.#resolve) this.#start();
    });
  }

  #start(): void {
    const next = this.#next;
    if (!next) return;
    this.#next = undefined;
    this.#resolve = next.resolve;
    this.#worker ??= this.#open();
    this.#timer = setTimeout(() => {
      this.#terminate();
      const message = `the check of these settings took more than ${MAX_MS / 1000} s: choose shorter sequences.`;
      this.#done({ problem: { key: 'task.maxLength', message } });
    }, MAX_MS);
    const { config, data } = next;
    this.#worker.postMessage({ kind: 'config', id: ++this.#id, config, data } satisfies ToCheck);
  }

  #open(): Worker {
    const worker = openWorker('checking');
    worker.onmessage = ({ data }: MessageEvent<FromCheck>) => {
      if (data.kind === 'checked' && data.id === this.#id) this.#done(data.checked);
    };
    worker.onerror = ({ message }) => {
      this.#terminate();
      this.#done({
        problem: { key: '', message: `the settings were not checked: ${workerFailureMessage(message)}` },
      });
    };
    return worker;
  }

  #terminate(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #done(checked: CheckResult): void {
    clearTimeout(this.#timer);
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(checked);
    this.#start();
  }
}
