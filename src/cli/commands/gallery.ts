import { GALLERY } from '../../train/gallery.ts';
import { command, JSON_OPTION } from '../arguments/command.ts';
import { cards } from '../files/gallery.ts';
import { withProgramName } from '../io/program-name.ts';
import { table } from '../show/columns.ts';
import { count } from '../show/format.ts';

export const gallery = command({
  name: 'gallery',
  operands: [],
  summary: 'List the trained models that come with pushdown',
  notes: `Use a model's name wherever a command takes a checkpoint:

  pushdown trace gallery/reverse-stack "a b c"
  pushdown eval gallery/copy-queue --lengths 12,24,120`,
  options: { json: JSON_OPTION },
  async run(_operands, options, io) {
    const all = await cards();
    if (options.json) {
      io.stdout.write(`${JSON.stringify(all)}\n`);
      return 0;
    }
    const rows = all.map(({ name, title, parameters, trained, accuracy, command }) => [
      `${GALLERY}${name}`,
      title,
      count(parameters),
      trained.join('–'),
      accuracy.map(({ length, coarse }) => `${length}: ${coarse.toFixed(2)}`).join('  '),
      command.replace('pushdown train ', ''),
    ]);
    const head = [
      'model',
      '',
      'parameters',
      'trained lengths',
      'coarse accuracy at length',
      'pushdown train …',
    ];
    io.stdout.write(`${table([head, ...rows])}\n`);
    io.stdout.write(withProgramName(`\nSee what a model does: pushdown trace ${GALLERY}${all[0].name}\n`));
    return 0;
  },
});
