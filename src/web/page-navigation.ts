import { InputError } from '../base/errors.ts';
import { preset } from '../train/presets.ts';
import type { App, RunRequest } from './app.ts';
import { byId, write, writeOrHide } from './dom.ts';
import { count } from './format.ts';
import type { RunStorage } from './keep/run-storage.ts';
import type { StoredRun } from './keep/store.ts';
import { type Address, readAddress, toAddress } from './settings/address.ts';
import type { SettingsForm } from './settings/form.ts';

const TAB_RUN = 'pushdown run';

const addressOf = ({ config, engine }: Pick<StoredRun, 'config' | 'engine'>): string =>
  toAddress({ config, engine, paused: false });

/**
 * Manages the page's address, which reproduces its run, and the browser's history. Restores the run of the tab after a
 * reload.
 */
export class PageNavigation {
  readonly #app: App;
  readonly #storage: RunStorage;
  readonly #form: SettingsForm;
  readonly #problem = byId('link-problem', HTMLElement);
  /** Whether the browser has already created or selected a history entry: by a link, Back or Forward. */
  #navigated = false;
  /** The address of the latest `popstate` event of a run. The `hashchange` event that follows it is ignored. */
  #returned = '';

  constructor(app: App, storage: RunStorage, form: SettingsForm) {
    this.#app = app;
    this.#storage = storage;
    this.#form = form;
    addEventListener('popstate', ({ state }) => this.#back(state?.run));
    addEventListener('hashchange', ({ newURL }) => this.#follow(newURL));
  }

  /** Called when a run has opened. It gets its own history entry if it replaces a different run. */
  opened(record: StoredRun, previous: StoredRun | undefined): void {
    rememberRun(record.id);
    const isNewEntry = previous !== undefined && previous.id !== record.id && !this.#navigated;
    this.#navigated = false;
    history[isNewEntry ? 'pushState' : 'replaceState']({ run: record.id }, '', addressOf(record));
  }

  /** Handles Back and Forward: resumes the run of the entry if it is stored, or starts the run of the address. */
  async #back(id: unknown): Promise<void> {
    if (typeof id !== 'string') return;
    this.#returned = location.href;
    if (id === this.#app.current?.record.id) return;
    this.#navigated = true;
    const address = this.#read();
    if (await this.#storage.run(id)) await this.#app.resume(id, this.#app.wasPaused(id));
    else if (address) await this.#app.start(address);
    this.#restoreAddress();
  }

  /** Handles a link or a typed address. */
  async #follow(url: string): Promise<void> {
    if (url === this.#returned) {
      this.#returned = '';
      return;
    }
    // Uses the address of the event, because a run that has just opened may have changed location.hash.
    const address = this.#read(new URL(url).hash);
    const problem = this.#problem.textContent;
    this.#navigated = true;
    if (address) await this.#app.start(address);
    this.#restoreAddress();
    // Opening a run clears the message.
    writeOrHide(this.#problem, problem ?? undefined);
  }

  /** Sets the address to that of the current run, even if the requested run could not be opened. */
  #restoreAddress(): void {
    this.#navigated = false;
    const { current } = this.#app;
    if (current) history.replaceState({ run: current.record.id }, '', addressOf(current.record));
  }

  #read(hash = location.hash): Address | undefined {
    try {
      const address = readAddress(hash);
      writeOrHide(this.#problem, address?.warning && `Warning: ${address.warning}`);
      return address;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const instead = this.#app.current ? 'The current run continues.' : 'The default run starts instead.';
      writeOrHide(this.#problem, `The link cannot be used: ${error.message} ${instead}`);
      return undefined;
    }
  }

  /**
   * Resumes the run that this tab had before a reload or a crash, unless the address names another. Otherwise resumes
   * an interrupted run of the address, or starts the run of the address (by default `reverse`).
   */
  async start(): Promise<void> {
    const [app, storage] = [this.#app, this.#storage];
    const address = this.#read();
    const problem = this.#problem.textContent || undefined;
    const wanted: RunRequest = address ?? { config: preset('reverse'), engine: 'auto' };
    this.#form.set(wanted.config!, wanted.engine);
    const same = (run: StoredRun): boolean => !address || addressOf(run) === addressOf(address);
    const id = rememberedRun();
    const stored = id ? await storage.run(id) : undefined;
    const interrupted = address ? (await storage.runs()).find(run => run.going && same(run)) : undefined;
    const earlier = stored && same(stored) ? stored : interrupted;
    if (earlier) {
      await app.resume(earlier.id, !earlier.going || address?.paused);
      const message = `Resumed from step ${count(earlier.step)}, saved in this browser.`;
      if (app.current) write(byId('keep-status', HTMLElement), message);
    }
    if (!app.current) {
      const error = byId('error', HTMLElement);
      const why = error.textContent;
      await app.start(wanted);
      if (why) writeOrHide(error, `The run saved in this browser could not be opened: ${why}`);
    }
    // Opening a run clears the message.
    writeOrHide(this.#problem, problem);
  }
}

/** Remembers the run of this tab across reloads. `sessionStorage` may throw if the browser denies storage. */
function rememberRun(id: string): void {
  try {
    sessionStorage.setItem(TAB_RUN, id);
  } catch {
    // After a reload, the page starts the run of the address.
  }
}
function rememberedRun(): string | null {
  try {
    return sessionStorage.getItem(TAB_RUN);
  } catch {
    return null;
  }
}
