/**
 * Finds a WebGPU adapter in Node, through Dawn (npm `webgpu`): the GPU if there is one, else a software Vulkan driver,
 * which is the system's lavapipe or the SwiftShader of an installed browser or of the npm bundle.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { firstLineOf, messageOf } from '../../base/errors.ts';
import type { AdapterDescription } from '../../engine/engine.ts';
import { describe } from '../adapter.ts';
import type { Adapter, Instance } from '../webgpu.ts';
import { browserPaths } from './browsers.ts';
import { bundleInstalled, unpackSwiftShader } from './bundle.ts';

export interface FoundAdapter {
  /** Dawn's instance. It must be kept alive as long as any of its objects is in use. */
  gpu: Instance;
  adapter: Adapter;
  description: AdapterDescription;
}

export interface AdapterSearch {
  found?: FoundAdapter;
  /** The places that were searched, with the outcome of each. If an adapter was found, the last entry is its place. */
  tried: { what: string; outcome: string }[];
}

/** The search in one line: the places searched and their outcomes. */
export const searchText = ({ tried }: Pick<AdapterSearch, 'tried'>): string =>
  tried.map(({ what, outcome }) => `${what}: ${outcome}`).join('; ');

/** All Dawn instances with an adapter in use. Garbage collection of an instance would destroy its devices. */
const instances: Instance[] = [];

/** Releases Dawn's instance, so that it no longer keeps the process alive. */
export function release(gpu: Instance): void {
  const at = instances.indexOf(gpu);
  if (at >= 0) instances.splice(at, 1);
}

/** Dawn's toggles apply to a whole instance. This one disables bounds checks. */
const UNCHECKED = 'enable-dawn-features=disable_robustness';

/**
 * With this option a loop in the kernel, not the driver, sets workgroup memory to 0. Otherwise SwiftShader compiles one
 * store for every number, which takes 85% of the compile time of the metrics kernel, with 640 numbers, and a third of
 * that of fused kernels.
 */
export const ZERO_IN_LOOP = 'disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension';

/** The last search. Searches run one at a time, because a search sets environment variables while it runs. */
let lastSearch: Promise<unknown> = Promise.resolve();

/**
 * Searches for an adapter.
 * @param only `gpu` for a GPU only, `software` for a software adapter even if there is a GPU; by default a GPU, else software
 * @param checked false disables a software adapter's bounds checks, which take up to half of its time. The kernels'
 * indices come from sizes and batches that are checked, and the tests run with bounds checks on; but without them a
 * wrong index would write to the memory of this process.
 */
export function findAdapter({
  only = undefined as 'gpu' | 'software' | undefined,
  checked = true,
} = {}): Promise<AdapterSearch> {
  const search = lastSearch.then(() => find(only, checked));
  lastSearch = search.catch(() => undefined);
  return search;
}

async function find(only: 'gpu' | 'software' | undefined, checked: boolean): Promise<AdapterSearch> {
  const tried: AdapterSearch['tried'] = [];
  let dawn: typeof import('webgpu');
  try {
    dawn = await import('webgpu');
  } catch (error) {
    const reason = firstLineOf(error);
    return { tried: [{ what: 'Dawn (npm webgpu)', outcome: `cannot be loaded: ${reason}` }] };
  }
  Object.assign(globalThis, dawn.globals);

  const chosen = process.platform === 'linux' ? DRIVER_VARIABLES.find(name => process.env[name]) : undefined;
  /** Requests an adapter from a new Dawn instance, restricted to the driver file `icd` if it is given. */
  const request = async (
    what: string,
    icd?: string,
    fallback = false,
    toggles: string[] = [],
  ): Promise<FoundAdapter | undefined> => {
    const before = DRIVER_VARIABLES.map(name => process.env[name]);
    // The Vulkan loader reads these variables when an instance is created. They are reset afterwards, because a browser
    // started from this process must not inherit them.
    if (icd) for (const name of DRIVER_VARIABLES) process.env[name] = icd;
    try {
      const gpu = dawn.create(toggles);
      const adapter = await gpu.requestAdapter({
        powerPreference: 'high-performance',
        forceFallbackAdapter: fallback,
      });
      if (!adapter) {
        tried.push({ what, outcome: 'no adapter' });
        return undefined;
      }
      const { name, kind } = describe(adapter);
      const soft = kind === 'software';
      if (only && kind !== only) {
        const wanted = only === 'gpu' ? 'a GPU' : 'a software adapter';
        tried.push({ what, outcome: `${name}, skipped: ${wanted} was requested` });
        return undefined;
      }
      if (soft && toggles.length === 0)
        return await request(what, icd, fallback, checked ? [ZERO_IN_LOOP] : [ZERO_IN_LOOP, UNCHECKED]);
      const checks = soft ? `; bounds checks ${checked ? 'on' : 'off'}` : '';
      const reason = reasonFor(soft, only === 'software', tried, icd ? undefined : chosen) + checks;
      tried.push({ what, outcome: name });
      instances.push(gpu);
      return { gpu, adapter, description: { name, kind, reason } };
    } catch (error) {
      tried.push({ what, outcome: firstLineOf(error) });
      return undefined;
    } finally {
      DRIVER_VARIABLES.forEach((name, i) => {
        if (before[i] === undefined) delete process.env[name];
        else process.env[name] = before[i];
      });
    }
  };
  const end = (found: FoundAdapter | undefined): AdapterSearch => (found ? { found, tried } : { tried });

  if (process.platform !== 'linux') {
    const api = process.platform === 'darwin' ? 'Metal' : 'Direct3D 12';
    const first = only === 'software' ? undefined : await request(api);
    if (first || only === 'gpu') return end(first);
    return end(await request(`${api}, fallback adapter`, undefined, true));
  }

  const icds = chosen
    ? process.env[chosen]!.split(':').filter(file => file !== '' && existsSync(file))
    : installedIcds();
  const lavapipe = icds.filter(file => /lvp_icd|lavapipe/i.test(file));
  const system = chosen ? `Vulkan drivers of ${chosen}` : 'system Vulkan drivers';
  // Checked first, because without drivers or loader Dawn would print its own warnings.
  if (icds.length === 0) tried.push({ what: system, outcome: chosen ? 'no such file' : 'none installed' });
  else if (!load('libvulkan.so.1') && !loadBrowsersLoader() && !(await loadBundlesLoader())) {
    tried.push({ what: system, outcome: 'libvulkan.so.1 is missing (Debian, Ubuntu: libvulkan1)' });
  } else if (chosen) {
    const found = await request(system);
    if (found) return end(found);
  } else {
    if (icds.length > lavapipe.length && only !== 'software') {
      const found = await request(system);
      if (found) return end(found);
    }
    for (const icd of only === 'gpu' ? [] : lavapipe) {
      const found = await request(`Vulkan driver ${icd}`, icd);
      if (found) return end(found);
      const last = tried[tried.length - 1];
      if (last.outcome === 'no adapter') last.outcome += ' (needs Mesa 24 or newer)';
    }
  }

  if (only === 'gpu') return end(undefined);
  for (const folder of browserPaths().map(dirname)) {
    const icd = join(folder, 'vk_swiftshader_icd.json');
    if (!existsSync(icd) || !loaderFrom(folder)) continue;
    const found = await request(`SwiftShader of ${folder}`, icd);
    if (found) return end(found);
  }
  if (!bundleInstalled()) {
    tried.push({ what: 'SwiftShader', outcome: 'neither Chrome nor npm @sparticuz/chromium is installed' });
    return end(undefined);
  }
  const what = 'SwiftShader from the npm package @sparticuz/chromium';
  try {
    const folder = await unpackSwiftShader();
    if (loaderFrom(folder)) return end(await request(what, join(folder, 'vk_swiftshader_icd.json')));
    tried.push({ what, outcome: 'libvulkan.so.1 cannot be loaded' });
  } catch (error) {
    tried.push({ what, outcome: messageOf(error) });
  }
  return end(undefined);
}

/** Variables that name the drivers to use. Loaders before 1.3.207 know only the second. */
const DRIVER_VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];

/** The driver files that the Vulkan loader would find. */
function installedIcds(): string[] {
  const { XDG_CONFIG_HOME, XDG_CONFIG_DIRS, XDG_DATA_HOME, XDG_DATA_DIRS, VK_ADD_DRIVER_FILES } = process.env;
  const roots = [
    XDG_CONFIG_HOME || join(homedir(), '.config'),
    ...(XDG_CONFIG_DIRS || '/etc/xdg').split(':'),
    '/etc',
    '/usr/local/etc',
    XDG_DATA_HOME || join(homedir(), '.local/share'),
    ...(XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':'),
    '/run/opengl-driver/share',
  ].filter(Boolean);
  const files = new Set((VK_ADD_DRIVER_FILES ?? '').split(':').filter(Boolean));
  for (const root of roots) {
    const folder = join(root, 'vulkan', 'icd.d');
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder)) if (file.endsWith('.json')) files.add(join(folder, file));
  }
  // Skips files that the Vulkan loader would reject: unreadable ones, and those whose library does not exist.
  return [...files].filter(file => {
    try {
      const { ICD } = JSON.parse(readFileSync(file, 'utf8')) as { ICD?: { library_path?: string } };
      return ICD?.library_path && (!isAbsolute(ICD.library_path) || existsSync(ICD.library_path));
    } catch {
      return false;
    }
  });
}

/** Loads a shared library and keeps it loaded, so that Dawn finds it by name. Returns false if it cannot be loaded. */
function load(library: string): boolean {
  const RTLD_NODELETE = 0x1000;
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    // dlopen() throws because the library is not an addon, but by then it is loaded.
    return /did not self-register/i.test(messageOf(error));
  }
}

/** Loads the system's Vulkan loader, or else the one in this folder. */
const loaderFrom = (folder: string): boolean =>
  load('libvulkan.so.1') || load(join(folder, 'libvulkan.so.1'));

/** Loads the Vulkan loader of an installed browser, for systems that have drivers but no loader. */
const loadBrowsersLoader = (): boolean =>
  browserPaths().some(path => load(join(dirname(path), 'libvulkan.so.1')));

/** The same with the loader of the npm bundle, if it is installed. */
async function loadBundlesLoader(): Promise<boolean> {
  try {
    return bundleInstalled() && load(join(await unpackSwiftShader(), 'libvulkan.so.1'));
  } catch {
    return false;
  }
}

/**
 * The reason why this adapter is used.
 * @param chosen the environment variable that named the drivers, if one did
 */
function reasonFor(
  soft: boolean,
  softwareRequested: boolean,
  tried: AdapterSearch['tried'],
  chosen: string | undefined,
): string {
  if (chosen) return `chosen by ${chosen}`;
  if (!soft) return 'the GPU of this system';
  if (softwareRequested) return 'a software adapter was requested';
  const search = searchText({ tried });
  return `no GPU adapter found${search ? ` (${search})` : ''}`;
}
