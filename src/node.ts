/** `pushdown/node`: all public names, and what Node needs to open an engine. */
export * from './index.ts';
export type { PlanName } from './kernels/plan-names.ts';
export type { EngineOptions } from './platform/engines.ts';
export type { EngineName } from './platform/names.ts';
export { type AdapterSearch, type FoundAdapter, findAdapter } from './platform/node/adapter.ts';
export { openEngine, openEngineWith, reopening } from './platform/node/engine.ts';
