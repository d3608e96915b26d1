import type { Config } from '../base/config.ts';
import { messageOf, sentence } from '../base/errors.ts';
import type { EngineName } from '../platform/names.ts';
import { DATA } from '../tasks/names.ts';
import {
  addEvaluation,
  addProfile,
  addProgress,
  emptyHistory,
  type History,
  historyUpTo,
} from './charts/history.ts';
import { lockRun, type RunStorage } from './keep/run-storage.ts';
import { newId, type StoredRun } from './keep/store.ts';
import { addFrame, type Frame, framesToStore } from './past/frames.ts';
import { type DataText, isOver, type Opening, type Pace, type SavedCheckpoint } from './protocol.ts';
import { NotOpened, Run, type RunMessage } from './run.ts';

/** The run that the page shows, with everything that is stored with it. */
export interface CurrentRun {
  run: Run;
  record: StoredRun;
  history: History;
  data?: DataText;
  /** Pictures of the memory during training. */
  frames: readonly Frame[];
  /** Releases the lock on the run, so that other tabs can open it. */
  release(): void;
}

/** A run to start, or a stored run to resume. */
export interface RunRequest {
  config?: Config;
  checkpoint?: Uint8Array;
  data?: DataText;
  engine: EngineName;
  /** Whether the run waits for the start button. */
  paused?: boolean;
  /** Whether to continue a run that is over, ignoring the condition that ended it. */
  extend?: boolean;
  /** Name of the file from which the run is opened. */
  file?: string;
  /** The stored run, if it is resumed. */
  record?: StoredRun;
  history?: History;
  frames?: readonly Frame[];
}

/** Callbacks of the page for events of the run. */
export interface Listeners {
  opening(): void;
  /** A run has opened and become the current one. It may be the previous run, resumed or extended. */
  opened(current: CurrentRun, previous: CurrentRun | undefined): void;
  message(message: RunMessage, current: CurrentRun): void;
  /** A run could not be opened; the current one stays. @param file the file from which it was opened */
  refused(message: string, current: CurrentRun | undefined, file?: string): void;
  /** The current run has been saved, or could not be (RunStorage reports why). */
  saved(): void;
}

/** Time limit for the last checkpoint of a run that is being replaced, in ms. */
const LAST_CHECKPOINT_MS = 3000;

/** Manages the lifecycle of runs. One run at a time is current; a new run replaces it only after it has opened. */
export class App {
  readonly #storage: RunStorage;
  readonly #listeners: Listeners;
  readonly #openingOptions: () => Pick<Opening, 'pace' | 'source'>;
  #current: CurrentRun | undefined;
  /** Id of the latest request to open a run. Earlier requests are dropped. */
  #requestId = 0;
  #lastRequest: RunRequest | undefined;
  #swapping: Promise<void> = Promise.resolve();
  /** Ids of runs that were paused when another run replaced them. */
  readonly #paused = new Set<string>();

  /** @param openingOptions returns the pace and the source that are set on the page, with which a run is opened */
  constructor(
    storage: RunStorage,
    openingOptions: () => Pick<Opening, 'pace' | 'source'>,
    listeners: Listeners,
  ) {
    this.#storage = storage;
    this.#openingOptions = openingOptions;
    this.#listeners = listeners;
  }

  get current(): CurrentRun | undefined {
    return this.#current;
  }

  /** The engine that the user chose for the current run. */
  get engine(): EngineName {
    return this.#current?.record.engine ?? 'auto';
  }

  /**
   * Starts a run. If several are requested, only the last one starts, however long each takes to load.
   * @throws the error of `requested`, unless another run has been requested since
   */
  async start(requested: RunRequest | Promise<RunRequest>): Promise<void> {
    const requestId = ++this.#requestId;
    let request: RunRequest;
    try {
      request = await requested;
    } catch (error) {
      if (requestId === this.#requestId) throw error;
      return;
    }
    if (requestId === this.#requestId) await this.#open(requestId, request);
  }

  /** Returns the last request if its run trains on the user's data in this file and was requested without the file. */
  requestWaitingFor(file: string): RunRequest | undefined {
    const request = this.#lastRequest;
    const task = request?.config?.task;
    return task?.name === DATA && task.file === file && !request?.data ? request : undefined;
  }

  /** Requests the last requested run again. */
  async retry(): Promise<void> {
    if (this.#lastRequest) await this.start(this.#lastRequest);
  }

  async #open(requestId: number, request: RunRequest): Promise<void> {
    const { config, checkpoint, data, engine, extend } = request;
    this.#lastRequest = request;
    this.#listeners.opening();
    let run: Run;
    try {
      const stopped = request.record?.state === 'stopped';
      run = await Run.open({ config, checkpoint, data, engine, stopped, extend, ...this.#openingOptions() });
    } catch (error) {
      if (requestId !== this.#requestId) return;
      const message =
        error instanceof NotOpened ? `${sentence(error.message)} ${error.advice}` : messageOf(error);
      this.#listeners.refused(message.trim(), this.#current, request.file);
      return;
    }
    // Runs are swapped one at a time: two that open at the same time must not both replace the same run.
    const swapped = this.#swapping.then(() => this.#swap(requestId, run, request));
    this.#swapping = swapped.catch(() => undefined);
    await swapped;
  }

  /** Makes an open run the current one, or ends it if another has been requested since. */
  async #swap(
    requestId: number,
    run: Run,
    { data, engine, record, history, frames, paused }: RunRequest,
  ): Promise<void> {
    if (requestId !== this.#requestId) return run.end();
    const id = record?.id ?? newId();
    // When the current run is reopened, it must release its lock first.
    if (this.#current?.record.id === id) await this.#endCurrent();
    const release = await lockRun(id);
    if (!release) {
      run.end();
      this.#listeners.refused('This run is open in another tab: close that tab first.', this.#current);
      return;
    }
    await this.#endCurrent();
    const previous = this.#current;
    const now = Date.now();
    const stored: StoredRun = record ?? {
      id,
      created: now,
      updated: now,
      config: run.opened.config,
      engine,
      step: 0,
      state: 'paused',
      going: false,
    };
    const current: CurrentRun = {
      run,
      record: stored,
      history: history ?? emptyHistory(),
      frames: frames ?? [],
      data,
      release,
    };
    // An extended run may have a different number of steps.
    stored.config = run.opened.config;
    this.#current = current;
    this.#listeners.opened(current, previous);
    run.listen(message => {
      if (current !== this.#current) return;
      this.#record(message, current);
      this.#listeners.message(message, current);
    });
    if (!paused) run.send({ kind: 'run' });
  }

  /** Resumes a stored run. It trains at once, unless it is over or `paused` is set. */
  async resume(id: string, paused = false): Promise<void> {
    const requestId = ++this.#requestId;
    const [record, checkpoint, history, data, frames] = await Promise.all([
      this.#storage.run(id),
      this.#storage.checkpoint(id),
      this.#storage.history(id),
      this.#storage.data(id),
      this.#storage.frames(id),
    ]);
    if (requestId !== this.#requestId) return;
    if (!record || !checkpoint) {
      this.#listeners.refused('This run is no longer stored in this browser.', this.#current);
      return;
    }
    await this.#open(requestId, {
      checkpoint,
      data,
      engine: record.engine,
      paused: paused || isOver(record.state),
      record,
      history: history && historyUpTo(history, record.step),
      frames,
    });
  }

  /** Continues the current run, which is over, without the condition that ended it. */
  async extend(): Promise<void> {
    const { current } = this;
    if (!current) return;
    const { record, history, data, run, frames } = current;
    const request = run.ask('checkpoint', {}).then(({ bytes }) => ({
      checkpoint: bytes,
      extend: true,
      data,
      engine: record.engine,
      record: { ...record, state: 'paused' as const },
      history,
      frames,
    }));
    await this.start(request);
  }

  /** Whether a run of this tab was paused when another replaced it. */
  wasPaused(id: string): boolean {
    return this.#paused.has(id);
  }

  /** Saves the current run as it is now. @throws InputError if the run has ended */
  async saveNow(): Promise<void> {
    const current = this.#current;
    if (!current) return;
    const checkpoint = await current.run.ask('checkpoint', {});
    await this.#save(checkpoint, current);
  }

  pace(pace: Pace): void {
    this.#current?.run.send({ kind: 'pace', pace });
  }

  /** Saves the current run a last time, if it answers within the time limit, and ends it. */
  async #endCurrent(): Promise<void> {
    const current = this.#current;
    if (!current || current.run.ended) return;
    const timeout = new Promise(resolve => setTimeout(resolve, LAST_CHECKPOINT_MS));
    const { id, going } = current.record;
    this.#paused[going ? 'delete' : 'add'](id);
    current.run.send({ kind: 'pause' });
    current.record.going = false;
    // A failed run cannot answer any more.
    await Promise.race([this.saveNow().catch(() => undefined), timeout]);
    current.run.end();
    current.release();
  }

  /** Records a message of the run in its history and its stored state. */
  #record(message: RunMessage, current: CurrentRun): void {
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
      case 'checkpoint':
        this.#save(message.checkpoint, current).catch(() => undefined);
    }
  }

  async #save(
    { bytes, step }: SavedCheckpoint,
    { record, history, data, frames: all }: CurrentRun,
  ): Promise<void> {
    record.step = step;
    record.updated = Date.now();
    const frames = framesToStore(all);
    await this.#storage.save({ run: { ...record }, history, checkpoint: bytes, frames }, data);
    this.#listeners.saved();
  }
}
