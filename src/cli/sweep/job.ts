import { join } from 'node:path';
import { type Config, firstDifference, KEYS, settingOf } from '../../base/config.ts';
import { InputError, show } from '../../base/errors.ts';
import { memoryKind } from '../../base/memories.ts';
import { countParameters } from '../../base/parameters.ts';
import type { Engine } from '../../engine/engine.ts';
import { changeWords } from '../../tasks/data-facts.ts';
import type { Data } from '../../tasks/data-file.ts';
import type { Recovered } from '../../train/recovery.ts';
import { storedConfig } from '../../train/setup.ts';
import type { CellResult, Measure } from '../../train/table.ts';
import { type Callbacks, Diverged, type Progress, Trainer } from '../../train/trainer.ts';
import { exists, read } from '../files/read.ts';
import { parseJson } from '../io/input.ts';
import { readCheckpoint } from '../run/checkpoint.ts';
import { FolderTaken, type RunFolder } from '../run/folder.ts';
import { CONFIG, RESULT } from '../run/names.ts';
import { measureAll } from './measure.ts';

/** A run that is killed loses no more than this, in ms. */
const SAVE_EVERY_MS = 30_000;
const LONGEST_JSON = 16 * 2 ** 20;

/** What a run needs from the outside. */
export interface Guide {
  measures: readonly Measure[];
  /** Your own data, where the task is that. */
  data?: Data;
  /** Shows how training goes by the clock, until the returned function is called. */
  follow(progress: () => Progress): () => void;
  /** Receives the function that ends the run early, before its first step. */
  onStart(stop: () => void): void;
  /** Another engine, where the device of this one was lost. */
  reopen?(lost: Engine): Promise<Engine>;
  onRecovered?(recovered: Recovered): void;
  /** What is to be said of a run that goes on. */
  onNote?(words: string): void;
}

/**
 * The result of an earlier run in the folder; undefined where there is none.
 * @throws InputError where it is none that can be used
 */
export async function readResult(folder: string, key: string): Promise<CellResult | undefined> {
  const path = join(folder, RESULT);
  if (!(await exists(path))) return undefined;
  const given = await readJson(path, 'result');
  const result = given as unknown as CellResult;
  if (given?.['kind'] !== 'cell' || result.key !== key || !Array.isArray(result.measured)) {
    throw new InputError(
      `${path} must be the result of ${key}, got ${show(given)}. Delete it to run it again.`,
    );
  }
  return result;
}

async function readJson(path: string, what: string): Promise<Record<string, unknown> | null> {
  return parseJson(new TextDecoder().decode(await read(path, what, LONGEST_JSON)), path) as Record<
    string,
    unknown
  > | null;
}

/** The configuration that a run in the folder began with. @throws InputError where it cannot be read */
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
 * Checks that what is in the folder was begun with this configuration: runs of several kinds are no table.
 * @throws InputError naming the setting that differs
 */
export async function checkConfig(folder: string, config: Config): Promise<void> {
  const there = await configIn(folder);
  if (!there) return;
  // The longest target is found in the data, and older files do not have it. Only memories of cells use depth and reads.
  const { memory } = config.model;
  const cells = memory !== 'none' && !memoryKind(memory).rows;
  const unused = ['task.longestTarget', ...(cells ? [] : ['model.depth', 'model.reads'])];
  const keys = KEYS.filter(key => !unused.includes(key));
  const name = firstDifference(there, config, keys);
  if (name === undefined) return;
  const [old, now] = [there, config].map(of => show(settingOf(of, name)));
  throw new InputError(
    `${folder} was begun with other settings: ${name} is ${old} there, ${now} now. Choose another --out, or delete that folder.`,
  );
}

/**
 * Trains a configuration in its folder, from the checkpoint there if there is one, and measures it. Undefined where
 * it was ended early, having been saved, or where another process took the folder over.
 */
export async function runJob(
  engine: Engine,
  folder: RunFolder,
  key: string,
  config: Config,
  guide: Guide,
): Promise<CellResult | undefined> {
  await checkConfig(folder.path, config);
  const from = (await exists(folder.checkpoint))
    ? (await readCheckpoint(folder.checkpoint)).checkpoint
    : undefined;
  const began = performance.now();
  const log = folder.log(undefined, () => {
    trainer.stop();
    return false;
  });
  const callbacks: Callbacks = {
    onProgress: progress => log.record({ kind: 'progress', ...progress }),
    onEvaluation: (evaluation, step) => log.record({ kind: 'evaluation', step, ...evaluation }),
    onRestart: restart => log.record({ kind: 'restart', ...restart }),
    reopen: guide.reopen,
    onRecovered(recovered) {
      log.record({ kind: 'recovered', ...recovered });
      guide.onRecovered?.(recovered);
    },
  };
  const trainer = from
    ? await Trainer.resume(engine, { ...from, config }, callbacks, guide.data)
    : await Trainer.start(engine, config, callbacks, guide.data);
  try {
    if (!from) await folder.writeConfig(config);
    const { name, adapter } = trainer.engine;
    const change = from?.data && guide.data && changeWords(from.data, guide.data.facts);
    if (change) guide.onNote?.(`data ${guide.data!.file} · ${change}`);
    log.record({ kind: 'start', engine: name, adapter, step: trainer.step, ...(change && { change }) });
    guide.onStart(() => trainer.stop());
    const ending = await folder
      .train(trainer, log, {
        saveEvery: SAVE_EVERY_MS,
        follow: () => guide.follow(() => trainer.progress),
      })
      .catch(async (error: unknown) => {
        // One learning rate too high is a result, and no reason to end the table.
        if (error instanceof Diverged) return 'diverged' as const;
        // The next call resumes from there; if not even that can be written, the first error is the one to report.
        await folder.salvage(trainer, error).catch(() => undefined);
        throw error;
      });
    await log.written();
    if (ending === 'stopped' || ending === 'paused') return undefined;
    const { run } = await trainer.snapshot();
    const measured = await measureAll(trainer, guide.measures);
    const result: CellResult = {
      kind: 'cell',
      key,
      seed: config.train.seed,
      rate: config.train.rate,
      ending,
      step: trainer.step,
      restarts: run.restarts,
      seconds: run.seconds,
      total: (from?.run.seconds ?? 0) + (performance.now() - began) / 1000,
      engine: name,
      adapter: adapter.name,
      plan: trainer.model.plan,
      parameters: countParameters(trainer.model.spec),
      date: new Date().toISOString(),
      measured,
    };
    await folder.writeResult(result);
    // The state of a run that diverged is kept only beside its result, so that no run resumes from it.
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
