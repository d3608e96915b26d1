import { messageOf } from '../../base/errors.ts';
import type { DataText } from '../protocol.ts';
import { type KeptRun, Store, type StoredRun } from './store.ts';

/**
 * Stores runs as far as the browser allows. A failure is reported once, and training continues; the run can still be
 * downloaded.
 */
export class RunStorage {
  readonly #store: Promise<Store | undefined>;
  readonly #tell: (problem: string | undefined) => void;
  #told = false;
  /** Writes run one at a time. Of the pending writes of a run, only the last is made. */
  #writing: Promise<void> | undefined;
  readonly #waiting = new Map<string, { kept: KeptRun; data?: DataText }>();
  /** Runs whose data is already stored, because data does not change. */
  readonly #withData = new Set<string>();

  constructor(tell: (problem: string | undefined) => void) {
    this.#tell = tell;
    this.#store = Store.open().catch(error => {
      this.#problem(`This browser stores nothing for this page (${messageOf(error)})`);
      return undefined;
    });
  }

  /**
   * Stores a run. Resolves when it is written or has failed. @param data the user's own data that the run is trained on
   */
  keep(kept: KeptRun, data?: DataText): Promise<void> {
    this.#waiting.set(kept.run.id, { kept, data });
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    const store = await this.#store;
    for (const [id] of this.#waiting) {
      const { kept, data } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (store) await this.#write(store, kept, data);
    }
  }

  async #write(store: Store, kept: KeptRun, data?: DataText): Promise<void> {
    try {
      const { id } = kept.run;
      await store.keep(kept, this.#withData.has(id) ? undefined : data);
      this.#withData.add(id);
      if (this.#told) {
        this.#told = false;
        this.#tell(undefined);
      }
    } catch (error) {
      const full = error instanceof DOMException && error.name === 'QuotaExceededError';
      this.#problem(
        full ? "The browser's storage is full" : `The browser did not store the run (${messageOf(error)})`,
      );
    }
  }

  #problem(what: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#tell(
      `${what}: training continues, but a reload will lose it. Delete runs in the list below, or download the checkpoint.`,
    );
  }

  /** Returns the stored runs, the latest first; none if there is no storage. */
  runs(): Promise<StoredRun[]> {
    return this.#read(store => store.runs(), []);
  }

  run(id: string): Promise<StoredRun | undefined> {
    return this.#read(store => store.run(id), undefined);
  }

  history(id: string): ReturnType<Store['history']> {
    return this.#read(store => store.history(id), undefined);
  }

  checkpoint(id: string): ReturnType<Store['checkpoint']> {
    return this.#read(store => store.checkpoint(id), undefined);
  }

  data(id: string): ReturnType<Store['data']> {
    return this.#read(store => store.data(id), undefined);
  }

  frames(id: string): ReturnType<Store['frames']> {
    return this.#read(store => store.frames(id), undefined);
  }

  /** Deletes a run. Returns false if it is open in another tab. */
  async delete(id: string): Promise<boolean> {
    const release = await takeRun(id);
    if (!release) return false;
    this.#withData.delete(id);
    await this.#read(store => store.delete(id), undefined);
    release();
    return true;
  }

  async #read<T>(work: (store: Store) => Promise<T>, none: T): Promise<T> {
    const store = await this.#store;
    if (!store) return none;
    try {
      return await work(store);
    } catch (error) {
      this.#problem(`The browser's storage could not be read (${messageOf(error)})`);
      return none;
    }
  }
}

/**
 * Locks a run for this tab until it is released or the tab is closed, because two tabs must not both train it. If the
 * browser has no locks, this always succeeds.
 * @returns the function that releases the lock, or undefined if another tab holds it
 */
export function takeRun(id: string): Promise<(() => void) | undefined> {
  if (!navigator.locks) return Promise.resolve(() => undefined);
  return new Promise(resolve => {
    navigator.locks
      .request(`pushdown run ${id}`, { ifAvailable: true }, lock => {
        if (!lock) {
          resolve(undefined);
          return undefined;
        }
        return new Promise<void>(release => resolve(release));
      })
      .catch(() => resolve(() => undefined));
  });
}
