import type { AdapterDescription, Engine } from '../../src/engine/engine.ts';
import { type GpuOptions, gpuEngineOn } from '../../src/engine/gpu.ts';
import { Gpu, requestDevice } from '../../src/gpu/device.ts';
import { PROFILE_NAMES, type ProfileName } from '../../src/gpu/profile.ts';
import { openGpu as openOn } from '../../src/kernels/open.ts';
import { findAdapter, release, searchText } from '../../src/platform/node/adapter.ts';

/**
 * The profile that all kernel tests use, whatever the adapter; `npm run verify`
 * runs them with each GPU profile. If undefined, the kind of the adapter decides.
 */
export const PROFILE = PROFILE_NAMES.find(name => name === process.env.PUSHDOWN_PROFILE);
if (process.env.PUSHDOWN_PROFILE && !PROFILE)
  throw new Error(
    `PUSHDOWN_PROFILE must be one of ${PROFILE_NAMES.join(', ')}, got "${process.env.PUSHDOWN_PROFILE}".`,
  );

/**
 * Whether matrix products have small tiles on a software adapter. `npm test` sets it: most of its time goes into
 * compiling, and larger tiles only repeat the same statements. profiles.test.ts and `npm run verify` use the tiles of
 * the profile.
 */
const SMALL_TILES = process.env.PUSHDOWN_TILES === 'small';
async function withSmallTiles(opened: Gpu): Promise<Gpu> {
  const { profile } = opened;
  const gpu = new Gpu(opened.device, {
    ...profile,
    tuning: {
      ...profile.tuning,
      // They do not divide most sizes in the tests, so the last tile is usually partly filled.
      step: { rows: 3, size: 8 },
      linear: { rows: 3, columns: 2, size: 8 },
      gradients: { ...profile.tuning.gradients, down: 2, across: 2 },
    },
  });
  await gpu.measureWaits();
  return gpu;
}

/**
 * Opens a device on the best adapter of this machine. @param checked with bounds checks, if it is a software adapter
 */
export async function openDevice(
  checked = true,
): Promise<{ device: GPUDevice; description: AdapterDescription; close(): void }> {
  const search = await findAdapter({ checked });
  const { found } = search;
  if (!found) throw new Error(`no WebGPU adapter for the parity tests: ${searchText(search)}`);
  const device = await requestDevice(found.adapter);
  return { device, description: found.description, close: () => release(found.gpu) };
}

/** The best WebGPU device of this machine. Throws if there is none: parity tests are never skipped. */
export const openGpu = async (profile?: ProfileName): Promise<Gpu> => (await openGpuEngines(profile)).gpu;

/** The GPU engine on that device, in its default form or a forced one. */
export const openGpuEngine = async (options?: GpuOptions): Promise<Engine> =>
  (await openGpuEngines(options?.profile)).on(options);

/**
 * Engines in several forms on one device, so that every kernel
 * is compiled only once. Destroying one destroys the device.
 */
export async function openGpuEngines(
  profile: ProfileName | undefined = PROFILE,
): Promise<{ gpu: Gpu; on(options?: GpuOptions): Engine }> {
  const { device, description } = await openDevice();
  const opened = (await openOn(device, description.kind, profile)).gpu;
  const gpu =
    SMALL_TILES && !profile && description.kind === 'software' ? await withSmallTiles(opened) : opened;
  return { gpu, on: options => gpuEngineOn(gpu, description, options) };
}
