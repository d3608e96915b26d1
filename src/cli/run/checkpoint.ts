import { dirname, join } from 'node:path';
import { DeviceLost, InputError } from '../../base/errors.ts';
import type { Engine, Model } from '../../engine/engine.ts';
import { openEngineWith } from '../../platform/node/engine.ts';
import type { Data } from '../../tasks/data-file.ts';
import type { Task } from '../../tasks/task.ts';
import { type Checkpoint, decodeCheckpoint } from '../../train/checkpoint.ts';
import { GALLERY } from '../../train/gallery.ts';
import { setup, withVocabulary } from '../../train/setup.ts';
import type { Trainer } from '../../train/trainer.ts';
import type { EngineAsked } from '../arguments/command.ts';
import { checkpointPath, EARLIER, exists, read } from '../files/files.ts';
import { galleryFile } from '../files/gallery.ts';

/** What Node reads at a time, in bytes. */
const MOST = 2 ** 31 - 1;

/** @param path a checkpoint, its folder, or gallery/<name> @throws InputError naming the file, and what is wrong with it */
export async function readCheckpoint(path: string): Promise<{ file: string; checkpoint: Checkpoint }> {
  const own = path.startsWith(GALLERY) && !(await exists(path));
  const file = own ? await galleryFile(path) : await checkpointPath(path);
  const bytes = await read(file, 'checkpoint', MOST);
  try {
    return { file, checkpoint: decodeCheckpoint(bytes) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const earlier = join(dirname(file), EARLIER);
    const kept = (await exists(earlier)) ? ` The last ones before it are in ${earlier}.` : '';
    throw new InputError(`${file} is not a checkpoint that can be used: ${error.message}${kept}`);
  }
}

/** A trained model on an engine; with its data, where it is to be evaluated on your own. */
export async function openModel(
  { config, state, choices }: Checkpoint,
  { name, options }: EngineAsked,
  data?: Data,
): Promise<{ engine: Engine; model: Model; task: Task }> {
  const { task, spec } = setup(data ? withVocabulary(config, data) : config, data);
  const { engine, made } = await openEngineWith(name, options, engine =>
    engine.model(spec, config.train, state, choices),
  );
  return { engine, model: made, task };
}

/** What a run that has failed can still save: its state, or, where the device gives nothing any more, the last on the host. */
export async function salvage(trainer: Trainer, error: unknown): Promise<Checkpoint> {
  // To ask one that is lost would be to open another.
  if (error instanceof DeviceLost) return trainer.lastSnapshot;
  return trainer.snapshot().catch(() => trainer.lastSnapshot);
}
