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
      const { config, data, out: one } = await makeRequest(operand, sets, undefined, undefined, options);
      const out = options.out ?? one.replace(/-seed\d+$/, '');
      const json = Boolean(options.json);
      return trainSeeds({ config, data, seeds, out }, { engine, json }, io);
    }
    const keep = wholeNumber('--keep', options.keep ?? '3', 1, 1000);
    const saving: Saving = {
      every: 1000 * wholeNumber('--save-every', options['save-every'] ?? '60', 0, 86_400),
      ifUnsaved:
        IF_UNSAVED.find(one => one === (options['if-unsaved'] ?? 'stop')) ??
        unknown('--if-unsaved', options['if-unsaved'] ?? '', IF_UNSAVED),
    };
    const request = await makeRequest(operand, sets, options.out, options.resume, options);
    // Says what does not go together before a device is opened.
    setup(request.config, request.data);
    const folder = await RunFolder.claim(request.out, keep);
    if ('by' in folder) {
      throw new InputError(
        `another run (${folder.by}) writes to ${request.out}: wait for its end, or choose another --out. (One that was killed on another machine, or in another container, counts as ended after two minutes.)`,
      );
    }
    try {
      return await trainOne(request, folder, engine, Boolean(options.json), saving, io);
    } finally {
      await folder.release();
    }
  },
});
