/** One run of `train`, after its folder is claimed. */
import { DeviceError, InputError, messageOf } from '../../base/errors.ts';
import { countParameters } from '../../base/parameters.ts';
import { engineLine } from '../../platform/names.ts';
import { openEngineWith, reopening } from '../../platform/node/engine.ts';
import { evaluateResult } from '../../train/evaluate.ts';
import { type Ending, Trainer } from '../../train/trainer.ts';
import type { EngineRequest } from '../arguments/engine.ts';
import { exists } from '../files/read.ts';
import { EXIT, type Io, type Output } from '../io/io.ts';
import { withProgramName } from '../io/program-name.ts';
import { progressLine, quote } from '../show/format.ts';
import { StatusLine } from '../show/status-line.ts';
import { headLines, reporting, summary } from '../show/training.ts';
import type { RunFolder } from './folder.ts';
import { CHECKPOINT, CONFIG, LOG } from './names.ts';
import type { TrainRequest } from './request.ts';

/** Sequences per length (or range of lengths) in the evaluation after training. */
const EVALUATED = 256;

/** What to do when a checkpoint or the log cannot be written. */
export const IF_UNSAVED = ['stop', 'continue'] as const;

export interface Saving {
  /** Time between checkpoints, in ms. */
  every: number;
  ifUnsaved: (typeof IF_UNSAVED)[number];
}

/** Trains, reports and saves; returns the exit code. */
export async function trainOne(
  { config, data, from, resumed, file: source, notes, ownConfig }: TrainRequest,
  folder: RunFolder,
  request: EngineRequest,
  json: boolean,
  saving: Saving,
  io: Io,
): Promise<number> {
  // Progress goes to stdout with the result, unless stdout carries JSON.
  const text = json ? io.stderr : io.stdout;
  const { path: out, checkpoint: file } = folder;
  const line = new StatusLine(text, Boolean(text.isTTY) && !json);
  const log = folder.log(
    json ? io.stdout : undefined,
    error => {
      if (saving.ifUnsaved === 'stop') trainer.stop();
      else line.print(`${messageOf(error)} Training continues; the last saved step is ${folder.savedStep}.`);
      return saving.ifUnsaved === 'continue';
    },
    () => line.print(`step ${trainer.step}: files can be written again`),
  );
  const { record } = log;
  const callbacks = {
    ...reporting(line, record, json),
    reopen: reopening(request.options),
  };
  const { result: trainer } = await openEngineWith(request.name, request.options, engine => {
    text.write(`${engineLine(engine)}\n`);
    return from
      ? Trainer.resume(engine, { ...from, config }, callbacks, data)
      : Trainer.start(engine, config, callbacks, data);
  });

  if (resumed === 'earlier') {
    const kept = await folder.rewindTo(source!, from!.state.step);
    if (kept) text.write(`resuming at step ${from!.state.step}: the later checkpoint is kept as ${kept}\n`);
  } else if (!resumed) {
    const kept = await folder.renameEarlier([CHECKPOINT, ...(ownConfig ? [] : [CONFIG]), LOG]);
    if (kept) text.write(`the earlier run in this folder is kept as ${kept}\n`);
  }
  if (!ownConfig) await folder.writeConfig(config);
  text.write(headLines(trainer, from));
  for (const note of notes) text.write(`${note}\n`);
  const parameters = countParameters(trainer.model.spec);
  const { name, adapter } = trainer.engine;
  record({ kind: 'start', engine: name, adapter, parameters, step: trainer.step, out, config, notes });

  const release = io.onInterrupt(() => trainer.stop());
  let ending: Ending;
  try {
    ending = await folder.train(trainer, log, {
      saveEvery: saving.every,
      follow: () => (json ? () => undefined : line.follow(() => progressLine(trainer.progress))),
    });
  } catch (error) {
    line.end();
    await salvage(folder, trainer, error, text);
    throw error;
  } finally {
    release();
  }
  line.end();

  const { seconds, curriculum } = trainer.lastSnapshot.run;
  const result = { kind: 'result', ending, step: trainer.step, seconds, checkpoint: file };
  if (ending === 'stopped' || ending === 'paused') {
    text.write(`stopped at step ${trainer.step} of ${config.train.steps}, saved in ${file}\n`);
    text.write(withProgramName(`resume with: pushdown train --resume ${quote(out)}\n`));
    record(result);
  } else {
    const evaluations = await trainer
      .betweenSteps((model, task) => evaluateResult(model, task, config, curriculum.length, EVALUATED))
      .catch(error => {
        // Sequences of twice the training length may not fit on the device.
        text.write(`trained and saved in ${file}, but the evaluation failed:\n`);
        throw error;
      });
    record({ ...result, evaluations });
    if (!json) text.write(summary(trainer, ending, seconds, evaluations, file, out));
  }
  await log.written();
  trainer.destroy();
  trainer.engine.destroy();
  return ending === 'stopped' ? EXIT.interrupted : 0;
}

/** After a failure: saves the training state if possible, and prints which checkpoint there is. */
async function salvage(folder: RunFolder, trainer: Trainer, error: unknown, text: Output): Promise<void> {
  if (!(error instanceof DeviceError) && !(error instanceof InputError)) return;
  const file = folder.checkpoint;
  try {
    await folder.salvage(trainer, error);
    text.write(`the training so far is saved in ${file}\n`);
  } catch {
    if (await exists(file)) text.write(`the last checkpoint is ${file}\n`);
  }
}
