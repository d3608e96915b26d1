import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Config } from '../../base/config.ts';
import type { TuningStore } from '../../kernels/tuning-store.ts';
import type { EngineName } from '../../platform/names.ts';
import type { History } from '../charts/history.ts';
import type { Frame } from '../past/frames.ts';
import type { DataText, RunState } from '../protocol.ts';

/** A stored run, without its large parts. */
export interface StoredRun {
  id: string;
  /** ms since 1970. */
  created: number;
  updated: number;
  config: Config;
  engine: EngineName;
  /** Training step of the checkpoint. */
  step: number;
  state: Exclude<RunState, 'running'>;
  /** Whether the run was training when it was stored. If so, it continues after a reload. */
  going: boolean;
  /** Coarse accuracy of the latest evaluation, and the length evaluated. */
  coarse?: number;
  length?: number;
}

interface Schema extends DBSchema {
  runs: { key: string; value: StoredRun };
  histories: { key: string; value: History };
  checkpoints: { key: string; value: Uint8Array };
  data: { key: string; value: DataText };
  /** Pictures of the memory during training. */
  frames: { key: string; value: Frame[] };
  /** Kernel tile sizes that were measured as fastest, by adapter. */
  tunings: { key: string; value: string };
}

const NAME = 'pushdown';
const VERSION = 2;
const PARTS = ['runs', 'histories', 'checkpoints', 'data', 'frames'] as const;

const openDatabase = (): Promise<IDBPDatabase<Schema>> =>
  openDB<Schema>(NAME, VERSION, {
    upgrade(database) {
      // Stores of version 1 are kept; frames were added later.
      for (const store of [...PARTS, 'tunings'] as const)
        if (!database.objectStoreNames.contains(store)) database.createObjectStore(store);
    },
    // A newer version of the page needs to upgrade the database, so this page closes its connection.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });

/** The parts of a run that are stored. */
export interface RunParts {
  run: StoredRun;
  history: History;
  checkpoint: Uint8Array;
  frames: Frame[];
}

/** The runs in the browser's storage. A call rejects if the browser denies storage, or if the storage is full. */
export class Store {
  readonly #database: IDBPDatabase<Schema>;

  private constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  static async open(): Promise<Store> {
    return new Store(await openDatabase());
  }

  /** Returns all runs, the latest first. */
  async runs(): Promise<StoredRun[]> {
    return (await this.#database.getAll('runs')).sort((a, b) => b.created - a.created);
  }

  /** Writes all parts of a run or none. The curves may include steps after the checkpoint (see historyUpTo). */
  async save({ run, history, checkpoint, frames }: RunParts, data?: DataText): Promise<void> {
    const transaction = this.#database.transaction(PARTS, 'readwrite');
    const { id } = run;
    await Promise.all([
      transaction.objectStore('runs').put(run, id),
      transaction.objectStore('histories').put(history, id),
      transaction.objectStore('checkpoints').put(checkpoint, id),
      transaction.objectStore('frames').put(frames, id),
      ...(data ? [transaction.objectStore('data').put(data, id)] : []),
      transaction.done,
    ]);
  }

  async run(id: string): Promise<StoredRun | undefined> {
    return this.#database.get('runs', id);
  }

  async history(id: string): Promise<History | undefined> {
    return this.#database.get('histories', id);
  }

  async checkpoint(id: string): Promise<Uint8Array | undefined> {
    return this.#database.get('checkpoints', id);
  }

  async data(id: string): Promise<DataText | undefined> {
    return this.#database.get('data', id);
  }

  async frames(id: string): Promise<Frame[] | undefined> {
    return this.#database.get('frames', id);
  }

  async delete(id: string): Promise<void> {
    const transaction = this.#database.transaction(PARTS, 'readwrite');
    await Promise.all([...PARTS.map(part => transaction.objectStore(part).delete(id)), transaction.done]);
  }
}

/**
 * Returns the kernel tile sizes measured on an adapter, stored between visits. If they cannot be read, they are
 * measured again.
 * @param adapter name of the adapter, because measurements differ between adapters
 */
export async function storedTunings(adapter: string): Promise<TuningStore> {
  const known = new Map<string, string>();
  const name = (key: string): string => `${adapter} · ${key}`;
  try {
    const database = await openDatabase();
    for (const key of await database.getAllKeys('tunings'))
      known.set(key, (await database.get('tunings', key))!);
    return {
      get: key => known.get(name(key)),
      set(key, value) {
        known.set(name(key), value);
        database.put('tunings', value, name(key)).catch(() => undefined);
      },
    };
  } catch {
    return known;
  }
}

/** Returns an id of 128 random bits. randomUUID is available only in secure contexts. */
export const newId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
