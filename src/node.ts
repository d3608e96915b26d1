/**
 * Everything that `pushdown` exports, and functions that open an engine in Node.
 *
 * @module pushdown/node
 */
export * from './index.ts';
export type { PlanName } from './kernels/plan-names.ts';
export type { EngineOptions, Opening } from './platform/engines.ts';
export type { EngineName } from './platform/names.ts';
export { type AdapterSearch, type FoundAdapter, findAdapter } from './platform/node/adapter.ts';
export { openEngine, openEngineWith, reopening } from './platform/node/engine.ts';
