import { unknown } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';

/** Names of the engines. Importing this file loads no engine; engines.ts opens them. */

/** Every engine, best first: `auto` takes the first that works. `label` is a short description for lists. */
export const ENGINES = [
  { name: 'gpu', label: 'WebGPU' },
  { name: 'cpu', label: 'WebAssembly SIMD' },
  { name: 'reference', label: 'float64' },
] as const;
/** The name of an actual engine: all but `auto`. */
export type ConcreteName = (typeof ENGINES)[number]['name'];

/** `auto` picks the best available engine. */
export type EngineName = 'auto' | ConcreteName;
/** All names a user may give. */
export const ENGINE_NAMES: readonly EngineName[] = ['auto', ...ENGINES.map(({ name }) => name)];

/** The engine that computes the paper's equations in float64. All other engines are compared with it. */
export const REFERENCE: ConcreteName = 'reference';

/** The engine that `auto` tries first. */
export const BEST = ENGINES[0].name;

/**
 * Checks the name of an engine.
 * @throws InputError for an unknown name
 * @param what the kind of name, for the message: `engine in the link`
 */
export function engineName(text: string, what = 'engine'): EngineName {
  return ENGINE_NAMES.find(name => name === text) ?? unknown(what, text, ENGINE_NAMES);
}

/** `engine gpu · SwiftShader (software) · no GPU adapter found`, `engine cpu · WebAssembly SIMD, 2 threads · requested` */
export function engineLine({ name, adapter }: Pick<Engine, 'name' | 'adapter'>): string {
  const kind = adapter.kind === 'software' ? ' (software)' : '';
  const threads = (adapter.threads ?? 1) > 1 ? `, ${adapter.threads} threads` : '';
  return `engine ${name} · ${adapter.name}${kind}${threads} · ${adapter.reason}`;
}
