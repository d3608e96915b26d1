import { FIELDS } from '../../base/config.ts';
import { countParameters } from '../../base/parameters.ts';
import { PRESETS } from '../../train/presets.ts';
import { setup } from '../../train/setup.ts';
import { command, JSON_OPTION, table } from '../command.ts';

export const presets = command({
  name: 'presets',
  operands: [],
  summary: 'List the configurations that are known to work; --keys: every setting with its limits',
  options: {
    json: JSON_OPTION,
    keys: { type: 'boolean', help: 'every key for --set, its default and limits' },
  },
  async run(_operands, options, io) {
    if (options.keys) {
      const fields = Object.entries(FIELDS).flatMap(([group, of]) =>
        Object.entries(of).map(([key, field]) => ({ key: `${group}.${key}`, ...field })),
      );
      if (options.json) io.stdout.write(`${JSON.stringify(fields)}\n`);
      else {
        const rows = fields.map(field => [field.key, String(field.default), limitsOf(field), field.help]);
        io.stdout.write(`${table([['key', 'default', 'limits', ''], ...rows])}\n`);
      }
      return 0;
    }
    const all = PRESETS.map(({ name, description, config }) => {
      const { task, spec } = setup(config);
      return { name, task: task.name, parameters: countParameters(spec), description, config };
    });
    if (options.json) {
      io.stdout.write(`${JSON.stringify(all)}\n`);
      return 0;
    }
    const rows = all.map(({ name, task, parameters, description }) => [
      name,
      task,
      String(parameters),
      description,
    ]);
    io.stdout.write(`${table([['preset', 'task', 'parameters', 'what for'], ...rows])}\n`);
    io.stdout.write('\nTrain one: pushdown train <preset>. Change it: --set key=value (presets --keys).\n');
    return 0;
  },
});

function limitsOf(field: (typeof FIELDS)['model'][string]): string {
  switch (field.kind) {
    case 'int':
    case 'number':
      return `${field.min} … ${field.max}`;
    case 'choice':
      return field.choices.join('|');
    case 'flag':
      return 'true|false';
    default:
      return 'a name';
  }
}
