import { InputError } from '../../base/errors.ts';
import { countParameters } from '../../base/parameters.ts';
import { type AdapterDetails, detailsOf } from '../../platform/adapter.ts';
import { openEngineWith, reopening } from '../../platform/browser/engine.ts';
import { BEST } from '../../platform/names.ts';
import { changeText, dataLine } from '../../tasks/data-facts.ts';
import { DATA } from '../../tasks/names.ts';
import { formatSource, type Task } from '../../tasks/task.ts';
import { type Checkpoint, decodeCheckpoint } from '../../train/checkpoint.ts';
import { extendedConfig } from '../../train/extend-run.ts';
import { type Callbacks, Trainer } from '../../train/trainer.ts';
import { storedTunings } from '../keep/store.ts';
import { firstSource } from '../memory/probe.ts';
import type { Opened, Opening } from '../protocol.ts';
import { shownSource } from './answers.ts';
import { ownDataFor } from './own-data.ts';

/** An open run in the worker. */
export interface OpenRun {
  trainer: Trainer;
  /** The source that the picture shows. */
  source: readonly number[];
  /** The longest trained length. */
  longest: number;
  opened: Opened;
}

/**
 * Opens an engine and a run on it, from step 0 or from a checkpoint.
 * @throws InputError if the configuration, the checkpoint or the data cannot be used; DeviceError if no engine works
 */
export async function openRun(opening: Opening, callbacks: Callbacks): Promise<OpenRun> {
  const decoded = opening.checkpoint && readCheckpoint(opening.checkpoint);
  const checkpoint = decoded && opening.extend ? { ...decoded, config: extendedConfig(decoded) } : decoded;
  const config = checkpoint?.config ?? opening.config;
  if (!config) throw new InputError('a run needs a configuration or a checkpoint.');
  if (config.task.name === DATA && !opening.data) {
    const file = config.task.file || 'my.tsv';
    throw new InputError(
      `the run needs your own data: open ${file} ${checkpoint ? 'together with the checkpoint' : 'under “Runs”, or drop it on the page'}.`,
    );
  }
  const data = ownDataFor(config.task, opening.data);
  const choice = opening.engine;
  let details: AdapterDetails | undefined;
  const options = {
    tunings: storedTunings,
    onAdapter(adapter: GPUAdapter) {
      details = detailsOf(adapter);
    },
  };
  const hooks = { ...callbacks, reopen: reopening(options) };
  const { result: trainer } = await openEngineWith(choice, options, engine =>
    checkpoint ? Trainer.resume(engine, checkpoint, hooks, data) : Trainer.start(engine, config, hooks, data),
  );
  const { engine } = trainer;
  const longest = checkpoint?.run.curriculum.length ?? config.task.maxLength;
  const source =
    sourceOf(trainer.task, opening.source) ?? firstSource(trainer.task, config.train.seed, longest);
  return {
    trainer,
    source,
    longest,
    opened: {
      kind: 'opened',
      config: trainer.config,
      engine: engine.name,
      adapter: engine.adapter,
      // `details` may belong to a device that failed.
      details: engine.name === BEST ? details : undefined,
      noGpu: choice === 'auto' && engine.name !== BEST ? engine.adapter.reason : undefined,
      step: trainer.step,
      plan: trainer.model.plan,
      parameters: countParameters(trainer.model.spec),
      bytes: trainer.model.bytes,
      lossUnit: config.model.output === 'softmax' ? 'nats/symbol' : '½ error²',
      source: formatSource(trainer.task, source),
      example: trainer.task.example,
      ...(data && checkpoint?.data && changeText(checkpoint.data, data.facts)
        ? { newData: dataLine(data.file, data.facts, checkpoint.data) }
        : {}),
    },
  };
}

function readCheckpoint(bytes: Uint8Array): Checkpoint {
  try {
    return decodeCheckpoint(bytes);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`this checkpoint cannot be used: ${error.message}`);
  }
}

/** Returns the previously shown source, if this task can read it. */
function sourceOf(task: Task, text: string | undefined): readonly number[] | undefined {
  if (!text) return undefined;
  try {
    return shownSource(task, text);
  } catch {
    return undefined;
  }
}
