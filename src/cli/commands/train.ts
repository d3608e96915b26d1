import { InputError, unknown } from '../../base/errors.ts';
import { setup } from '../../train/setup.ts';
import { command, JSON_OPTION } from '../arguments/command.ts';
import { DATA_OPTION } from '../arguments/data.ts';
import { ENGINE_OPTIONS, engineOf } from '../arguments/engine.ts';
import { wholeNumber } from '../arguments/number.ts';
import { RunFolder } from '../run/folder.ts';
import { CHECKPOINT, CONFIG, LOG } from '../run/names.ts';
import { makeRequest } from '../run/request.ts';
import { IF_UNSAVED, type Saving, trainOne } from '../run/train.ts';
import { parseSeeds, trainSeeds } from '../sweep/seeds.ts';

/** The former name of `--if-unsaved continue`. */
const FORMER_CONTINUE = 'go-on';

/** Options that cannot be combined with --seeds, and why. */
const NOT_WITH_SEEDS = [
  ['seed', '--seeds sets the seeds'],
  ['resume', '--seeds resumes unfinished seeds anyway'],
  ['keep', 'with --seeds, runs are saved by fixed rules'],
  ['save-every', 'with --seeds, runs are saved by fixed rules'],
  ['if-unsaved', 'with --seeds, runs are saved by fixed rules'],
] as const;

export const train = command({
  name: 'train',
  operands: ['[preset|config.json|data]'],
  summary:
    'Train a model from a preset, a configuration file or your own data; Ctrl-C saves the run, --resume continues it',
  notes: `List the presets: pushdown presets. List the keys of --set: pushdown presets --keys.
The output folder (default runs/<name>-seed<n>) gets ${CHECKPOINT}, ${CONFIG} and ${LOG}. Its subfolder
earlier/ keeps the previous checkpoints (--keep).
With --json: one object per report on stdout; the last object is the result.
With --seeds, every seed has its own folder in the output folder. Finished seeds are not trained again, and several
processes may share the work.

  pushdown train reverse
  pushdown train reverse --seed 3 --set hidden=64 --set rate=0.003 --out runs/wide
  pushdown train reverse --seeds 10 --out runs/ten
  pushdown train --resume runs/wide --steps 4000
  pushdown train data --data my.tsv`,
  options: {
    ...ENGINE_OPTIONS,
    seed: { type: 'string', value: '<n>', help: 'seed of weights, data and noise' },
    seeds: {
      type: 'string',
      value: '<n|from-to>',
      help: 'one run per seed (10: seeds 0 to 9); prints how many reach coarse accuracy 0.99 in the final test',
    },
    steps: { type: 'string', value: '<n>', help: 'maximum training steps' },
    data: DATA_OPTION,
    characters: { type: 'boolean', help: 'each character of --data is a symbol, instead of each word' },
    out: { type: 'string', value: '<folder>', help: 'output folder' },
    resume: {
      type: 'string',
      value: '[checkpoint|folder]',
      help: 'continue a run; without a value, the run in the output folder',
    },
    keep: { type: 'string', value: '<n>', help: 'checkpoints to keep, including the latest (default 3)' },
    'save-every': {
      type: 'string',
      value: '<s>',
      help: 'seconds between checkpoints (default 60; the first after 10)',
    },
    'if-unsaved': {
      type: 'string',
      value: `<${IF_UNSAVED.join('|')}>`,
      help: 'what to do when a checkpoint or the log cannot be written (default stop)',
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
      for (const [option, reason] of NOT_WITH_SEEDS) {
        if (options[option] !== undefined) throw new InputError(`${reason}: leave out --${option}.`);
      }
      if (options.out === '') throw new InputError('--out needs a folder name.');
      const request = await makeRequest(operand, sets, undefined, undefined, options);
      const { config, data } = request;
      const out = options.out ?? request.out.replace(/-seed\d+$/, '');
      const json = Boolean(options.json);
      return trainSeeds({ config, data, seeds, out }, { engine, json }, io);
    }
    const keep = wholeNumber('--keep', options.keep ?? '3', 1, 1000);
    const ifUnsaved = options['if-unsaved'] ?? 'stop';
    const isFormer = ifUnsaved === FORMER_CONTINUE;
    const saving: Saving = {
      every: 1000 * wholeNumber('--save-every', options['save-every'] ?? '60', 0, 86_400),
      ifUnsaved: isFormer
        ? 'continue'
        : (IF_UNSAVED.find(known => known === ifUnsaved) ?? unknown('--if-unsaved', ifUnsaved, IF_UNSAVED)),
    };
    const request = await makeRequest(operand, sets, options.out, options.resume, options);
    if (isFormer) request.notes.push(`--if-unsaved ${FORMER_CONTINUE} is now called --if-unsaved continue`);
    // Finds settings that contradict each other before a device is opened.
    setup(request.config, request.data);
    const folder = await RunFolder.claim(request.out, keep);
    if ('by' in folder) {
      throw new InputError(
        `another run (${folder.by}) is writing to ${request.out}: wait until it ends, or choose another --out. (If that run was killed on another machine or in another container, its claim expires after two minutes.)`,
      );
    }
    try {
      return await trainOne(request, folder, engine, Boolean(options.json), saving, io);
    } finally {
      await folder.release();
    }
  },
});
