/**
 * Chromium and its software Vulkan driver (SwiftShader) from npm, for machines with no GPU and no browser. The
 * development dependency `@sparticuz/chromium` carries both as archives. They are unpacked once, into
 * node_modules/.cache or, if that is not writable, into the temporary folder. Linux x64 only.
 */
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { chmod, lstat, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { messageOf } from '../../base/errors.ts';
import { makeFolder } from './make-folder.ts';

const PACKAGE = '@sparticuz/chromium';
const HOUR = 3_600_000;

/** The package's folder and version; undefined if it is not installed or does not support this machine. */
function bundle(): { folder: string; version: string } | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    // The package exports only its main file. Its folder is the nearest parent folder with its name.
    let folder = dirname(createRequire(import.meta.url).resolve(PACKAGE));
    while (basename(folder) !== 'chromium') {
      if (dirname(folder) === folder) return undefined;
      folder = dirname(folder);
    }
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return existsSync(join(folder, 'bin', 'swiftshader.tar.br')) ? { folder, version } : undefined;
  } catch {
    return undefined;
  }
}

export const bundleInstalled = (): boolean => bundle() !== undefined;

/**
 * The folder for unpacked files: node_modules/.cache beside the package, else a folder of this user in the temporary
 * folder.
 */
async function cacheFolder(found: { folder: string; version: string }): Promise<string> {
  // …/node_modules/@sparticuz/chromium → …/node_modules/.cache
  const beside = join(dirname(dirname(found.folder)), '.cache', 'pushdown', found.version);
  try {
    makeFolder(beside);
    await rm(await mkdtemp(join(beside, 'probe-')), { recursive: true });
    return beside;
  } catch {
    const ofUser = join(tmpdir(), `pushdown-${process.getuid?.() ?? 'user'}`);
    makeFolder(ofUser, 0o700);
    // Libraries are loaded from this folder, so a folder that another user has created there is refused.
    const { uid } = await lstat(ofUser);
    if (uid !== process.getuid?.()) throw new Error(`${ofUser} belongs to another user`);
    const folder = join(ofUser, found.version);
    makeFolder(folder);
    return folder;
  }
}

/**
 * Fills `<cache>/<name>` with `fill`, once. The folder is filled under another name and then renamed, so that a killed
 * process leaves no incomplete folder. If two processes do this at once, the first to finish wins.
 */
async function once(name: string, fill: (folder: string, source: string) => Promise<void>): Promise<string> {
  const found = bundle();
  if (!found) throw new Error(`the npm package ${PACKAGE} is not installed, or does not support this system`);
  const cache = await cacheFolder(found);
  const target = join(cache, name);
  if (existsSync(target)) return target;
  // Removes what killed processes have left.
  for (const name of await readdir(cache)) {
    if (!name.startsWith('unpacking-')) continue;
    const folder = join(cache, name);
    const age = await stat(folder).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > HOUR) await rm(folder, { recursive: true, force: true });
  }
  const temporary = await mkdtemp(join(cache, 'unpacking-'));
  try {
    await fill(temporary, join(found.folder, 'bin'));
    await chmod(temporary, 0o755);
    await rename(temporary, target);
  } catch (error) {
    if (!existsSync(target)) throw new Error(`cannot unpack ${PACKAGE} to ${target}: ${messageOf(error)}`);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return target;
}

async function untar(archive: string, folder: string): Promise<void> {
  const { extract } = await import('tar-fs');
  await pipeline(
    createReadStream(archive),
    createBrotliDecompress(),
    // Files belong to the user who unpacks them, even if that is root.
    extract(folder, { chown: false, readable: true } as Parameters<typeof extract>[1]),
  );
}

/** Unpacks libvulkan.so.1, libvk_swiftshader.so and vk_swiftshader_icd.json. Returns their folder. */
export const unpackSwiftShader = (): Promise<string> =>
  once('swiftshader', (folder, source) => untar(join(source, 'swiftshader.tar.br'), folder));

/**
 * Unpacks headless Chromium with SwiftShader beside it. Returns its path, and the environment that it needs on a system
 * without the libraries and fonts of a desktop.
 */
export async function unpackChromium(): Promise<{ path: string; env: Record<string, string> }> {
  const folder = await once('chromium', async (folder, source) => {
    const path = join(folder, 'chromium');
    await pipeline(
      createReadStream(join(source, 'chromium.br')),
      createBrotliDecompress(),
      createWriteStream(path),
    );
    await chmod(path, 0o755);
    await untar(join(source, 'swiftshader.tar.br'), folder);
    await untar(join(source, 'al2023.tar.br'), folder);
    await untar(join(source, 'fonts.tar.br'), folder);
    await writeFile(
      join(folder, 'fonts.conf'),
      `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir prefix="relative">fonts</dir><cachedir prefix="relative">fonts-cache</cachedir></fontconfig>\n`,
    );
  });
  const env: Record<string, string> = { LD_LIBRARY_PATH: join(folder, 'lib') };
  if (!existsSync('/etc/fonts/fonts.conf')) env['FONTCONFIG_FILE'] = join(folder, 'fonts.conf');
  return { path: join(folder, 'chromium'), env };
}
