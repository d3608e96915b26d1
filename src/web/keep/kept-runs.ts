import type { App } from '../app.ts';
import type { Charts } from '../charts/charts.ts';
import { noHistory } from '../charts/history.ts';
import { byId, write } from '../dom.ts';
import { wordsOf } from '../settings/differences.ts';
import type { Exports } from './exports.ts';
import { RunList } from './list.ts';
import type { RunStorage } from './run-storage.ts';

/** The list of stored runs, and the actions of its buttons. */
export class KeptRuns {
  readonly #app: App;
  readonly #storage: RunStorage;
  readonly #charts: Charts;
  readonly #list: RunList;
  #comparing = 0;
  #listing: Promise<void> | undefined;
  #again = false;

  constructor(app: App, storage: RunStorage, charts: Charts, takeaway: Exports) {
    this.#app = app;
    this.#storage = storage;
    this.#charts = charts;
    this.#list = new RunList({
      resume: id => {
        app.resume(id);
      },
      delete: (id, name) => this.#delete(id, name),
      download: id => takeaway.checkpoint(id),
      compare: ids => this.#compare(ids),
    });
  }

  /** Draws a run together with the current one. */
  drawBeside(id: string): void {
    this.#list.add(id);
  }

  /** Reads the list again. A call during a read causes another read after it. */
  show(): Promise<void> {
    this.#again = true;
    this.#listing ??= this.#read().finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  async #read(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const stored = await this.#storage.runs();
      // A failed run is listed as one that is not open, so that it can be resumed.
      const { current } = this.#app;
      const unkept = current && !stored.some(({ id }) => id === current.record.id) ? [current.record] : [];
      this.#list.show([...unkept, ...stored], current && !current.run.ended ? current.record.id : '');
    }
  }

  async #delete(id: string, name: string): Promise<void> {
    if (!confirm(`Delete ${name} and its checkpoint?`)) return;
    const deleted = await this.#storage.delete(id);
    write(
      byId('keep-status', HTMLElement),
      deleted ? '' : 'This run is open in another tab: close that tab first.',
    );
    await this.show();
  }

  async #compare(ids: readonly string[]): Promise<void> {
    const turn = ++this.#comparing;
    const found = await Promise.all(
      ids.map(async id => {
        const [run, history] = await Promise.all([this.#storage.run(id), this.#storage.history(id)]);
        return { name: run ? wordsOf(run.config) : 'deleted run', history: history ?? noHistory() };
      }),
    );
    if (turn === this.#comparing) this.#charts.compare(found);
  }
}
