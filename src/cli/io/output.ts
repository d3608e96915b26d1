import { fstatSync, writeSync } from 'node:fs';
import type { Output } from './io.ts';

/** What a Sink needs of a stream. */
export interface Drain {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * A stream of the process, to write to. Where it leads to a file, the file itself: Node's stream takes no
 * notice when a disk that is getting full has taken only a part.
 */
export function drainOf(stream: NodeJS.WriteStream & { fd: number }): Drain {
  try {
    if (!fstatSync(stream.fd).isFile()) return stream;
  } catch {
    return stream;
  }
  return {
    write(text, done) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(stream.fd, bytes, at);
      done();
    },
    on: () => undefined,
  };
}

/**
 * stdout or stderr. Node says only later whether a write went well, and nothing at all to a process that has
 * ended before: a full disk would pass for success. So writes are counted, and the first failure is reported.
 */
export class Sink implements Output {
  /** Why nothing more can be written. */
  failure: NodeJS.ErrnoException | undefined;
  readonly #stream: Drain;
  readonly #onFailure: (error: NodeJS.ErrnoException) => void;
  #pending = 0;
  #waiting: (() => void)[] = [];

  constructor(stream: Drain, onFailure: (error: NodeJS.ErrnoException) => void = () => {}) {
    this.#stream = stream;
    this.#onFailure = onFailure;
    stream.on('error', error => this.#fail(error));
  }

  get isTTY(): boolean {
    return Boolean(this.#stream.isTTY);
  }

  get columns(): number | undefined {
    return this.#stream.columns;
  }

  write(text: string): void {
    if (this.failure) return;
    this.#pending++;
    const done = (error?: Error | null) => {
      this.#pending--;
      if (error) this.#fail(error);
      this.#settle();
    };
    try {
      this.#stream.write(text, done);
    } catch (error) {
      // What writes synchronously may throw.
      done(error as Error);
    }
  }

  /** Resolves when all is written, or nothing more can be. */
  written(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve);
      this.#settle();
    });
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.failure) return;
    this.failure = error;
    this.#onFailure(error);
    this.#settle();
  }

  #settle(): void {
    if (this.#pending > 0 && !this.failure) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
