import { appendLines } from '../files/write.ts';
import type { Output } from '../io/io.ts';

/** Before work by a timer is done for the first time, in ms. */
const FIRST_MS = 10_000;

/** What a Log tells of itself: see its constructor. */
export type LogListeners = [
  out: Output | undefined,
  onFailure: (error: unknown) => boolean,
  onMended?: () => void,
];

/** Writes files one after the other while training goes on. The first failure ends the run, or is tolerated. */
export class Log {
  readonly #path: string;
  readonly #out: Output | undefined;
  readonly #onFailure: (error: unknown) => boolean;
  readonly #onMended: () => void;
  #failing = false;
  #last: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  /** Lines that no write has taken yet. */
  #pending = '';
  #queued = false;

  /**
   * @param out gets every line too
   * @param onFailure called when a write fails, once until writing works again; false: the run shall end
   * @param onMended called when writing works again
   */
  constructor(path: string, ...[out, onFailure, onMended = () => undefined]: LogListeners) {
    this.#path = path;
    this.#out = out;
    this.#onFailure = onFailure;
    this.#onMended = onMended;
  }

  /** One object, one line: of the file, and of stdout where it is JSON. */
  record = (entry: object): void => {
    const json = `${JSON.stringify(entry)}\n`;
    this.#out?.write(json);
    // What comes while the file is written to waits for the next time, all together: a small model reports
    // faster than files are opened and closed, and saving is in the same queue.
    if (!this.#queued) {
      this.#queued = true;
      this.#later(() => {
        this.#queued = false;
        const text = this.#pending;
        this.#pending = '';
        return appendLines(this.#path, text).catch(error => {
          // For the next time.
          this.#pending = text + this.#pending;
          throw error;
        });
      });
    }
    this.#pending += json;
  };

  #later(work: () => Promise<unknown>): void {
    this.#last = this.#last.then(work).then(
      () => {
        if (this.#failing) this.#onMended();
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
   * Repeats work by a timer, since reports may be far apart: `every` ms after it was last done, but the first time soon, for
   * the sake of a short run. The returned function ends that.
   */
  regularly(work: () => Promise<unknown>, every: number): () => void {
    let over = false;
    let timer: NodeJS.Timeout;
    const after = (ms: number): void => {
      timer = setTimeout(() => {
        this.#later(async () => {
          if (over) return;
          try {
            await work();
          } finally {
            if (!over) after(every);
          }
        });
      }, ms);
    };
    after(Math.min(every, FIRST_MS));
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }

  /** Waits for all of it. @throws what the first failure was */
  async written(): Promise<void> {
    await this.#last;
    if (this.#failure) throw this.#failure;
  }
}
