/** The suite in a browser: `npm run bench:page` serves the page, `-- --headless` also runs it. */
import { parseArgs } from 'node:util';
import { createServer, type ViteDevServer } from 'vite';
import { InputError } from '../../src/base/errors.ts';
import { countOption } from '../node.ts';
import { runHeadless } from './headless.ts';

const HELP = `npm run bench:page -- [options]
  Serves the benchmark page on localhost. Open it in any browser with WebGPU; Ctrl-C stops the server.
  --port <n>       port (default: a free one)
  --headless       run the benchmarks in a headless Chrome instead, and print the tables
with --headless:
  --only <text>    only cases whose names contain this; may be repeated
  --full           also the full grid, large models and slow peers: hours on a software adapter
  --samples <n>    samples per case (default 10, at least 3)
  --no-peers       only pushdown
  --json           also write bench/results/suite-chrome-<adapter>-<date>.json, and its plots as .svg beside it`;

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '0' },
      headless: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      full: { type: 'boolean', default: false },
      samples: { type: 'string', default: '10' },
      'no-peers': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const port = countOption('port', values.port, 0);
  const samples = countOption('samples', values.samples, 3);
  if (!values.headless && (values.only.length || values.full || values.json || values['no-peers'])) {
    throw new InputError(
      '--only, --full, --json and --no-peers need --headless; without it, use the controls on the page.',
    );
  }
  const server = await serve(port);
  const url = server.resolvedUrls?.local[0];
  if (!url)
    throw new InputError(`the page cannot be served on port ${port}: choose another port with --port.`);
  try {
    if (values.headless) return await runHeadless(url, { ...values, samples, peers: !values['no-peers'] });
    console.log(`open ${url} in a browser with WebGPU. Ctrl-C ends the server.`);
    await new Promise<void>(resolve => process.once('SIGINT', () => resolve()));
    return 0;
  } finally {
    await server.close();
  }
}

async function serve(port: number): Promise<ViteDevServer> {
  const server = await createServer({
    configFile: 'bench/page/vite.config.ts',
    logLevel: 'warn',
    server: { port, strictPort: port !== 0 },
  });
  return server.listen();
}
