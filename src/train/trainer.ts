import type { Config } from '../base/config.ts';
import type { Batch } from '../base/dims.ts';
import { DeviceError, DeviceLost, InputError } from '../base/errors.ts';
import type { Engine, Model } from '../engine/engine.ts';
import type { Data } from '../tasks/data-file.ts';
import { DATA } from '../tasks/names.ts';
import type { Task } from '../tasks/task.ts';
import { breathe } from './breathe.ts';
import { type Checkpoint, checkState, type RunState, startRun } from './checkpoint.ts';
import { absorb, commit } from './curriculum.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { addReport, type Metrics, metricsOf, noSums } from './metrics.ts';
import { EVALUATED, firstNotFinite, modelFor, trainingBatch } from './model.ts';
import { feel, startPatience, weigh } from './patience.ts';
import { MOST_LOSSES, modelAnew, type Recovered } from './recovery.ts';
import { initialState, setup, withVocabulary } from './setup.ts';

/** Said every reportEvery steps: metrics are means over those. */
export interface Progress extends Metrics {
  /** Steps done, and at most. */
  step: number;
  steps: number;
  /** Longest source trained on. */
  length: number;
  sequencesPerSecond: number;
  /** Steps of all sequences, padding left out. */
  timeStepsPerSecond: number;
  /** Seconds trained, and still to go if all steps are made: NaN before the first. */
  elapsed: number;
  eta: number;
}

/** Which restart it is, and the loss that it was stuck at. */
export interface Restart {
  step: number;
  restarts: number;
  loss: number;
}

export interface Callbacks {
  onProgress?(progress: Progress): void;
  onEvaluation?(evaluation: Evaluation, step: number): void;
  /** A stuck run begins anew with other weights (restartAfter). */
  onRestart?(restart: Restart): void;
  /**
   * Opens another engine of the same kind where the device of this one was lost: the run goes on from its last snapshot
   * on the host, with the same numbers. Without it, or where that fails, a loss ends the run.
   */
  reopen?(lost: Engine): Promise<Engine>;
  onRecovered?(recovered: Recovered): void;
  /**
   * ms between snapshots on the host at least (2,000), 0 for whenever the trainer waits: what is done again after a loss.
   * They change no number.
   */
  snapshotMs?: number;
}

/**
 * Why run() came back. `done`: all steps made; `solved`: stopAt reached, stopPasses times in a row; `stalled`: the training loss
 * has not improved for as long as patience allows.
 */
export type Ending = 'done' | 'solved' | 'stalled' | 'stopped' | 'paused';

/** Training has led to numbers that are none. The state is that before them. */
export class Diverged extends DeviceError {}

/** Steps in a row that may be not finite before training gives up. */
const BAD_STEPS = 10;
/** Work that may be queued on the device, in ms and in steps: what a pause has to wait for. */
const QUEUED_MS = 150;
const QUEUED_STEPS = 128;
/** Time between breaths, in ms. */
const BREATH_MS = 12;
/** Snapshots on the host: ms between them, and the share of the time that they may take. */
const SNAPSHOT_MS = 2000;
const SNAPSHOT_SHARE = 1 / 20;

/**
 * Trains a model of an engine as a configuration says.
 *
 *   const trainer = await Trainer.start(engine, config, { onProgress: console.log });
 *   await trainer.run();                                 // until done, solved, paused or stopped
 *   const bytes = encodeCheckpoint(await trainer.snapshot());
 *
 * Steps are only enqueued; reports are waited for at report and evaluation steps, or when much is queued. A
 * report counts the moment it is read, but decisions (curriculum, stopping) fall at report and evaluation
 * steps alone. So a run resumed from any snapshot goes on, on the same engine, exactly as if never broken.
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
  #going = false;
  #running: Promise<Ending> | undefined;
  /** The last of the things that need the model for themselves. */
  #tail: Promise<unknown> = Promise.resolve();
  /** The first of the last steps that were not finite, from 0; unknown after a resumption among them. */
  #firstBad: number | undefined;
  /** Steps enqueued whose reports are not read yet. */
  #unread = 0;
  /** Time per step, in ms, smoothed: 0 until known. */
  #msPerStep = 0;
  /** Training steps, their time steps and ms since the last progress report, evaluations left out. */
  #pace = { steps: 0, timeSteps: 0, ms: 0 };
  /** What was reported last. */
  #reported: Metrics = metricsOf(noSums());
  #reportedPace = { steps: 0, timeSteps: 0, ms: 0 };
  /** The last state on the host, when it was taken, and how long that took. */
  #kept: { checkpoint: Checkpoint; at: number; took: number };
  /** Devices lost in all, and since the last snapshot. */
  #losses = { all: 0, sinceKept: 0 };
  /** The last steps of which callbacks were told: what is done again after a loss is not told again. */
  readonly #told: Record<'progress' | 'evaluation' | 'restart', number>;

  private constructor(
    engine: Engine,
    task: Task,
    model: Model,
    checkpoint: Checkpoint,
    callbacks: Callbacks,
    data: Data | undefined,
  ) {
    this.#engine = engine;
    this.task = task;
    this.#model = model;
    this.config = checkpoint.config;
    this.#callbacks = callbacks;
    this.#data = data;
    this.#step = checkpoint.state.step;
    this.#run = structuredClone(checkpoint.run);
    const { step } = checkpoint.state;
    this.#told = { progress: step, evaluation: step, restart: step };
    const kept = structuredClone({ ...checkpoint, choices: model.choices });
    this.#kept = { checkpoint: kept, at: performance.now(), took: 0 };
  }

  /**
   * A new run. Task `data` takes its data too, and fills the vocabulary in.
   * @throws InputError where the configuration does not go together, DeviceError where the device is too small
   */
  static async start(
    engine: Engine,
    config: Config,
    callbacks: Callbacks = {},
    data?: Data,
  ): Promise<Trainer> {
    const whole = data ? withVocabulary(config, data) : config;
    const state = initialState(setup(whole, data).spec, config.train);
    const checkpoint = { config: whole, engine: engine.name, state, run: startRun(whole) };
    return Trainer.resume(engine, checkpoint, callbacks, data);
  }

  /**
   * Goes on from a checkpoint. Its configuration may have been changed, but not the sizes of the model. Where the device is
   * lost while kernels are compiled, and there is `reopen`, the run is on another engine from the start.
   * @throws InputError where state and configuration do not fit
   */
  static async resume(
    engine: Engine,
    checkpoint: Checkpoint,
    callbacks: Callbacks = {},
    data?: Data,
  ): Promise<Trainer> {
    checkState(checkpoint);
    const { config } = checkpoint;
    if (data) withVocabulary(config, data);
    const { task } = setup(config, data);
    if (task.name === DATA && !data) {
      throw new InputError(
        `task ${DATA} is trained on its data: hand on what ${config.task.file || 'the file'} holds.`,
      );
    }
    try {
      const model = await modelFor(engine, checkpoint, data);
      return new Trainer(engine, task, model, checkpoint, callbacks, data);
    } catch (error) {
      if (!(error instanceof DeviceLost) || !callbacks.reopen) throw error;
      engine.destroy();
      const { reopen } = callbacks;
      const opened = await modelAnew(() => reopen(engine), checkpoint, data, error);
      return new Trainer(opened.engine, task, opened.model, checkpoint, callbacks, data);
    }
  }

  /** The model on the device. Another one after the device was lost. */
  get model(): Model {
    return this.#model;
  }

  /** What the model is on; another one after the device was lost. */
  get engine(): Engine {
    return this.#engine;
  }

  /** Training steps done (enqueued). */
  get step(): number {
    return this.#step;
  }

  /** How training goes by now: over the steps since the last report, or, before any of those is known, as last reported. */
  get progress(): Progress {
    const { window: sums } = this.#run;
    const metrics = sums.steps + sums.badSteps > 0 ? metricsOf(sums) : this.#reported;
    const { steps, batch } = this.config.train;
    const pace = this.#pace.ms > 0 ? this.#pace : this.#reportedPace;
    return {
      ...metrics,
      step: this.#step,
      steps,
      length: this.#run.curriculum.length,
      sequencesPerSecond: (pace.steps * batch * 1000) / pace.ms,
      timeStepsPerSecond: (pace.timeSteps * 1000) / pace.ms,
      elapsed: this.#run.seconds,
      // Nobody knows before the first step is done.
      eta: this.#msPerStep ? ((steps - this.#step) * this.#msPerStep) / 1000 : Number.NaN,
    };
  }

  /** Why there is nothing more to do; undefined while there is. */
  get ending(): Exclude<Ending, 'paused'> | undefined {
    if (this.#stopped) return 'stopped';
    const { stopAt, stopPasses, patience, steps } = this.config.train;
    if (stopAt && this.#run.passes >= stopPasses) return 'solved';
    if (this.#step >= steps) return 'done';
    return patience && this.#run.patience.stale >= patience ? 'stalled' : undefined;
  }

  /**
   * Trains until there is nothing more to do, or a pause.
   * @throws DeviceError after ten steps in a row that were not finite; the state stays as it was before them
   */
  run(): Promise<Ending> {
    this.#going = true;
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined;
      this.#going = false;
    });
    return this.#running;
  }

  /** Makes run() come back after the step at hand; it can be called again. */
  pause(): void {
    this.#going = false;
  }

  /** Ends training after the step at hand, for good. */
  stop(): void {
    this.#stopped = true;
  }

  /** Makes one step, and says how it went. */
  async singleStep(): Promise<void> {
    if (this.ending) return;
    await this.between(async () => {
      if (await this.#advance()) return;
      await this.#drain();
      this.#say(true);
    });
  }

  /** Everything that a run needs to go on from here, at any time. */
  snapshot(): Promise<Checkpoint> {
    return this.between(async () => {
      await this.#keep();
      return structuredClone(this.#kept.checkpoint);
    });
  }

  /** The last state on the host: what there is to save where the device is lost for good. */
  get lastSnapshot(): Checkpoint {
    return structuredClone(this.#kept.checkpoint);
  }

  /**
   * Does something with the model between two steps: evaluate, trace, predict. Where the device is lost meanwhile, the
   * work is done again on another one.
   */
  between<T>(work: (model: Model, task: Task) => Promise<T>): Promise<T> {
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

  /** Gives back the model, not the engine. */
  destroy(): void {
    this.stop();
    this.#destroyed = true;
    this.#model.destroy();
  }

  /** Takes a snapshot on the host. */
  async #keep(): Promise<void> {
    const start = performance.now();
    await this.#drain();
    const state = await this.#model.state();
    const run = structuredClone(this.#run);
    const checkpoint = {
      config: structuredClone(this.config),
      engine: this.#engine.name,
      choices: this.#model.choices,
      state,
      run,
    };
    const at = performance.now();
    this.#kept = { checkpoint, at, took: at - start };
    this.#losses.sinceKept = 0;
  }

  /**
   * Goes on from the last snapshot, on another engine. Nothing of the old one is used again: what it still owes
   * belongs to a model that is gone.
   */
  async #recover(lost: DeviceLost): Promise<void> {
    const { reopen } = this.#callbacks;
    if (!reopen) throw lost;
    this.#losses.all++;
    if (++this.#losses.sinceKept > MOST_LOSSES) {
      throw new DeviceLost(
        `${lost.message} It was lost ${this.#losses.sinceKept} times in a row at the same place: the run is too much for it.`,
      );
    }
    this.#model.destroy();
    this.#engine.destroy();
    const { checkpoint } = this.#kept;
    const engine = this.#engine;
    const opened = await modelAnew(() => reopen(engine), checkpoint, this.#data, lost);
    if (this.#destroyed) {
      // Nobody would give it back.
      opened.model.destroy();
      opened.engine.destroy();
      throw lost;
    }
    const step = this.#step;
    const [before, { name }] = [this.#engine.adapter.name, opened.engine.adapter];
    this.#engine = opened.engine;
    this.#model = opened.model;
    this.#step = checkpoint.state.step;
    this.#run = structuredClone(checkpoint.run);
    this.#unread = 0;
    this.#pace = { steps: 0, timeSteps: 0, ms: 0 };
    this.#callbacks.onRecovered?.({
      step,
      from: this.#step,
      reason: lost.message,
      losses: this.#losses.all,
      ...(name !== before && { otherAdapter: name }),
    });
  }

  async #loop(): Promise<Ending> {
    let breath = performance.now();
    // A loss at the very end leads back to before it.
    do {
      while (this.#going && !this.ending) {
        await this.between(() => this.#advance());
        if (performance.now() - breath > BREATH_MS) {
          await breathe();
          breath = performance.now();
        }
      }
      // On the host too: a loss after the end, or in a pause, is not to lead back to before it.
      await this.between(() => this.#keep());
    } while (this.#going && !this.ending);
    return this.ending ?? 'paused';
  }

  /** One step and what is due after it. True: progress was said. */
  async #advance(): Promise<boolean> {
    if (this.ending) return true;
    const { steps, reportEvery, evaluateEvery } = this.config.train;
    const start = performance.now();
    const batch = this.#batchOf(this.#step);
    await this.#model.step(batch);
    const step = ++this.#step;
    this.#unread++;
    const last = step === steps;
    const report = step % reportEvery === 0;
    const evaluation = evaluateEvery > 0 && step % evaluateEvery === 0;
    // The first step is waited for as well: until then nobody knows how long a step takes.
    const full = this.#unread >= Math.min(QUEUED_STEPS, QUEUED_MS / this.#msPerStep);
    const wait = report || evaluation || last || full || !this.#msPerStep;
    if (wait) await this.#drain();
    const ms = performance.now() - start;
    this.#pace.steps++;
    this.#pace.timeSteps += batch.lengths.reduce((sum, length) => sum + length, 0);
    this.#pace.ms += ms;
    this.#run.seconds += ms / 1000;
    if (wait) {
      const mean = this.#pace.ms / this.#pace.steps;
      this.#msPerStep = this.#msPerStep ? 0.8 * this.#msPerStep + 0.2 * mean : mean;
    }
    if (report || last) this.#say();
    // Only at report steps, not at the last: what happens must not depend on how many steps are to come.
    if (report) await this.#decide();
    if (evaluation || last) {
      const before = performance.now();
      const passed = await this.#evaluate();
      if (evaluation) {
        this.#run.passes = passed ? this.#run.passes + 1 : 0;
        this.#run.patience = weigh(this.#run.patience);
      }
      this.#run.seconds += (performance.now() - before) / 1000;
    }
    const { snapshotMs = SNAPSHOT_MS } = this.#callbacks;
    const { at, took } = this.#kept;
    const due = snapshotMs && Math.max(snapshotMs, took / SNAPSHOT_SHARE);
    if (wait && performance.now() - at > due) await this.#keep();
    return report || last;
  }

  /** Waits for the reports of all steps enqueued. */
  async #drain(): Promise<void> {
    if (this.#unread === 0) return;
    let first = this.#step - this.#unread;
    this.#unread = 0;
    for (const report of await this.#model.reports()) {
      addReport(this.#run.window, report);
      this.#run.curriculum = absorb(this.config, this.#run.curriculum, report);
      this.#run.patience = feel(this.#run.patience, report);
      // Stays at the limit until the next report step.
      if (this.#run.badRun < BAD_STEPS) this.#run.badRun = report.finite ? 0 : this.#run.badRun + 1;
      if (this.#run.badRun === 1 && !report.finite) this.#firstBad = first;
      first++;
    }
  }

  /** @param again even where this step was told of before */
  #say(again = false): void {
    const told = this.#step <= this.#told.progress;
    this.#told.progress = Math.max(this.#step, this.#told.progress);
    if (told && !again) return;
    const { progress } = this;
    this.#reported = progress;
    this.#reportedPace = this.#pace;
    this.#pace = { steps: 0, timeSteps: 0, ms: 0 };
    this.#callbacks.onProgress?.(progress);
  }

  async #decide(): Promise<void> {
    const { length } = this.#run.curriculum;
    this.#run.curriculum = commit(this.#run.curriculum);
    // Longer sequences are harder: their loss is not to be measured by that of the shorter ones.
    if (this.#run.curriculum.length > length) this.#run.patience = startPatience();
    const { loss } = metricsOf(this.#run.window);
    this.#run.window = noSums();
    if (this.#run.badRun >= BAD_STEPS) {
      this.#run.badRun = 0;
      const where = await this.#whatWentBad().catch(() => '');
      throw new Diverged(
        `training diverged: ${BAD_STEPS} steps in a row before step ${this.#step} gave a loss or gradients that are NaN or infinite, and were not applied.${where} Lower train.rate (now ${this.config.train.rate}), or clip gradients.`,
      );
    }
    // Asked once for each set of weights: what has learned may stumble later without losing everything.
    const { restartAfter, restartAbove, maxRestarts, reportEvery } = this.config.train;
    const age = this.#step - this.#run.begun;
    const due = restartAfter > 0 && age >= restartAfter && age < restartAfter + reportEvery;
    if (due && loss > restartAbove && this.#run.restarts < maxRestarts) this.#restart(loss);
  }

  #batchOf(step: number): Batch {
    const { curriculum, begun } = this.#run;
    return trainingBatch(this.task, this.config, step, curriculum.length, begun);
  }

  /** Which step was the first, and what in it; '' where that cannot be told. */
  async #whatWentBad(): Promise<string> {
    const step = this.#firstBad;
    if (step === undefined) return '';
    const batch = this.#batchOf(step);
    const what = await firstNotFinite(this.#engine, this.#model, this.config.train, batch);
    return ` The first of them was step ${step + 1}, with batch ${step + 1} of seed ${this.config.train.seed}; the first tensor, ${what}.`;
  }

  /** Some weights lead into a corner that the gradient does not lead out of; others do not. */
  #restart(loss: number): void {
    const { window, seconds } = this.#run;
    const restarts = this.#run.restarts + 1;
    this.#run = { ...startRun(this.config), window, seconds, restarts, begun: this.#step };
    const state = initialState(this.#model.spec, this.config.train, restarts);
    this.#model.load({ ...state, step: this.#step, begun: this.#step });
    if (this.#step <= this.#told.restart) return;
    this.#told.restart = this.#step;
    this.#callbacks.onRestart?.({ step: this.#step, restarts, loss });
  }

  /** True where the coarse accuracy reaches stopAt. */
  async #evaluate(): Promise<boolean> {
    const { seed, evaluateLength, evaluateFrom, stopAt } = this.config.train;
    const length = evaluateLength || 2 * this.#run.curriculum.length;
    const evaluation = await evaluate(this.#model, this.task, {
      length,
      shortest: evaluateFrom || length,
      split: 'validation',
      sequences: EVALUATED,
      seed,
      index: this.#step,
    });
    if (this.#step > this.#told.evaluation) this.#callbacks.onEvaluation?.(evaluation, this.#step);
    this.#told.evaluation = Math.max(this.#step, this.#told.evaluation);
    return stopAt > 0 && evaluation.coarse >= stopAt;
  }
}
