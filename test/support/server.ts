import { cp, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, preview } from 'vite';

export interface Server {
  /** The URL of the site, with a trailing slash. */
  url: string;
  /** The folder with the files of the site. */
  folder: string;
  close(): Promise<void>;
}

/** As on most static hosts, the site is not at the root. */
const SUB_PATH = 'some/folder';

/** Builds the page and the benchmarks for publication. Returns the temporary folder that contains them. */
export async function buildPage(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), 'pushdown-page-'));
  const logLevel = 'error';
  await build({ logLevel, build: { outDir: join(outDir, SUB_PATH), emptyOutDir: true } });
  await build({
    configFile: 'bench/page/vite.config.ts',
    logLevel,
    build: { outDir: join(outDir, SUB_PATH, 'bench'), emptyOutDir: true },
  });
  return outDir;
}

/** Copies the result of buildPage(). Its workers run `script` first, to simulate a GPU. Returns the new folder. */
export async function pageWithWorkerScript(outDir: string, script: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'pushdown-page-'));
  await cp(outDir, copy, { recursive: true });
  const assets = join(copy, SUB_PATH, 'assets');
  const workers = (await readdir(assets)).filter(name => /^worker-.*\.js$/.test(name));
  if (workers.length !== 1) throw new Error(`the page has ${workers.length} worker scripts, not 1.`);
  const file = join(assets, workers[0]);
  await writeFile(file, `${script}\n${await readFile(file, 'utf8')}`);
  return copy;
}

/**
 * Serves the result of buildPage() on a free port of localhost.
 * @param headers extra headers; by default none, as on most static hosts: then the page is not cross-origin isolated
 */
export async function servePage(outDir: string, headers: Record<string, string> = {}): Promise<Server> {
  const server = await preview({
    configFile: false,
    logLevel: 'error',
    build: { outDir },
    preview: { host: 'localhost', port: 0, strictPort: false, headers },
  });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('the preview server has no address.');
  return { url: `${url}${SUB_PATH}/`, folder: join(outDir, SUB_PATH), close: () => server.close() };
}
