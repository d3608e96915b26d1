import { DeviceError, messageOf, unknown } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { type AdapterSearch, findAdapter, release } from './adapter.ts';
import { tuningFile } from './tunings.ts';

/** What may be asked for. `auto`: the best there is. `gpu`: WebGPU, on a GPU or in software. */
export const ENGINES = ['auto', 'gpu', 'cpu'] as const;
export type EngineName = (typeof ENGINES)[number];

/** How the kernels of a model may be laid out: `fused` and `stepwise` give the same numbers. */
export const PLANS = ['auto', 'fused', 'stepwise'] as const;
export type PlanName = (typeof PLANS)[number];

export interface EngineOptions {
  /** `auto`: by size and measurement. Of no matter to `cpu`, which has one way only. */
  plan?: PlanName;
}

/**
 * Opens an engine in Node: WebGPU on a GPU, else WebGPU in software, else the paper in float64.
 * `engine.adapter` says which it became and why. The engine keeps the process alive until it is destroyed.
 * @throws InputError for an unknown name, DeviceError where `gpu` is asked for and there is no adapter
 */
export async function openEngine(name: EngineName = 'auto', options: EngineOptions = {}): Promise<Engine> {
  if (!ENGINES.includes(name)) unknown('engine', name, ENGINES);
  const { plan = 'auto' } = options;
  if (!PLANS.includes(plan)) unknown('plan', plan, PLANS);
  const { createCpuEngine } = await import('../engine/cpu.ts');
  if (name === 'cpu') return createCpuEngine('asked for');
  const search = await findAdapter();
  const { found } = search;
  if (!found) {
    if (name === 'gpu') throw new DeviceError(`no WebGPU adapter: ${outcome(search)}. ${ADVICE}`);
    return createCpuEngine(`no WebGPU adapter: ${outcome(search)}`);
  }
  try {
    const { requestDevice } = await import('../gpu/device.ts');
    const { createGpuEngine } = await import('../engine/gpu.ts');
    const { description } = found;
    const tunings = tuningFile(`${description.name}; ${description.reason}`);
    const engine = await createGpuEngine(await requestDevice(found.adapter), description, { plan, tunings });
    const destroy = engine.destroy.bind(engine);
    engine.destroy = () => {
      destroy();
      release(found.gpu);
    };
    return engine;
  } catch (error) {
    release(found.gpu);
    if (name === 'gpu') throw error;
    return createCpuEngine(`${found.description.name} failed: ${messageOf(error)}`);
  }
}

/** `engine gpu · SwiftShader (software) · no GPU adapter found` */
export function engineLine({ name, adapter }: Engine): string {
  const kind = adapter.kind === 'software' ? ' (software)' : '';
  return `engine ${name} · ${adapter.name}${kind} · ${adapter.reason}`;
}

const outcome = ({ tried }: AdapterSearch): string =>
  tried.map(({ what, outcome }) => `${what}: ${outcome}`).join('; ');

const ADVICE =
  process.platform === 'linux'
    ? 'Install a driver for your GPU (and libvulkan1), or for software: Mesa 24 or newer ' +
      '(mesa-vulkan-drivers), Chrome, or `npm install @sparticuz/chromium tar-fs`.'
    : 'Update the driver of your GPU; or use --engine cpu.';
