import type { Config } from '../base/config.ts';
import { messageOf, sentence } from '../base/errors.ts';
import type { EngineName } from '../platform/names.ts';
import { DATA } from '../tasks/names.ts';
import { addEvaluation, addProfile, addProgress, type History, noHistory, upTo } from './charts/history.ts';
import { type RunStorage, takeRun } from './keep/run-storage.ts';
import { newId, type StoredRun } from './keep/store.ts';
import { addFrame, type Frame, framesToStore } from './past/frames.ts';
import { type DataText, isOver, type Kept, type Opening, type Pace } from './protocol.ts';
import { type Heard, NotOpened, Run } from './run.ts';

/** The run that the page shows, and what is kept of it. */
export interface Current {
  run: Run;
  record: StoredRun;
  history: History;
  data?: DataText;
  /** Pictures of its training. */
  frames: readonly Frame[];
  /** Lets other tabs have it. */
  release(): void;
}

/** A run to begin, or one to go on with. */
export interface Beginning {
  config?: Config;
  checkpoint?: Uint8Array;
  data?: DataText;
  engine: EngineName;
  /** It waits for its start. */
  paused?: boolean;
  /** It was over, and is to go on. */
  extend?: boolean;
  /** The file that it comes from. */
  file?: string;
  /** As stored, where it goes on. */
  record?: StoredRun;
  history?: History;
  frames?: readonly Frame[];
}

/** What the page does when something happens to the run. */
export interface Listeners {
  opening(): void;
  /** Another run is the current one. */
  opened(current: Current, before: Current | undefined): void;
  heard(message: Heard, current: Current): void;
  /** A run could not be opened; what was current still is. @param file that it was to come from */
  refused(message: string, current: Current | undefined, file?: string): void;
  /** Saved again. */
  kept(): void;
}

/** Time that the run before has for its last checkpoint, in ms. */
const LAST_WORD = 3000;

/** The life of runs: one at a time is current; another takes its place only when it is open. */
export class App {
  readonly #storage: RunStorage;
  readonly #listeners: Listeners;
  readonly #opening: () => Pick<Opening, 'pace' | 'source'>;
  #current: Current | undefined;
  /** Of the openings, only the last counts. */
  #turn = 0;
  #last: Beginning | undefined;
  #swapping: Promise<void> = Promise.resolve();
  /** Runs that were paused when they were left. */
  readonly #paused = new Set<string>();

  /** @param opening what else a run is opened with, as the page stands */
  constructor(storage: RunStorage, opening: () => Pick<Opening, 'pace' | 'source'>, listeners: Listeners) {
    this.#storage = storage;
    this.#opening = opening;
    this.#listeners = listeners;
  }

  get current(): Current | undefined {
    return this.#current;
  }

  /** The engine that was chosen for the current run. */
  get engine(): EngineName {
    return this.#current?.record.engine ?? 'auto';
  }

  /**
   * Only the run that was asked for last begins, however long each takes to load.
   * @throws what the promise is rejected with, unless another run has been asked for since
   */
  async begin(coming: Beginning | Promise<Beginning>): Promise<void> {
    const turn = ++this.#turn;
    let beginning: Beginning;
    try {
      beginning = await coming;
    } catch (error) {
      if (turn === this.#turn) throw error;
      return;
    }
    if (turn === this.#turn) await this.#begin(turn, beginning);
  }

  /** A run on your own data that was asked for without its file: the file makes it possible. */
  wanting(file: string): Beginning | undefined {
    const task = this.#last?.config?.task;
    return task?.name === DATA && task.file === file && !this.#last?.data ? this.#last : undefined;
  }

  /** What was asked for last, again. */
  async again(): Promise<void> {
    if (this.#last) await this.begin(this.#last);
  }

  async #begin(turn: number, beginning: Beginning): Promise<void> {
    const { config, checkpoint, data, engine, extend } = beginning;
    this.#last = beginning;
    this.#listeners.opening();
    let run: Run;
    try {
      const stopped = beginning.record?.state === 'stopped';
      run = await Run.open({ config, checkpoint, data, engine, stopped, extend, ...this.#opening() });
    } catch (error) {
      if (turn !== this.#turn) return;
      const words =
        error instanceof NotOpened ? `${sentence(error.message)} ${error.advice}` : messageOf(error);
      this.#listeners.refused(words.trim(), this.#current, beginning.file);
      return;
    }
    // One after the other: two that are open at once must not both follow the same run.
    const swapped = this.#swapping.then(() => this.#swap(turn, run, beginning));
    this.#swapping = swapped.catch(() => undefined);
    await swapped;
  }

  /** Puts an open run in the place of the current one; drops it where another has been asked for since. */
  async #swap(
    turn: number,
    run: Run,
    { data, engine, record, history, frames, paused }: Beginning,
  ): Promise<void> {
    if (turn !== this.#turn) return run.end();
    const id = record?.id ?? newId();
    // Of the page's own runs, the one that is left lets go first.
    if (this.#current?.record.id === id) await this.#leave();
    const release = await takeRun(id);
    if (!release) {
      run.end();
      this.#listeners.refused('This run is open in another tab.', this.#current);
      return;
    }
    await this.#leave();
    const before = this.#current;
    const now = Date.now();
    const made: StoredRun = record ?? {
      id,
      created: now,
      updated: now,
      config: run.opened.config,
      engine,
      step: 0,
      state: 'paused',
      going: false,
    };
    const current: Current = {
      run,
      record: made,
      history: history ?? noHistory(),
      frames: frames ?? [],
      data,
      release,
    };
    // One that is to go on may do so with other numbers of steps.
    made.config = run.opened.config;
    this.#current = current;
    this.#listeners.opened(current, before);
    run.listen(message => {
      if (current !== this.#current) return;
      this.#take(message, current);
      this.#listeners.heard(message, current);
    });
    if (!paused) run.tell({ kind: 'run' });
  }

  /** Goes on with a stored run: at once, unless it is over or is to be `paused`. */
  async resume(id: string, paused = false): Promise<void> {
    const turn = ++this.#turn;
    const [record, checkpoint, history, data, frames] = await Promise.all([
      this.#storage.run(id),
      this.#storage.checkpoint(id),
      this.#storage.history(id),
      this.#storage.data(id),
      this.#storage.frames(id),
    ]);
    if (turn !== this.#turn) return;
    if (!record || !checkpoint) {
      this.#listeners.refused('This run is no longer kept in the browser.', this.#current);
      return;
    }
    await this.#begin(turn, {
      checkpoint,
      data,
      engine: record.engine,
      paused: paused || isOver(record.state),
      record,
      history: history && upTo(history, record.step),
      frames,
    });
  }

  /** Goes on with the current run, which is over. */
  async extend(): Promise<void> {
    const { current } = this;
    if (!current) return;
    const { record, history, data, run } = current;
    const asked = run.ask('checkpoint', {}).then(({ bytes }) => ({
      checkpoint: bytes,
      extend: true,
      data,
      engine: record.engine,
      record: { ...record, state: 'paused' as const },
      history,
      frames: current.frames,
    }));
    await this.begin(asked);
  }

  /** Whether a run of this tab was paused when another took its place. */
  wasPaused(id: string): boolean {
    return this.#paused.has(id);
  }

  /** Has the current run kept as it is now. */
  async keepNow(): Promise<void> {
    const current = this.#current;
    if (!current) return;
    const kept = await current.run.ask('checkpoint', {});
    await this.#keep(kept, current);
  }

  pace(pace: Pace): void {
    this.#current?.run.tell({ kind: 'pace', pace });
  }

  /** The run before is kept once more, as far as it answers in time, and ends. */
  async #leave(): Promise<void> {
    const before = this.#current;
    if (!before || before.run.ended) return;
    const late = new Promise(resolve => setTimeout(resolve, LAST_WORD));
    const { id, going } = before.record;
    this.#paused[going ? 'delete' : 'add'](id);
    before.run.tell({ kind: 'pause' });
    before.record.going = false;
    // A run that has failed has nothing more to say.
    await Promise.race([this.keepNow().catch(() => undefined), late]);
    before.run.end();
    before.release();
  }

  #take(message: Heard, current: Current): void {
    const { history, record } = current;
    switch (message.kind) {
      case 'failed':
        record.going = false;
        current.release();
        break;
      case 'progress':
        addProgress(history, message.progress, record.config.train.reportEvery);
        break;
      case 'evaluation': {
        const { evaluation, step } = message;
        addEvaluation(history, evaluation, step);
        record.coarse = evaluation.coarse;
        record.length = evaluation.length;
        break;
      }
      case 'probe':
        current.frames = addFrame(current.frames, message.probe);
        addProfile(history, message.probe.profile, message.probe.step, record.config.train.reportEvery);
        break;
      case 'state':
        record.going = message.state === 'running';
        record.state = message.state === 'running' ? 'paused' : message.state;
        break;
      case 'kept':
        this.#keep(message.kept, current).catch(() => undefined);
    }
  }

  async #keep({ bytes, step }: Kept, { record, history, data, frames: all }: Current): Promise<void> {
    record.step = step;
    record.updated = Date.now();
    const frames = framesToStore(all);
    await this.#storage.keep({ run: { ...record }, history, checkpoint: bytes, frames }, data);
    this.#listeners.kept();
  }
}
