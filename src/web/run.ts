import { InputError } from '../base/errors.ts';
import { workerFailureMessage } from './load-failure.ts';
import { openWorker } from './open-worker.ts';
import type { Answer, FromWorker, Opened, Opening, QuestionKind, Questions, ToWorker } from './protocol.ts';

/** Messages of an open run, except answers to questions. */
export type RunMessage = Exclude<FromWorker, Opened | { kind: 'answer' | 'refused' }>;

/** A run could not be opened. `advice` says what to do. */
export class NotOpened extends Error {
  readonly advice: string;

  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}

interface PendingQuestion {
  resolve(answer: Answer<QuestionKind>): void;
  reject(error: InputError): void;
}

const ENDED = 'the run has ended.';

type Listener = (message: RunMessage) => void;

/** The page's side of a run in a worker. Messages that arrive before listen() is called are delivered by listen(). */
export class Run {
  readonly opened: Opened;
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingQuestion>();
  #questions = 0;
  #listener: Listener | undefined;
  #undelivered: RunMessage[] = [];
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
          run.#deliver({ kind: 'failed', message, advice });
        } else reject(new NotOpened(message, advice));
      };
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.kind === 'failed') fail(data.message, data.advice);
        else if (data.kind === 'opened') {
          run = new Run(worker, data);
          resolve(run);
        } else if (!run) return;
        else if (data.kind === 'answer') run.#takePending(data.id)?.resolve(data.answer);
        else if (data.kind === 'refused') run.#takePending(data.id)?.reject(new InputError(data.message));
        else run.#deliver(data);
      };
      worker.onerror = ({ message }) => fail(workerFailureMessage(message), '');
      worker.onmessageerror = () => fail('a message of the worker could not be read.', 'Reload the page.');
      worker.postMessage({ kind: 'open', opening } satisfies ToWorker);
    });
  }

  /** Sets the listener. `failed` is the last message. */
  listen(listener: Listener): void {
    this.#listener = listener;
    for (const message of this.#undelivered.splice(0)) listener(message);
  }

  #deliver(message: RunMessage): void {
    if (this.#listener) this.#listener(message);
    else this.#undelivered.push(message);
  }

  /** Whether the run failed or was ended; it sends no more messages. */
  get ended(): boolean {
    return this.#ended;
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Asks a question. @throws InputError if it cannot be answered, or the run ends first */
  ask<K extends QuestionKind>(what: K, question: Questions[K]['question']): Promise<Answer<K>> {
    const id = ++this.#questions;
    if (this.#ended) return Promise.reject(new InputError(ENDED));
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as PendingQuestion['resolve'], reject });
      this.send({ kind: 'ask', id, question: { what, ...question } } as ToWorker);
    });
  }

  /** Ends the run at once. */
  end(): void {
    this.#worker.terminate();
    this.#listener = () => undefined;
    this.#close();
  }

  #takePending(id: number): PendingQuestion | undefined {
    const question = this.#pending.get(id);
    this.#pending.delete(id);
    return question;
  }

  #close(): void {
    this.#ended = true;
    for (const { reject } of this.#pending.values()) reject(new InputError(ENDED));
    this.#pending.clear();
  }
}
