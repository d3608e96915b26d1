import { appendLines } from '../files/write.ts';
import type { Output } from '../io/io.ts';

/** Maximum time before the first repetition, in ms. */
const FIRST_MS = 10_000;

/** Where a Log sends its lines and how it reports failures: see its constructor. */
export type LogListeners = [
  out: Output | undefined,
  onFailure: (error: unknown) => boolean,
  onWritable?: () => void,
];

/**
 * The queue of writes to files while training runs: one write at a time. `onFailure` decides if a failure is tolerated.
 */
export class Log {
  readonly #path: string;
  readonly #out: Output | undefined;
  readonly #onFailure: (error: unknown) => boolean;
  readonly #onWritable: () => void;
  #failing = false;
  #last: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  /** Lines that are not yet written. */
  #pending = '';
  #queued = false;

  /**
   * @param out also gets every line
   * @param onFailure called when a write fails, and then not again until a write succeeds; returns whether to tolerate the
   * failure: if not, written() throws it
   * @param onWritable called when a write succeeds after a failure
   */
  constructor(path: string, ...[out, onFailure, onWritable = () => undefined]: LogListeners) {
    this.#path = path;
    this.#out = out;
    this.#onFailure = onFailure;
    this.#onWritable = onWritable;
  }

  /** Writes an object as one line of JSON to the file, and to `out`. */
  record = (entry: object): void => {
    const json = `${JSON.stringify(entry)}\n`;
    this.#out?.write(json);
    // Lines that arrive during a write are written together by the next one: a small model reports faster than a file
    // can be opened and closed, and checkpoints use the same queue.
    if (!this.#queued) {
      this.#queued = true;
      this.#enqueue(() => {
        this.#queued = false;
        const text = this.#pending;
        this.#pending = '';
        return appendLines(this.#path, text).catch(error => {
          // The next write includes them.
          this.#pending = text + this.#pending;
          throw error;
        });
      });
    }
    this.#pending += json;
  };

  #enqueue(work: () => Promise<unknown>): void {
    this.#last = this.#last.then(work).then(
      () => {
        if (this.#failing) this.#onWritable();
        this.#failing = false;
      },
      error => {
        const first = !this.#failing;
        this.#failing = true;
        if (this.#failure === undefined && first && !this.#onFailure(error)) this.#failure = error;
      },
    );
  }

  /**
   * Repeats `work`, each time `every` ms after it last finished. It first runs after at most FIRST_MS, so that short
   * runs are saved too. A timer is used because reports may be far apart. Call the returned function to stop.
   */
  repeat(work: () => Promise<unknown>, every: number): () => void {
    let stopped = false;
    let timer: NodeJS.Timeout;
    const schedule = (ms: number): void => {
      timer = setTimeout(() => {
        this.#enqueue(async () => {
          if (stopped) return;
          try {
            await work();
          } finally {
            if (!stopped) schedule(every);
          }
        });
      }, ms);
    };
    schedule(Math.min(every, FIRST_MS));
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }

  /** Waits for all queued writes. @throws the first failure that was not tolerated */
  async written(): Promise<void> {
    await this.#last;
    if (this.#failure) throw this.#failure;
  }
}
