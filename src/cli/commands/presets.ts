import { FIELDS } from '../../base/config.ts';
import { InputError, show, suggest } from '../../base/errors.ts';
import { FIELD_HELP } from '../../base/field-help.ts';
import { countParameters } from '../../base/parameters.ts';
import { GROUPS, PRESETS, type Preset, presetsIn } from '../../train/all-presets.ts';
import { bytesOf } from '../../train/estimate.ts';
import { MEASURED_ON, SPEEDS } from '../../train/presets/speeds.ts';
import { PRESETS as COMMON } from '../../train/presets.ts';
import { setup } from '../../train/setup.ts';
import { command, JSON_OPTION } from '../arguments/command.ts';
import { withProgramName } from '../io/program-name.ts';
import { table } from '../show/columns.ts';
import { bytes, count, duration } from '../show/format.ts';

export const presets = command({
  name: 'presets',
  operands: ['[group]'],
  summary: 'List the preset configurations, or one group of them: presets paper, presets small/reverse',
  options: {
    json: JSON_OPTION,
    keys: { type: 'boolean', help: 'list every key of --set with its default and limits' },
  },
  async run([group], options, io) {
    if (options.keys) {
      const fields = Object.entries(FIELDS).flatMap(([section, all]) =>
        Object.entries(all).map(([name, field]) => {
          const key = `${section}.${name}`;
          return { key, ...field, help: FIELD_HELP[key] };
        }),
      );
      if (options.json) io.stdout.write(`${JSON.stringify(fields)}\n`);
      else {
        const rows = fields.map(field => [field.key, String(field.default), limitsOf(field), field.help]);
        io.stdout.write(`${table([['key', 'default', 'limits', 'description'], ...rows])}\n`);
      }
      return 0;
    }
    const chosen = group === undefined ? COMMON : presetsIn(group.replace(/\/+$/, ''));
    if (group !== undefined && chosen.length === 0) {
      const known = [...GROUPS, ...PRESETS.map(({ name }) => name)];
      throw new InputError(`no preset or group is called ${show(group)}.${suggest(group, known, GROUPS)}`);
    }
    const all = chosen.map(factsOf);
    if (options.json) {
      io.stdout.write(`${JSON.stringify(all)}\n`);
      return 0;
    }
    const head = ['preset', 'task', 'parameters', 'buffers', 'est. time', 'description'];
    const rows = all.map(({ name, task, parameters, memory, seconds, description }) => [
      name,
      task,
      count(parameters),
      bytes(memory),
      seconds === null ? '–' : duration(seconds),
      description,
    ]);
    // A blank line between groups; the columns are common to all groups.
    const lines = table([head, ...rows]).split('\n');
    all.forEach(({ name }, i) => {
      if (i > 0 && groupOf(name) !== groupOf(all[i - 1].name)) lines[i + 1] = `\n${lines[i + 1]}`;
    });
    io.stdout.write(`${lines.join('\n')}\n`);
    io.stdout.write(
      `\nbuffers: weights, optimiser state, activations of a batch, and gradients.\n` +
        `est. time: of all steps, without restarts${all.some(({ name }) => name === 'reverse') ? ' (the preset reverse: until solved)' : ''}, on ${MEASURED_ON}; –: not measured.\n`,
    );
    if (group === undefined)
      io.stdout.write(
        withProgramName(
          `List one group: pushdown presets <group>. Groups: ${GROUPS.join(', ')}. This list leaves out the chomsky and cfl groups.\n`,
        ),
      );
    io.stdout.write(
      withProgramName(
        `${count(all.length)} ${all.length === 1 ? 'preset' : 'presets'}. Train one: pushdown train <preset>. Change a setting: --set key=value (keys: pushdown presets --keys).\n`,
      ),
    );
    return 0;
  },
});

/** The group of a preset: `paper/reverse` for `paper/reverse/stack`. */
const groupOf = (name: string): string => name.split('/').slice(0, -1).join('/');

function factsOf({ name, description, config }: Preset) {
  const { task, spec } = setup(config);
  const speed = SPEEDS[name];
  return {
    name,
    task: task.name,
    parameters: countParameters(spec),
    memory: bytesOf(config).total,
    seconds: speed ? (speed.steps ?? config.train.steps) / speed.stepsPerSecond : null,
    description,
    config,
  };
}

function limitsOf(field: (typeof FIELDS)['model'][string]): string {
  switch (field.kind) {
    case 'int':
    case 'number':
      return `${field.min} … ${field.max}`;
    case 'choice':
      return field.choices.join('|');
    case 'flag':
      return 'true|false';
    case 'names':
      return 'names, separated by commas';
    default:
      return 'a name';
  }
}
