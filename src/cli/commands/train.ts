import { join } from 'node:path';
import { DeviceError, InputError, messageOf, unknown } from '../../base/errors.ts';
import { countParameters } from '../../base/parameters.ts';
import { engineLine } from '../../platform/names.ts';
import { openEngineWith, reopening } from '../../platform/node/engine.ts';
import { type Checkpoint, encodeCheckpoint } from '../../train/checkpoint.ts';
import { evaluateResult } from '../../train/evaluate.ts';
import { setup } from '../../train/setup.ts';
import { type Ending, Trainer } from '../../train/trainer.ts';
import {
  command,
  ENGINE_OPTIONS,
  type EngineAsked,
  EXIT,
  engineOf,
  type Io,
  JSON_OPTION,
  type Output,
  wholeNumber,
} from '../arguments/command.ts';
import { DATA_OPTION } from '../arguments/data.ts';
import { type Claim, claimFolder } from '../files/claim.ts';
import {
  CHECKPOINT,
  CONFIG,
  clearTemporaries,
  EARLIER,
  exists,
  keepEarlier,
  keepLast,
  LOG,
  makeWritable,
  PROBE,
  writeAtomic,
} from '../files/files.ts';
import { salvage } from '../run/checkpoint.ts';
import { makePlan, type Plan } from '../run/request.ts';
import { progressLine } from '../show/format.ts';
import { headLines, Log, quote, reporting, StatusLine, summary } from '../show/training.ts';
import { parseSeeds, trainSeeds } from '../sweep/seeds.ts';

const EVALUATED = 256;

export const train = command({
  name: 'train',
  operands: ['[preset|config.json|data]'],
  summary: 'Train a model by a preset or a configuration of your own; Ctrl-C saves it, --resume goes on',
  notes: `Presets: pushdown presets. Keys of --set: pushdown presets --keys.
The output folder (default runs/<name>-seed<n>) gets ${CHECKPOINT}, ${CONFIG} and ${LOG}.
With --json: one object per report on stdout, the last one the result.
The last checkpoints before it stay in its folder earlier/ (--keep).
With --seeds, each seed has a folder in it: those finished are kept, several processes may share the work.

  pushdown train reverse
  pushdown train reverse --seed 3 --set hidden=64 --set rate=0.003 --out runs/wide
  pushdown train reverse --seeds 10 --out runs/ten
  pushdown train --resume runs/wide --steps 4000
  pushdown train data --data my.tsv`,
  options: {
    ...ENGINE_OPTIONS,
    seed: { type: 'string', value: '<n>', help: 'of weights, data and noise' },
    seeds: { type: 'string', value: '<n|from-to>', help: 'one run for each; how many succeed, mean, best' },
    steps: { type: 'string', value: '<n>', help: 'training steps at most' },
    data: DATA_OPTION,
    characters: { type: 'boolean', help: 'of --data every character is a symbol, not every word' },
    out: { type: 'string', value: '<folder>', help: 'where the run is kept' },
    resume: {
      type: 'string',
      value: '[checkpoint|folder]',
      help: 'go on from there; alone: from the output folder',
    },
    keep: { type: 'string', value: '<n>', help: 'checkpoints that stay, the latest included (3)' },
    'save-every': {
      type: 'string',
      value: '<s>',
      help: 'seconds between checkpoints (60; the first after 10)',
    },
    'if-unsaved': {
      type: 'string',
      value: '<stop|go-on>',
      help: 'what to do where a checkpoint or the log cannot be written (stop)',
    },
    set: {
      type: 'string',
      multiple: true,
      value: '<key=value>',
      help: 'change one setting; may be repeated',
    },
    json: JSON_OPTION,
  },
  async run([operand], options, io) {
    const engine = engineOf(options);
    const seeds = options.seeds === undefined ? undefined : parseSeeds(options.seeds);
    const sets = [
      ...(options.set ?? []),
      ...(options.seed === undefined
        ? []
        : [`seed=${wholeNumber('--seed', options.seed, 0, Number.MAX_SAFE_INTEGER)}`]),
      ...(options.steps === undefined ? [] : [`steps=${wholeNumber('--steps', options.steps, 0, 1e9)}`]),
    ];
    if (seeds) {
      for (const other of ['seed', 'resume'] as const) {
        if (options[other] === undefined) continue;
        const why = other === 'seed' ? 'says which seeds already' : 'goes on with what is there by itself';
        throw new InputError(`--seeds ${why}: leave out --${other}.`);
      }
      if (options.out === '') throw new InputError('--out needs the name of a folder.');
      const { config, data, out: one } = await makePlan(operand, sets, undefined, undefined, options);
      const out = options.out ?? one.replace(/-seed\d+$/, '');
      const json = Boolean(options.json);
      return trainSeeds({ config, data, seeds, out }, { engine, json }, io);
    }
    const saving: Saving = {
      keep: wholeNumber('--keep', options.keep ?? '3', 1, 1000),
      every: 1000 * wholeNumber('--save-every', options['save-every'] ?? '60', 0, 86_400),
      ifUnsaved:
        IF_UNSAVED.find(one => one === (options['if-unsaved'] ?? 'stop')) ??
        unknown('--if-unsaved', options['if-unsaved'] ?? '', IF_UNSAVED),
      step: 0,
    };
    const plan = await makePlan(operand, sets, options.out, options.resume, options);
    // Says what does not go together before a device is opened.
    setup(plan.config, plan.data);
    await makeWritable(plan.out);
    const claim = await claimFolder(plan.out);
    if ('by' in claim) {
      throw new InputError(
        `another run (${claim.by}) writes to ${plan.out}: wait for its end, or choose another --out. (One that was killed on another machine, or in another container, counts as ended after two minutes.)`,
      );
    }
    try {
      await clearTemporaries(plan.out, [CHECKPOINT, CONFIG, PROBE]);
      saving.step = plan.from?.state.step ?? 0;
      return await carryOut(plan, claim, engine, Boolean(options.json), saving, io);
    } finally {
      await claim.release();
    }
  },
});

/** How a run is kept. */
interface Saving {
  /** Checkpoints that stay, the latest included. */
  keep: number;
  ifUnsaved: (typeof IF_UNSAVED)[number];
  /** ms between two. */
  every: number;
  /** Of the last one. */
  step: number;
}
const IF_UNSAVED = ['stop', 'go-on'] as const;

async function carryOut(
  plan: Plan,
  claim: Claim,
  asked: EngineAsked,
  json: boolean,
  saving: Saving,
  io: Io,
): Promise<number> {
  const { config, data, from, out } = plan;
  // Progress is part of the result, unless the result is to be JSON.
  const text = json ? io.stderr : io.stdout;
  const file = join(out, CHECKPOINT);
  const save = async (snapshot?: Checkpoint) => {
    const kept = snapshot ?? (await trainer.snapshot());
    if (!(await claim.held())) {
      throw new InputError(
        `${out} is another run's by now, which took this one for dead: nothing more is written to it.`,
      );
    }
    await writeAtomic(file, encodeCheckpoint(kept));
    saving.step = kept.state.step;
    await keepLast(out, CHECKPOINT, saving.step, saving.keep);
  };
  const line = new StatusLine(text, Boolean(text.isTTY) && !json);
  const log = new Log(
    join(out, LOG),
    json ? io.stdout : undefined,
    error => {
      if (saving.ifUnsaved === 'stop') trainer.stop();
      else line.print(`${messageOf(error)} Training goes on, unsaved since step ${saving.step}.`);
      return saving.ifUnsaved === 'go-on';
    },
    () => line.print(`step ${trainer.step}: saving works again`),
  );
  const { record } = log;
  const callbacks = {
    ...reporting(config, line, log, json),
    reopen: reopening(asked.options),
  };
  const { made: trainer } = await openEngineWith(asked.name, asked.options, engine => {
    text.write(`${engineLine(engine)}\n`);
    return from
      ? Trainer.resume(engine, { ...from, config }, callbacks, data)
      : Trainer.start(engine, config, callbacks, data);
  });

  const made = [CHECKPOINT, ...(plan.ownConfig ? [] : [CONFIG]), LOG];
  if (!plan.resumed) {
    const kept = await keepEarlier(out, [...made, EARLIER]);
    if (kept) text.write(`what an earlier run left there is kept as ${kept}\n`);
  }
  if (made.includes(CONFIG)) await writeAtomic(join(out, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
  text.write(headLines(trainer, from));
  const parameters = countParameters(trainer.model.spec);
  const { name, adapter } = trainer.engine;
  record({ kind: 'start', engine: name, adapter, parameters, step: trainer.step, out, config });

  const release = io.onInterrupt(() => trainer.stop());
  claim.onLost(() => trainer.stop());
  const cease = log.regularly(() => save(), saving.every);
  const unfollow = json ? () => undefined : line.follow(() => progressLine(trainer.progress));
  let ending: Ending;
  try {
    ending = await trainer.run();
    unfollow();
    cease();
    await log.written();
    await save();
  } catch (error) {
    unfollow();
    line.end();
    await saveWhatThereIs(error, async () => save(await salvage(trainer, error)), file, text);
    throw error;
  } finally {
    unfollow();
    cease();
    release();
  }
  line.end();

  const { seconds, curriculum } = (await trainer.snapshot()).run;
  const result = { kind: 'result', ending, step: trainer.step, seconds, checkpoint: file };
  if (ending === 'stopped' || ending === 'paused') {
    text.write(`stopped at step ${trainer.step} of ${config.train.steps}, saved in ${file}\n`);
    text.write(`go on with: pushdown train --resume ${quote(out)}\n`);
    record(result);
  } else {
    const evaluations = await trainer
      .between((model, task) => evaluateResult(model, task, config, curriculum.length, EVALUATED))
      .catch(error => {
        // Twice the trained length may be more than the device takes.
        text.write(`trained and saved in ${file}, but it cannot be evaluated:\n`);
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

/** After a failure: what was learned up to it, where the device still gives it. */
async function saveWhatThereIs(
  error: unknown,
  save: () => Promise<void>,
  file: string,
  text: Output,
): Promise<void> {
  if (!(error instanceof DeviceError) && !(error instanceof InputError)) return;
  try {
    await save();
    text.write(`what was learned before is saved in ${file}\n`);
  } catch {
    if (await exists(file)) text.write(`the last checkpoint is ${file}\n`);
  }
}
