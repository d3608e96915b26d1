import type { App } from '../app.ts';
import type { Charts } from '../charts/charts.ts';
import { emptyHistory } from '../charts/history.ts';
import { byId, write } from '../dom.ts';
import { describeConfig } from '../settings/differences.ts';
import type { Exports } from './exports.ts';
import { RunList } from './list.ts';
import type { RunStorage } from './run-storage.ts';

/** The list of stored runs, and the actions of its buttons. */
export class RunsPanel {
  readonly #app: App;
  readonly #storage: RunStorage;
  readonly #charts: Charts;
  readonly #list: RunList;
  /** Id of the latest comparison. The curves of earlier ones are dropped. */
  #comparison = 0;
  #reading: Promise<void> | undefined;
  /** Whether the list has to be read again. */
  #stale = false;

  constructor(app: App, storage: RunStorage, charts: Charts, exporter: Exports) {
    this.#app = app;
    this.#storage = storage;
    this.#charts = charts;
    this.#list = new RunList({
      resume: id => {
        app.resume(id);
      },
      delete: (id, name) => this.#delete(id, name),
      download: id => exporter.checkpoint(id),
      compare: ids => this.#compare(ids),
    });
  }

  /** Draws the curves of a run together with those of the current one. */
  compareWith(id: string): void {
    this.#list.add(id);
  }

  /** Reads the list again. A call during a read causes another read after it. */
  show(): Promise<void> {
    this.#stale = true;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    while (this.#stale) {
      this.#stale = false;
      const stored = await this.#storage.runs();
      // A failed run is not passed as the current one, so that it gets a button that resumes it.
      const { current } = this.#app;
      const unsaved = current && !stored.some(({ id }) => id === current.record.id) ? [current.record] : [];
      this.#list.show([...unsaved, ...stored], current && !current.run.ended ? current.record.id : '');
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
    const comparison = ++this.#comparison;
    const runs = await Promise.all(
      ids.map(async id => {
        const [run, history] = await Promise.all([this.#storage.run(id), this.#storage.history(id)]);
        return { name: run ? describeConfig(run.config) : 'deleted run', history: history ?? emptyHistory() };
      }),
    );
    if (comparison === this.#comparison) this.#charts.compare(runs);
  }
}
