import { InputError } from '../base/errors.ts';
import { openWorker } from './open-worker.ts';
import type { Answer, Asked, FromWorker, Opened, Opening, Questions, ToWorker } from './protocol.ts';
import { workerFailed } from './unloaded.ts';

/** Messages that an open run sends by itself. */
export type Heard = Exclude<FromWorker, Opened | { kind: 'answer' | 'refused' }>;

/** A run could not be opened. `advice` says what to do. */
export class NotOpened extends Error {
  readonly advice: string;

  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}

interface Waiting {
  resolve(answer: Answer<Asked>): void;
  reject(error: InputError): void;
}

const OVER = 'the run has ended.';

type Hear = (message: Heard) => void;

/** The page's side of a run in a worker. Messages that arrive before listen() is called are delivered then. */
export class Run {
  readonly opened: Opened;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #hear: Hear | undefined;
  #unheard: Heard[] = [];
  #ended = false;

  private constructor(worker: Worker, opened: Opened) {
    this.#worker = worker;
    this.opened = opened;
  }

  /**
   * Opens a run in its own worker.
   * @throws NotOpened if it cannot be opened
   */
  static open(opening: Opening): Promise<Run> {
    const worker = openWorker('training');
    return new Promise((resolve, reject) => {
      let run: Run | undefined;
      const fail = (message: string, advice: string): void => {
        worker.terminate();
        if (run) {
          run.#close();
          run.#say({ kind: 'failed', message, advice });
        } else reject(new NotOpened(message, advice));
      };
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.kind === 'failed') fail(data.message, data.advice);
        else if (data.kind === 'opened') {
          run = new Run(worker, data);
          resolve(run);
        } else if (!run) return;
        else if (data.kind === 'answer') run.#take(data.id)?.resolve(data.answer);
        else if (data.kind === 'refused') run.#take(data.id)?.reject(new InputError(data.message));
        else run.#say(data);
      };
      worker.onerror = ({ message }) => fail(workerFailed(message), '');
      worker.onmessageerror = () => fail('a message of the worker could not be read.', 'Reload the page.');
      worker.postMessage({ kind: 'open', opening } satisfies ToWorker);
    });
  }

  /** Sets the listener. `failed` is the last message. */
  listen(hear: Hear): void {
    this.#hear = hear;
    for (const message of this.#unheard.splice(0)) hear(message);
  }

  #say(message: Heard): void {
    if (this.#hear) this.#hear(message);
    else this.#unheard.push(message);
  }

  /** Whether the run failed or was ended; it sends no more messages. */
  get ended(): boolean {
    return this.#ended;
  }

  tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Asks a question. @throws InputError if it cannot be answered, or the run ends first */
  ask<K extends Asked>(what: K, question: Questions[K]['question']): Promise<Answer<K>> {
    const id = ++this.#asked;
    if (this.#ended) return Promise.reject(new InputError(OVER));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.tell({ kind: 'ask', id, question: { what, ...question } } as ToWorker);
    });
  }

  /** Ends the run at once. */
  end(): void {
    this.#worker.terminate();
    this.#hear = () => undefined;
    this.#close();
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #close(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(new InputError(OVER));
    this.#waiting.clear();
  }
}
