import type { Config } from '../base/config.ts';
import type { Batch } from '../base/dims.ts';
import { DeviceLost, InputError } from '../base/errors.ts';
import type { Engine, Model } from '../engine/engine.ts';
import type { Data } from '../tasks/data-file.ts';
import { DATA } from '../tasks/names.ts';
import type { Task } from '../tasks/task.ts';
import { type Callbacks, Diverged, type Ending, type Progress, Reporter } from './callbacks.ts';
import { type Checkpoint, checkState } from './checkpoint.ts';
import { LastSnapshot } from './last-snapshot.ts';
import { causeOfDivergence, trainingBatch, validate } from './model.ts';
import { ProgressMeter } from './progress-meter.ts';
import { type OpenedModel, openModel, reopenModel } from './recovery.ts';
import {
  addSeconds,
  afterEvaluation,
  afterReport,
  afterReportStep,
  dueAt,
  endingOf,
  type RunState,
  startRun,
} from './run-state.ts';
import { checkSplit, initialState, setup, withVocabulary } from './setup.ts';
import { yieldToEventLoop } from './yield.ts';

export { type Callbacks, Diverged, type Ending, type Progress, type Restart } from './callbacks.ts';

/** Maximum time between two turns of the event loop, in ms. */
const YIELD_MS = 12;

/**
 * Trains the model of a configuration on an engine.
 *
 * ```ts
 * const trainer = await Trainer.start(engine, config, { onProgress: console.log });
 * await trainer.run();                                 // until done, solved, stalled, paused or stopped
 * const bytes = encodeCheckpoint(await trainer.snapshot());
 * ```
 *
 * Steps are only enqueued. The trainer waits for their reports at report and evaluation steps, or when many steps are
 * in flight. A report is accumulated when it is read, but decisions (curriculum, stopping; see run-state.ts) are made
 * at report and evaluation steps only. So a run resumed from any snapshot on the same engine continues exactly as an
 * uninterrupted one.
 */
export class Trainer {
  readonly task: Task;
  readonly config: Config;
  #model: Model;
  #engine: Engine;
  readonly #data: Data | undefined;
  readonly #callbacks: Callbacks;
  #step: number;
  #run: RunState;
  #stopped = false;
  #destroyed = false;
  /** False once pause() was called, or before run(). */
  #mayRun = false;
  #running: Promise<Ending> | undefined;
  /** The last of the queued calls that need exclusive use of the model. */
  #tail: Promise<unknown> = Promise.resolve();
  /**
   * Index (from 0) of the first step in the current streak of steps with NaN or infinity; undefined if the run was
   * resumed within the streak.
   */
  #firstNonFinite: number | undefined;
  /** Enqueued steps whose reports have not been read. */
  #unread = 0;
  readonly #meter = new ProgressMeter();
  readonly #last: LastSnapshot;
  readonly #reporter: Reporter;

  private constructor(
    { engine, model }: OpenedModel,
    task: Task,
    checkpoint: Checkpoint,
    callbacks: Callbacks,
    data: Data | undefined,
  ) {
    this.#engine = engine;
    this.#model = model;
    this.task = task;
    this.config = checkpoint.config;
    this.#callbacks = callbacks;
    this.#data = data;
    this.#step = checkpoint.state.step;
    this.#run = structuredClone(checkpoint.run);
    this.#reporter = new Reporter(callbacks, this.#step);
    this.#last = new LastSnapshot({ ...checkpoint, choices: model.choices, ...this.#facts });
  }

  /**
   * Starts a new run. Task `data` needs the data; the vocabulary is completed from it.
   * @throws InputError if settings contradict each other, DeviceError if the device is too small
   */
  static async start(
    engine: Engine,
    config: Config,
    callbacks: Callbacks = {},
    data?: Data,
  ): Promise<Trainer> {
    const complete = withVocabulary(config, data);
    const state = initialState(setup(complete, data).spec, config.train);
    const checkpoint = {
      config: complete,
      engine: engine.name,
      state,
      run: startRun(complete),
      ...(data && { data: data.facts }),
    };
    return Trainer.resume(engine, checkpoint, callbacks, data);
  }

  /**
   * Resumes from a checkpoint. Its configuration may have changed, but not the sizes of the model. If the device is
   * lost while kernels compile and there is a `reopen` callback, the run starts on another engine.
   * @throws InputError if the state and the configuration do not match
   */
  static async resume(
    engine: Engine,
    checkpoint: Checkpoint,
    callbacks: Callbacks = {},
    data?: Data,
  ): Promise<Trainer> {
    checkState(checkpoint);
    const config = withVocabulary(checkpoint.config, data);
    if (data) checkSplit(checkpoint.config, data);
    const { task } = setup(config, data);
    if (task.name === DATA && !data) {
      throw new InputError(
        `task ${DATA} needs its data: pass the parsed content of ${config.task.file || 'the file'}.`,
      );
    }
    const complete = { ...checkpoint, config };
    const opened = await openModel(engine, complete, data, callbacks.reopen);
    return new Trainer(opened, task, complete, callbacks, data);
  }

  /** The facts about the data that a checkpoint stores. */
  get #facts(): Pick<Checkpoint, 'data'> {
    return this.#data ? { data: this.#data.facts } : {};
  }

  /** The model on the device. A different one after the device is lost. */
  get model(): Model {
    return this.#model;
  }

  /** The engine of the model. A different one after the device is lost. */
  get engine(): Engine {
    return this.#engine;
  }

  /** Number of training steps enqueued so far, including those in flight. */
  get step(): number {
    return this.#step;
  }

  /**
   * Progress over the steps since the last report. Until the first of them is measured, the metrics and speeds are
   * those of the last report.
   */
  get progress(): Progress {
    return this.#meter.progress(this.config, this.#run, this.#step);
  }

  /** Why the run is over; undefined while it is not. */
  get ending(): Exclude<Ending, 'paused'> | undefined {
    return this.#stopped ? 'stopped' : endingOf(this.config, this.#run, this.#step);
  }

  /**
   * Trains until the run is over or paused.
   * @throws Diverged, a DeviceError, after ten consecutive steps with NaN or infinity; the model keeps the weights from
   * before them. DeviceLost if the device is lost and cannot be reopened
   */
  run(): Promise<Ending> {
    this.#mayRun = true;
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined;
      this.#mayRun = false;
    });
    return this.#running;
  }

  /** Makes run() return after the current step. run() can be called again. */
  pause(): void {
    this.#mayRun = false;
  }

  /** Ends training after the current step, permanently. */
  stop(): void {
    this.#stopped = true;
  }

  /** Does one step and reports its progress. Does nothing if the run is over. */
  async singleStep(): Promise<void> {
    if (this.ending) return;
    await this.betweenSteps(async () => {
      if (await this.#advance()) return;
      await this.#drain();
      this.#reportProgress(true);
    });
  }

  /** Everything needed to resume the run from this step. Can be called at any time. */
  snapshot(): Promise<Checkpoint> {
    return this.betweenSteps(async () => {
      await this.#takeSnapshot();
      return structuredClone(this.#last.checkpoint);
    });
  }

  /** The last snapshot on the host: what can be saved if the device is lost and cannot be reopened. */
  get lastSnapshot(): Checkpoint {
    return structuredClone(this.#last.checkpoint);
  }

  /**
   * Uses the model between two steps: to evaluate, trace or predict. If the device is lost meanwhile, `work` is
   * repeated on the new one. `work` must not await run(), snapshot(), singleStep() or betweenSteps(): they wait for
   * `work`.
   */
  betweenSteps<T>(work: (model: Model, task: Task) => Promise<T>): Promise<T> {
    const result = this.#tail.then(async () => {
      for (;;) {
        try {
          return await work(this.#model, this.task);
        } catch (error) {
          if (!(error instanceof DeviceLost)) throw error;
          await this.#recover(error);
        }
      }
    });
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Destroys the model but not the engine. */
  destroy(): void {
    this.stop();
    this.#destroyed = true;
    this.#model.destroy();
  }

  /** Takes a snapshot on the host. */
  async #takeSnapshot(): Promise<void> {
    const start = performance.now();
    await this.#drain();
    const state = await this.#model.state();
    const checkpoint = {
      config: structuredClone(this.config),
      engine: this.#engine.name,
      choices: this.#model.choices,
      state,
      run: this.#run,
      ...this.#facts,
    };
    this.#last.replace(checkpoint, start);
  }

  /**
   * Resumes from the last snapshot on another engine. Nothing of the old engine is used again: pending reports belong
   * to a destroyed model.
   */
  async #recover(lost: DeviceLost): Promise<void> {
    const { reopen } = this.#callbacks;
    if (!reopen) throw lost;
    const losses = this.#last.countLostDevice(lost);
    this.#model.destroy();
    this.#engine.destroy();
    const { checkpoint } = this.#last;
    const engine = this.#engine;
    const opened = await reopenModel(() => reopen(engine), checkpoint, this.#data, lost);
    if (this.#destroyed) {
      // destroy() was called while the device was being reopened: only this code can release the new model and engine.
      opened.model.destroy();
      opened.engine.destroy();
      throw lost;
    }
    const step = this.#step;
    const [before, { name }] = [this.#engine.adapter.name, opened.engine.adapter];
    this.#engine = opened.engine;
    this.#model = opened.model;
    this.#step = checkpoint.state.step;
    this.#run = checkpoint.run;
    this.#unread = 0;
    this.#meter.forget();
    this.#callbacks.onRecovered?.({
      step,
      from: this.#step,
      reason: lost.message,
      losses,
      ...(name !== before && { otherAdapter: name }),
    });
  }

  async #loop(): Promise<Ending> {
    let yielded = performance.now();
    // Repeated, because a device lost at the very end takes the run back to a step before the end.
    do {
      while (this.#mayRun && !this.ending) {
        await this.betweenSteps(() => this.#advance());
        if (performance.now() - yielded > YIELD_MS) {
          await yieldToEventLoop();
          yielded = performance.now();
        }
      }
      // Keeps the final state on the host: losing the device after the end, or in a pause, must not undo steps.
      await this.betweenSteps(() => this.#takeSnapshot());
    } while (this.#mayRun && !this.ending);
    return this.ending ?? 'paused';
  }

  /** Does one step and whatever is due after it. Returns false if its progress is still to be reported. */
  async #advance(): Promise<boolean> {
    if (this.ending) return true;
    const start = performance.now();
    const batch = this.#batchOf(this.#step);
    await this.#model.step(batch);
    const step = ++this.#step;
    this.#unread++;
    const { report, evaluation, last } = dueAt(this.config, step);
    const wait = report || evaluation || last || !this.#meter.isKnown || this.#meter.isFull(this.#unread);
    if (wait) await this.#drain();
    const ms = performance.now() - start;
    const timeSteps = batch.lengths.reduce((sum, length) => sum + length, 0);
    this.#meter.add(timeSteps, ms, wait);
    this.#run = addSeconds(this.#run, ms / 1000);
    if (report || last) this.#reportProgress();
    if (report) await this.#decide();
    if (evaluation || last) {
      const before = performance.now();
      const passed = await this.#evaluate();
      if (evaluation) this.#run = afterEvaluation(this.#run, passed);
      this.#run = addSeconds(this.#run, (performance.now() - before) / 1000);
    }
    if (wait && this.#last.isDue(this.#callbacks.snapshotMs)) await this.#takeSnapshot();
    return report || last;
  }

  /** Waits for the reports of all enqueued steps. */
  async #drain(): Promise<void> {
    if (this.#unread === 0) return;
    let step = this.#step - this.#unread;
    this.#unread = 0;
    for (const report of await this.#model.reports()) {
      this.#run = afterReport(this.config, this.#run, report);
      if (this.#run.badStreak === 1 && !report.finite) this.#firstNonFinite = step;
      step++;
    }
  }

  /** @param force report even a step that was reported before */
  #reportProgress(force = false): void {
    const { progress } = this;
    if (this.#reporter.progress(progress, force)) this.#meter.reported(progress);
  }

  async #decide(): Promise<void> {
    const { run, decision, loss } = afterReportStep(this.config, this.#run, this.#step);
    this.#run = run;
    if (decision === 'diverge') {
      const cause = await this.#causeOfDivergence().catch(() => '');
      throw new Diverged(this.#step, this.config.train.rate, cause);
    }
    if (decision === 'restart') this.#restart(loss);
  }

  /** A sentence that says which step failed first and what was not finite; '' if unknown. */
  async #causeOfDivergence(): Promise<string> {
    const first = this.#firstNonFinite;
    if (first === undefined) return '';
    const batch = this.#batchOf(first);
    return causeOfDivergence(this.#engine, this.#model, this.config.train, batch, first);
  }

  #batchOf(step: number): Batch {
    const { curriculum, initialisedAt } = this.#run;
    return trainingBatch(this.task, this.config, step, curriculum.length, initialisedAt);
  }

  /** Loads the new weights of a restart. */
  #restart(loss: number): void {
    const { restarts } = this.#run;
    const state = initialState(this.#model.spec, this.config.train, restarts);
    this.#model.load({ ...state, step: this.#step, initialisedAt: this.#step });
    this.#reporter.restart({ step: this.#step, restarts, loss });
  }

  /** Evaluates the model. Returns whether the coarse accuracy reaches stopAt. */
  async #evaluate(): Promise<boolean> {
    const { length } = this.#run.curriculum;
    const evaluation = await validate(this.#model, this.task, this.config, length, this.#step);
    this.#reporter.evaluation(evaluation, this.#step);
    const { stopAt } = this.config.train;
    return stopAt > 0 && evaluation.coarse >= stopAt;
  }
}
