import { SHOWN_LIMITS } from '../../platform/adapter.ts';
import { findAdapter } from '../../platform/node/adapter.ts';
import { command, JSON_OPTION } from '../arguments/command.ts';
import { table } from '../show/columns.ts';

export const devices = command({
  name: 'devices',
  operands: [],
  summary:
    'Show the WebGPU adapter that is used, with its limits and features, and the adapters tried before it',
  options: {
    software: { type: 'boolean', help: 'show the software adapter, even if there is a GPU' },
    json: JSON_OPTION,
  },
  async run(_operands, options, io) {
    const { found, tried } = await findAdapter({ only: options.software ? 'software' : undefined });
    const limits = SHOWN_LIMITS.map(name => [name, found?.adapter.limits[name]] as const);
    const features = found ? [...found.adapter.features].sort() : [];
    if (options.json) {
      const adapter = found ? { ...found.description, limits: Object.fromEntries(limits), features } : null;
      io.stdout.write(`${JSON.stringify({ adapter, tried })}\n`);
      return 0;
    }
    const rows = tried.map(({ what, outcome }) => [what, outcome]);
    io.stdout.write(`tried, in this order:\n${table(rows, '  ')}\n\n`);
    if (!found) {
      io.stdout.write('no WebGPU adapter: --engine auto uses cpu\n');
      return 0;
    }
    const { name, kind, reason } = found.description;
    const note = kind === 'software' ? ' · used only with --engine gpu: auto uses cpu' : '';
    io.stdout.write(`adapter: ${name} (${kind}) · ${reason}${note}\n\nlimits\n`);
    io.stdout.write(`${table(limits.map(([limit, value]) => [limit, (value ?? 0).toLocaleString('en')]))}\n`);
    io.stdout.write(`\nfeatures\n  ${features.join(', ')}\n`);
    return 0;
  },
});
