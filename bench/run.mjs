// Runs a benchmark: node bench/run.mjs bench/tutorial.ts [options]
// Node 20 cannot run TypeScript, so Vite bundles the file first. What runs is plain JavaScript, without Vite. The exit
// is explicit, because Dawn keeps a Node process alive.
import { rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const [entry, ...args] = process.argv.slice(2);
if (!entry) {
  console.error('usage: node bench/run.mjs bench/<name>.ts [options]');
  process.exit(2);
}
// In node_modules, so that packages resolve. The name has the process id, so that two runs do not share the folder.
const name = basename(entry, '.ts');
const folder = join('node_modules', '.bench', `${name}-${process.pid}`);
let code = 1;
try {
  await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      ssr: true,
      // The workers of the CPU engine need their own file next to the bundle.
      rolldownOptions: {
        input: { [name]: entry, thread: 'src/platform/node/thread.ts' },
        output: { chunkFileNames: '[name]-[hash].js' },
      },
      outDir: folder,
      emptyOutDir: true,
      target: 'node20',
      minify: false,
    },
  });
  const { main } = await import(pathToFileURL(join(folder, `${name}.js`)).href);
  code = await main(args);
} catch (error) {
  // The message of these errors is enough; for any other error, the stack is printed too.
  const wrongInput = error?.name === 'InputError' || String(error?.code).startsWith('ERR_PARSE_ARGS');
  console.error(wrongInput || error?.name === 'DeviceError' ? error.message : error);
  if (wrongInput) code = 2;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// Output to a pipe is asynchronous, and Dawn keeps the process alive: wait for the output, then exit.
await new Promise(done => process.stdout.write('', done));
process.exit(code);
