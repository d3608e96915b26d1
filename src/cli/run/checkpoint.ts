import { dirname, join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import type { Engine, Model } from '../../engine/engine.ts';
import { openEngineWith } from '../../platform/node/engine.ts';
import type { Data } from '../../tasks/data-file.ts';
import type { Task } from '../../tasks/task.ts';
import { type Checkpoint, decodeCheckpoint } from '../../train/checkpoint.ts';
import { GALLERY } from '../../train/gallery.ts';
import { setup, withVocabulary } from '../../train/setup.ts';
import type { EngineRequest } from '../arguments/engine.ts';
import { galleryFile } from '../files/gallery.ts';
import { exists, isFolder, read } from '../files/read.ts';
import { CHECKPOINT, EARLIER } from './names.ts';

/** The maximum size of a checkpoint, in bytes: Node reads no larger file at once. */
const MAX_BYTES = 2 ** 31 - 1;

/** The path of a checkpoint file, given by its path or its folder. */
const checkpointPath = async (path: string): Promise<string> =>
  (await isFolder(path)) ? join(path, CHECKPOINT) : path;

/**
 * Reads a checkpoint.
 * @param path a checkpoint, its folder, or gallery/<name>
 * @throws InputError naming the file and what is wrong with it
 */
export async function readCheckpoint(path: string): Promise<{ file: string; checkpoint: Checkpoint }> {
  const inGallery = path.startsWith(GALLERY) && !(await exists(path));
  const file = inGallery ? await galleryFile(path) : await checkpointPath(path);
  if (file !== path && !inGallery && !(await exists(file)))
    throw new InputError(
      `the folder ${path} has no ${CHECKPOINT}: give a checkpoint, or the folder of a run.`,
    );
  const bytes = await read(file, 'checkpoint', MAX_BYTES);
  try {
    return { file, checkpoint: decodeCheckpoint(bytes) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const earlier = join(dirname(file), EARLIER);
    const hint = (await exists(earlier)) ? ` Earlier checkpoints of the run are in ${earlier}.` : '';
    throw new InputError(`${file} is not a usable checkpoint: ${error.message}${hint}`);
  }
}

/** Opens an engine with the model of a checkpoint; `data` is needed to evaluate it on your own data. */
export async function openModel(
  { config, state, choices }: Checkpoint,
  { name, options }: EngineRequest,
  data?: Data,
): Promise<{ engine: Engine; model: Model; task: Task }> {
  const { task, spec } = setup(withVocabulary(config, data), data, 'evaluate');
  const { engine, result } = await openEngineWith(name, options, engine =>
    engine.model(spec, config.train, state, choices),
  );
  return { engine, model: result, task };
}
