/** `pushdown/node`: what Node needs beyond the public names. */
export { type AdapterSearch, type FoundAdapter, findAdapter } from './adapter.ts';
export { type EngineName, openEngine } from './engine.ts';
