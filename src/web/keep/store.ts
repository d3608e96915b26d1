import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Config } from '../../base/config.ts';
import type { TuningStore } from '../../kernels/tuning-store.ts';
import type { EngineName } from '../../platform/names.ts';
import type { History } from '../charts/history.ts';
import type { Frame } from '../past/frames.ts';
import type { DataText, RunState } from '../protocol.ts';

/** A run as the browser's storage has it, without what is large. */
export interface StoredRun {
  id: string;
  /** ms since 1970. */
  created: number;
  updated: number;
  config: Config;
  engine: EngineName;
  /** Where the checkpoint stands. */
  step: number;
  state: Exclude<RunState, 'running'>;
  /** It was training when it was kept: a reload goes on. */
  going: boolean;
  /** Coarse accuracy when last evaluated, and at which length. */
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
  /** What was measured of adapters. */
  tunings: { key: string; value: string };
}

const NAME = 'pushdown';
const VERSION = 2;
const PARTS = ['runs', 'histories', 'checkpoints', 'data', 'frames'] as const;

const opened = (): Promise<IDBPDatabase<Schema>> =>
  openDB<Schema>(NAME, VERSION, {
    upgrade(database) {
      // Those of version 1 are kept: frames came later.
      for (const store of [...PARTS, 'tunings'] as const)
        if (!database.objectStoreNames.contains(store)) database.createObjectStore(store);
    },
    // A newer page wants the storage: it is told that this one lets go.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });

/** What of a run is kept. */
export interface KeptRun {
  run: StoredRun;
  history: History;
  checkpoint: Uint8Array;
  frames: Frame[];
}

/** The runs in the browser's storage. All calls reject where the browser gives none, or it is full. */
export class Store {
  readonly #database: IDBPDatabase<Schema>;

  private constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  static async open(): Promise<Store> {
    return new Store(await opened());
  }

  /** The latest first. */
  async runs(): Promise<StoredRun[]> {
    return (await this.#database.getAll('runs')).sort((a, b) => b.created - a.created);
  }

  /** All of it or nothing: a run never has the checkpoint of one moment and the curves of another. */
  async keep({ run, history, checkpoint, frames }: KeptRun, data?: DataText): Promise<void> {
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
 * What was measured of adapters, kept between visits; where that cannot be read, it is measured anew.
 * @param adapter its name: another one has other numbers
 */
export async function keptTunings(adapter: string): Promise<TuningStore> {
  const known = new Map<string, string>();
  const name = (key: string): string => `${adapter} · ${key}`;
  try {
    const database = await opened();
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

/** A name of 128 random bits; randomUUID is for secure pages only. */
export const newId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
