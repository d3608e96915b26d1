import { messageOf } from '../../base/errors.ts';
import type { DataText } from '../protocol.ts';
import { type RunParts, Store, type StoredRun } from './store.ts';

/**
 * Stores runs as far as the browser allows. A failure is reported once, and training continues. The run can still be
 * downloaded.
 */
export class RunStorage {
  readonly #store: Promise<Store | undefined>;
  readonly #showProblem: (problem: string | undefined) => void;
  /** Whether a problem is shown on the page. */
  #reported = false;
  /** Set while runs are written, one at a time. */
  #writing: Promise<void> | undefined;
  /** The latest unwritten state of each run; a newer one replaces it. */
  readonly #pending = new Map<string, { parts: RunParts; data?: DataText }>();
  /** Runs whose data is already stored. It is stored only once, because it does not change. */
  readonly #withData = new Set<string>();

  constructor(showProblem: (problem: string | undefined) => void) {
    this.#showProblem = showProblem;
    this.#store = Store.open().catch(error => {
      this.#problem(`This browser stores nothing for this page (${messageOf(error)})`);
      return undefined;
    });
  }

  /**
   * Stores a run. Resolves when it is written or has failed.
   * @param data the user's own data that the run is trained on
   */
  save(parts: RunParts, data?: DataText): Promise<void> {
    this.#pending.set(parts.run.id, { parts, data });
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    const store = await this.#store;
    for (const [id] of this.#pending) {
      const { parts, data } = this.#pending.get(id)!;
      this.#pending.delete(id);
      if (store) await this.#write(store, parts, data);
    }
  }

  async #write(store: Store, parts: RunParts, data?: DataText): Promise<void> {
    try {
      const { id } = parts.run;
      await store.save(parts, this.#withData.has(id) ? undefined : data);
      this.#withData.add(id);
      if (this.#reported) {
        this.#reported = false;
        this.#showProblem(undefined);
      }
    } catch (error) {
      const full = error instanceof DOMException && error.name === 'QuotaExceededError';
      if (full) this.#problem("The browser's storage is full", 'Delete runs in the list below');
      else this.#problem(`The browser did not store the run (${messageOf(error)})`);
    }
  }

  #problem(what: string, advice = 'Allow this site to store data'): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#showProblem(
      `${what}: training continues, but a reload will lose its progress. ${advice}, or download the checkpoint.`,
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
    const release = await lockRun(id);
    if (!release) return false;
    this.#withData.delete(id);
    await this.#read(store => store.delete(id), undefined);
    release();
    return true;
  }

  async #read<T>(work: (store: Store) => Promise<T>, fallback: T): Promise<T> {
    const store = await this.#store;
    if (!store) return fallback;
    try {
      return await work(store);
    } catch (error) {
      this.#problem(`The browser's storage could not be read (${messageOf(error)})`);
      return fallback;
    }
  }
}

/**
 * Locks a run for this tab until it is released or the tab is closed, because two tabs must not both train it. If the
 * browser has no locks, this always succeeds.
 * @returns the function that releases the lock, or undefined if another tab holds it
 */
export function lockRun(id: string): Promise<(() => void) | undefined> {
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
