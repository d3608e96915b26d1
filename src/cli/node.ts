/** `pushdown/node`: all public names, and what Node needs to find a device. */
export * from '../index.ts';
export { type AdapterSearch, type FoundAdapter, findAdapter } from './adapter.ts';
export { type EngineName, type EngineOptions, openEngine, type PlanName } from './engine.ts';
