import { basename, dirname, join, resolve } from 'node:path';
import { assign, type Config, makeConfig } from '../../base/config.ts';
import { DeviceError, InputError, messageOf } from '../../base/errors.ts';
import { countParameters } from '../../base/parameters.ts';
import { type Checkpoint, encodeCheckpoint } from '../../train/checkpoint.ts';
import { type Evaluation, evaluateLengths } from '../../train/evaluate.ts';
import { PRESETS, preset } from '../../train/presets.ts';
import { setup } from '../../train/setup.ts';
import { type Callbacks, type Ending, Trainer } from '../../train/trainer.ts';
import { readCheckpoint } from '../checkpoint.ts';
import { command, ENGINE_OPTION, EXIT, engineName, type Io, JSON_OPTION, wholeNumber } from '../command.ts';
import { engineLine, openEngine } from '../engine.ts';
import { append, CHECKPOINT, exists, keepEarlier, makeWritable, read, writeAtomic } from '../files.ts';
import {
  count,
  duration,
  EVALUATION_HEAD,
  evaluationLine,
  evaluationRow,
  profileLine,
  progressLine,
} from '../format.ts';

const CONFIG = 'config.json';
const LOG = 'log.jsonl';
/** A run that is killed loses no more than this, in ms. */
const SAVE_EVERY_MS = 60_000;
/** Not on a terminal: reports per line. */
const REPORTS_PER_LINE = 25;
/** On a terminal: time between two states of the line, in ms. */
const REDRAW_MS = 100;
const EVALUATED = 256;

export const train = command({
  name: 'train',
  operands: ['[preset|config.json]'],
  summary: 'Train a model by a preset or a configuration of your own; Ctrl-C saves it, --resume goes on',
  notes: `Presets: pushdown presets. Keys of --set: pushdown presets --keys.
The output folder (default runs/<name>-seed<n>) gets ${CHECKPOINT}, ${CONFIG} and ${LOG}.
With --json: one object per report on stdout, the last one the result.

  pushdown train reverse
  pushdown train reverse --seed 3 --set hidden=64 --set rate=0.003 --out runs/wide
  pushdown train --resume runs/wide --steps 4000`,
  options: {
    engine: ENGINE_OPTION,
    seed: { type: 'string', value: '<n>', help: 'of weights, data and noise' },
    steps: { type: 'string', value: '<n>', help: 'training steps at most' },
    out: { type: 'string', value: '<folder>', help: 'where the run is kept' },
    resume: {
      type: 'string',
      value: '[checkpoint|folder]',
      help: 'go on from there; alone: from the output folder',
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
    const engineAsked = engineName(options.engine);
    const sets = [
      ...(options.set ?? []),
      ...(options.seed === undefined
        ? []
        : [`seed=${wholeNumber('--seed', options.seed, 0, Number.MAX_SAFE_INTEGER)}`]),
      ...(options.steps === undefined ? [] : [`steps=${wholeNumber('--steps', options.steps, 0, 1e9)}`]),
    ];
    const plan = await makePlan(operand, sets, options.out, options.resume);
    const { config, from, out } = plan;
    // Says what does not go together before a device is opened.
    setup(config);
    await makeWritable(out);

    // Progress is part of the result, unless the result is to be JSON.
    const text = options.json ? io.stderr : io.stdout;
    const engine = await openEngine(engineAsked);
    text.write(`${engineLine(engine)}\n`);
    const file = join(out, CHECKPOINT);
    const save = async () => writeAtomic(file, encodeCheckpoint(await trainer.snapshot()));
    const line = new StatusLine(text, Boolean(text.isTTY) && !options.json);
    const log = new Log(join(out, LOG), options.json ? io.stdout : undefined, () => trainer.stop());
    const { record } = log;
    const callbacks = reporting(config, line, log, save, Boolean(options.json));
    const trainer = from
      ? await Trainer.resume(engine, { ...from, config }, callbacks)
      : await Trainer.start(engine, config, callbacks);

    if (!plan.resumed) {
      const kept = await keepEarlier(out, [CHECKPOINT, CONFIG, LOG]);
      if (kept) text.write(`what an earlier run left there is kept as ${kept}\n`);
    }
    await writeAtomic(join(out, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    text.write(headLines(trainer, from, engine.name));
    const parameters = countParameters(trainer.model.spec);
    const { name, adapter } = engine;
    record({ kind: 'start', engine: name, adapter, parameters, step: trainer.step, out, config });

    const release = io.onInterrupt(() => trainer.stop());
    let ending: Ending;
    try {
      ending = await trainer.run();
      await log.written();
      await save();
    } catch (error) {
      line.end();
      await saveWhatThereIs(error, save, file, text);
      throw error;
    } finally {
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
      const lengths = [curriculum.length, 2 * curriculum.length];
      const evaluations = await trainer.between((model, task) =>
        evaluateLengths(model, task, lengths, { sequences: EVALUATED, seed: config.train.seed }),
      );
      record({ ...result, evaluations });
      if (!options.json) text.write(summary(trainer, ending, seconds, evaluations, file, out));
    }
    await log.written();
    trainer.destroy();
    engine.destroy();
    return ending === 'stopped' ? EXIT.interrupted : 0;
  },
});

interface Plan {
  config: Config;
  from?: Checkpoint;
  out: string;
  /** It goes on in the folder that it comes from. */
  resumed: boolean;
}

/** What to train, from where, and where to: everything that can be wrong before an engine is opened. */
async function makePlan(
  operand: string | undefined,
  sets: readonly string[],
  out: string | undefined,
  resume: string | undefined,
): Promise<Plan> {
  if (out === '') throw new InputError('--out needs the name of a folder.');
  const given = operand === undefined ? undefined : await readConfig(operand);
  if (resume === undefined) {
    if (!given) {
      const names = PRESETS.map(({ name }) => name).join(', ');
      throw new InputError(
        `train needs a preset (${names}) or a config.json, or --resume with a checkpoint. Try: pushdown train reverse`,
      );
    }
    const config = assign(given.config, sets);
    const folder = out ?? defaultFolder(given.name, config);
    if (out !== undefined && (await exists(join(out, CHECKPOINT)))) {
      throw new InputError(
        `${join(out, CHECKPOINT)} is there already: go on with it by --resume ${out}, or choose another --out.`,
      );
    }
    return { config, out: folder, resumed: false };
  }

  const source = resume || out || (given && defaultFolder(given.name, assign(given.config, sets)));
  if (!source) throw new InputError('--resume needs a checkpoint or its folder.');
  const { file, checkpoint } = await readCheckpoint(source);
  const config = assign(checkpoint.config, sets);
  checkUnchanged(checkpoint.config, config, 'a checkpoint cannot change');
  if (config.train.seed !== checkpoint.config.train.seed) {
    throw new InputError(
      `a checkpoint cannot change its seed (${checkpoint.config.train.seed}), got ${config.train.seed}.`,
    );
  }
  if (given) checkUnchanged(checkpoint.config, given.config, `${file} is not of ${operand}: it differs in`);
  const folder = out ?? dirname(file);
  const resumed = resolve(folder) === resolve(dirname(file));
  if (!resumed && (await exists(join(folder, CHECKPOINT)))) {
    throw new InputError(
      `${join(folder, CHECKPOINT)} is there already, and not what --resume names: choose another --out.`,
    );
  }
  return { config, from: checkpoint, out: folder, resumed };
}

const defaultFolder = (name: string, { train: { seed } }: Config): string =>
  join('runs', `${name}-seed${seed}`);

function checkUnchanged(before: Config, after: Config, words: string): void {
  for (const group of ['task', 'model'] as const) {
    const [old, now] = [before[group], after[group]] as unknown as Record<string, unknown>[];
    for (const key of Object.keys(old)) {
      if (old[key] !== now[key]) {
        throw new InputError(
          `${words} ${group}.${key} (${old[key]} in the checkpoint, ${now[key]} asked for).`,
        );
      }
    }
  }
}

/** A preset by its name, or a JSON file by its path. */
async function readConfig(operand: string): Promise<{ name: string; config: Config }> {
  if (!operand.endsWith('.json')) return { name: operand, config: preset(operand) };
  const text = new TextDecoder().decode(await read(operand, 'configuration'));
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${operand} is not JSON: ${messageOf(error)}.`);
  }
  try {
    const config = makeConfig(input);
    const name = basename(operand, '.json');
    return { name: name === 'config' ? config.task.name : name, config };
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${operand}: ${error.message}`) : error;
  }
}

/** What is trained, and from where. */
function headLines(trainer: Trainer, from: Checkpoint | undefined, engine: string): string {
  const { config, task, model } = trainer;
  const { controller, hidden, memory, width } = model.spec;
  const longest = from?.run.curriculum.length ?? config.task.maxLength;
  const lines = [
    `task ${task.name} · ${config.task.symbols} symbols, lengths ${config.task.minLength} to ${longest} · seed ${config.train.seed}`,
    `model ${controller} ${hidden} + ${memory} ${width} · ${count(countParameters(model.spec))} parameters`,
  ];
  if (from) {
    const at = `resumed at step ${from.state.step} of ${config.train.steps}`;
    const over = { done: 'nothing left to do, --steps <n>', solved: 'solved already, --set stopAt=0' };
    const { ending } = trainer;
    lines.push(ending && ending !== 'stopped' ? `${at}: ${over[ending]} makes it go on` : at);
    if (from.engine !== engine)
      lines.push(`it comes from engine ${from.engine}: rounding will differ from here on`);
  }
  return `${lines.join('\n')}\n`;
}

/** Says how training goes: to the log, and to people. Saves now and then. */
function reporting(
  config: Config,
  line: StatusLine,
  log: Log,
  save: () => Promise<void>,
  json: boolean,
): Callbacks {
  const { evaluateEvery } = config.train;
  let reports = 0;
  let saved = performance.now();
  return {
    onProgress(progress) {
      log.record({ kind: 'progress', ...progress });
      const evaluated = evaluateEvery > 0 && progress.step % evaluateEvery === 0;
      const due = ++reports % REPORTS_PER_LINE === 0 || evaluated;
      if (!json) line.status(progressLine(progress), due);
      if (performance.now() - saved > SAVE_EVERY_MS) {
        saved = performance.now();
        log.later(save);
      }
    },
    onEvaluation(evaluation, step) {
      log.record({ kind: 'evaluation', step, ...evaluation });
      if (!json) line.print(evaluationLine(evaluation, step));
    },
    onRestart({ step, restarts, loss }) {
      log.record({ kind: 'restart', step, restarts, loss });
      if (!json)
        line.print(`step ${step}: stuck at a loss of ${loss.toFixed(4)}, begins anew (restart ${restarts})`);
    },
  };
}

/** After a failure: what was learned up to it, where the device still gives it. */
async function saveWhatThereIs(
  error: unknown,
  save: () => Promise<void>,
  file: string,
  text: Io['stdout'],
): Promise<void> {
  if (!(error instanceof DeviceError)) return;
  try {
    await save();
    text.write(`what was learned before is saved in ${file}\n`);
  } catch {
    if (await exists(file)) text.write(`the last checkpoint is ${file}\n`);
  }
}

function summary(
  trainer: Trainer,
  ending: Ending,
  seconds: number,
  evaluations: readonly Evaluation[],
  file: string,
  out: string,
): string {
  const [atTrained] = evaluations;
  const { stopAt } = trainer.config.train;
  const how = ending === 'solved' ? `solved (coarse ${stopAt} or better, twice running)` : 'all steps done';
  const samples = atTrained.samples.map(({ source, expected, predicted }) =>
    expected === predicted ? `  ${source} → ${predicted} ✓` : `  ${source} → ${predicted} ✗ ${expected}`,
  );
  return `
${how} at step ${trainer.step}, ${duration(seconds)} of training

${EVALUATION_HEAD}
${evaluations.map(evaluationRow).join('\n')}

${profileLine(atTrained.profile)}

${samples.join('\n')}

saved in ${file}
next:  pushdown trace ${quote(out)} "${trainer.task.example}"
       pushdown eval ${quote(out)} --lengths 1-${4 * atTrained.length}
`;
}

const quote = (path: string): string =>
  /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

/** Writes files one after the other while training goes on; the first that fails ends it. */
class Log {
  readonly #path: string;
  readonly #out: Io['stdout'] | undefined;
  readonly #onFailure: () => void;
  #last: Promise<unknown> = Promise.resolve();
  #failure: unknown;

  constructor(path: string, out: Io['stdout'] | undefined, onFailure: () => void) {
    this.#path = path;
    this.#out = out;
    this.#onFailure = onFailure;
  }

  /** One object, one line: of the file, and of stdout where it is JSON. */
  record = (entry: object): void => {
    const json = `${JSON.stringify(entry)}\n`;
    this.#out?.write(json);
    this.later(() => append(this.#path, json));
  };

  later(work: () => Promise<unknown>): void {
    this.#last = this.#last.then(work).catch(error => {
      this.#failure ??= error;
      this.#onFailure();
    });
  }

  /** Waits for all of it. @throws what the first failure was */
  async written(): Promise<void> {
    await this.#last;
    if (this.#failure) throw this.#failure;
  }
}

/** A line that is written over on a terminal; elsewhere, only what is due is printed. */
class StatusLine {
  readonly #out: Io['stdout'];
  readonly #terminal: boolean;
  #drawn = false;
  #at = 0;

  constructor(out: Io['stdout'], terminal: boolean) {
    this.#out = out;
    this.#terminal = terminal;
  }

  status(text: string, due: boolean): void {
    if (!this.#terminal) {
      if (due) this.#out.write(`${text}\n`);
      return;
    }
    if (performance.now() - this.#at < REDRAW_MS) return;
    this.#at = performance.now();
    const width = (this.#out.columns ?? 80) - 1;
    this.#out.write(`\r${text.slice(0, width)}\x1b[K`);
    this.#drawn = true;
  }

  print(text: string): void {
    this.#out.write(`${this.#drawn ? '\r\x1b[K' : ''}${text}\n`);
    this.#drawn = false;
    this.#at = 0;
  }

  end(): void {
    if (this.#drawn) this.#out.write('\n');
    this.#drawn = false;
  }
}
