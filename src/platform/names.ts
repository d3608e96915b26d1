import { unknown } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';

/** The names of engines, for those who ask for one: nothing here loads any. How each is opened is in engines.ts. */

/** Every engine, best first: `auto` takes the first that can be had. `label` says what it is, beside the name in lists. */
export const ENGINES = [
  { name: 'gpu', label: 'WebGPU' },
  { name: 'cpu', label: 'WebAssembly SIMD' },
  { name: 'reference', label: 'float64' },
] as const;
export type OwnName = (typeof ENGINES)[number]['name'];

/** `auto`: the best there is. */
export type EngineName = 'auto' | OwnName;
export const ENGINE_NAMES: readonly EngineName[] = ['auto', ...ENGINES.map(({ name }) => name)];

/** The engine that is the paper in float64: others are compared with it. */
export const REFERENCE: OwnName = 'reference';

/** The engine that `auto` hopes for. */
export const BEST = ENGINES[0].name;

/** @throws InputError for an unknown name @param what as the message names it, like `engine in the link` */
export function engineName(text: string, what = 'engine'): EngineName {
  return ENGINE_NAMES.find(name => name === text) ?? unknown(what, text, ENGINE_NAMES);
}

/** `engine gpu · SwiftShader (software) · no GPU adapter found`, `engine cpu · WebAssembly SIMD, 2 threads · asked for` */
export function engineLine({ name, adapter }: Pick<Engine, 'name' | 'adapter'>): string {
  const kind = adapter.kind === 'software' ? ' (software)' : '';
  const threads = (adapter.threads ?? 1) > 1 ? `, ${adapter.threads} threads` : '';
  return `engine ${name} · ${adapter.name}${kind}${threads} · ${adapter.reason}`;
}
