import { join } from 'node:path';
import { type Config, firstDifference, KEYS, settingOf } from '../../base/config.ts';
import { InputError, show } from '../../base/errors.ts';
import { memoryKind } from '../../base/memories.ts';
import { countParameters } from '../../base/parameters.ts';
import type { Engine } from '../../engine/engine.ts';
import { changeText } from '../../tasks/data-facts.ts';
import type { Data } from '../../tasks/data-file.ts';
import type { Recovered } from '../../train/recovery.ts';
import { storedConfig } from '../../train/setup.ts';
import type { Measurement, RunResult } from '../../train/table.ts';
import { type Callbacks, Diverged, type Progress, Trainer } from '../../train/trainer.ts';
import { exists, read } from '../files/read.ts';
import { parseJson } from '../io/input.ts';
import { readCheckpoint } from '../run/checkpoint.ts';
import { FolderTaken, type RunFolder } from '../run/folder.ts';
import { CONFIG, RESULT } from '../run/names.ts';
import { measureAll } from './measure.ts';

/** Time between checkpoints, in ms: a killed run loses at most about this much. */
const SAVE_EVERY_MS = 30_000;
/** Maximum size of a result or a configuration, in bytes. */
const MAX_BYTES = 16 * 2 ** 20;

/** The measures and data of a run, and the callbacks through which it reports and is stopped. */
export interface JobHooks {
  measures: readonly Measurement[];
  /** For task `data`. */
  data?: Data;
  /** Shows the progress at intervals, until the returned function is called. */
  follow(progress: () => Progress): () => void;
  /** Called before the first step, with the function that stops the run. */
  onStart(stop: () => void): void;
  /** Opens another engine after the device was lost. */
  reopen?(lost: Engine): Promise<Engine>;
  onRecovered?(recovered: Recovered): void;
  /** Called with notes about a resumed run. */
  onNote?(note: string): void;
}

/**
 * The result of a finished run in the folder; undefined if there is none.
 * @throws InputError if the file is not a result of this run
 */
export async function readResult(folder: string, key: string): Promise<RunResult | undefined> {
  const path = join(folder, RESULT);
  if (!(await exists(path))) return undefined;
  const given = await readJson(path, 'result');
  const result = given as unknown as RunResult;
  if (given?.['kind'] !== 'cell' || result.key !== key || !Array.isArray(result.measured)) {
    throw new InputError(
      `${path} must be the result of ${key}, got ${show(given)}. Delete the file to train this run again.`,
    );
  }
  return result;
}

async function readJson(path: string, what: string): Promise<Record<string, unknown> | null> {
  return parseJson(new TextDecoder().decode(await read(path, what, MAX_BYTES)), path) as Record<
    string,
    unknown
  > | null;
}

/**
 * The configuration that the run in the folder was started with; undefined if there is none.
 * @throws InputError if it cannot be read
 */
export async function configIn(folder: string): Promise<Config | undefined> {
  const path = join(folder, CONFIG);
  if (!(await exists(path))) return undefined;
  try {
    return storedConfig(await readJson(path, 'configuration'));
  } catch (error) {
    throw error instanceof InputError && !error.message.includes(path)
      ? new InputError(`${path}: ${error.message}`)
      : error;
  }
}

/**
 * Checks that the run in the folder, if there is one, was started with this configuration.
 * @throws InputError naming the setting that differs
 */
export async function checkConfig(folder: string, config: Config): Promise<void> {
  const stored = await configIn(folder);
  if (!stored) return;
  // The longest target comes from the data, and older files do not have it. Only memories with cells use depth and
  // reads.
  const { memory } = config.model;
  const cells = memory !== 'none' && !memoryKind(memory).rows;
  const unused = ['task.longestTarget', ...(cells ? [] : ['model.depth', 'model.reads'])];
  const keys = KEYS.filter(key => !unused.includes(key));
  const name = firstDifference(stored, config, keys);
  if (name === undefined) return;
  const [old, now] = [stored, config].map(config => show(settingOf(config, name)));
  throw new InputError(
    `${folder} has a run with other settings: ${name} is ${old} there, but ${now} was requested. Choose another --out, or delete that folder.`,
  );
}

/**
 * Trains a configuration in its folder, from its checkpoint if there is one, and measures it. Returns undefined if the
 * run was stopped (it is saved), or if another process took over the folder.
 */
export async function runJob(
  engine: Engine,
  folder: RunFolder,
  key: string,
  config: Config,
  hooks: JobHooks,
): Promise<RunResult | undefined> {
  await checkConfig(folder.path, config);
  const from = (await exists(folder.checkpoint))
    ? (await readCheckpoint(folder.checkpoint)).checkpoint
    : undefined;
  const start = performance.now();
  const log = folder.log(undefined, () => {
    trainer.stop();
    return false;
  });
  const callbacks: Callbacks = {
    onProgress: progress => log.record({ kind: 'progress', ...progress }),
    onEvaluation: (evaluation, step) => log.record({ kind: 'evaluation', step, ...evaluation }),
    onRestart: restart => log.record({ kind: 'restart', ...restart }),
    reopen: hooks.reopen,
    onRecovered(recovered) {
      log.record({ kind: 'recovered', ...recovered });
      hooks.onRecovered?.(recovered);
    },
  };
  const trainer = from
    ? await Trainer.resume(engine, { ...from, config }, callbacks, hooks.data)
    : await Trainer.start(engine, config, callbacks, hooks.data);
  try {
    if (!from) await folder.writeConfig(config);
    const { name, adapter } = trainer.engine;
    const change = from?.data && hooks.data && changeText(from.data, hooks.data.facts);
    if (change) hooks.onNote?.(`data ${hooks.data!.file} · ${change}`);
    log.record({ kind: 'start', engine: name, adapter, step: trainer.step, ...(change && { change }) });
    hooks.onStart(() => trainer.stop());
    const ending = await folder
      .train(trainer, log, {
        saveEvery: SAVE_EVERY_MS,
        follow: () => hooks.follow(() => trainer.progress),
      })
      .catch(async (error: unknown) => {
        // Divergence is a result (the learning rate is too high), and does not end the sweep.
        if (error instanceof Diverged) return 'diverged' as const;
        // The next call resumes from this checkpoint. If it cannot be written either, the first error is reported.
        await folder.salvage(trainer, error).catch(() => undefined);
        throw error;
      });
    await log.written();
    if (ending === 'stopped' || ending === 'paused') return undefined;
    const { run } = await trainer.snapshot();
    const measured = await measureAll(trainer, hooks.measures);
    // After a lost device, this is not the engine that the run started with.
    const last = trainer.engine;
    const result: RunResult = {
      kind: 'cell',
      key,
      seed: config.train.seed,
      rate: config.train.rate,
      ending,
      step: trainer.step,
      restarts: run.restarts,
      seconds: run.seconds,
      total: (from?.run.seconds ?? 0) + (performance.now() - start) / 1000,
      engine: last.name,
      adapter: last.adapter.name,
      plan: trainer.model.plan,
      parameters: countParameters(trainer.model.spec),
      date: new Date().toISOString(),
      measured,
    };
    await folder.writeResult(result);
    // Saved after the result, so that no run resumes from the state of a diverged run.
    if (ending === 'diverged') await folder.save(await trainer.snapshot());
    return result;
  } catch (error) {
    if (error instanceof FolderTaken) return undefined;
    throw error;
  } finally {
    await log.written().catch(() => undefined);
    trainer.destroy();
  }
}
