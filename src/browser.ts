/**
 * Everything that `pushdown` exports, and functions that open an engine in a page or a worker.
 *
 * @module pushdown/browser
 */
export * from './index.ts';
export type { PlanName } from './kernels/plan-names.ts';
export { openEngine, openEngineWith, reopening } from './platform/browser/engine.ts';
export { type BrowserEnvironment, type BrowserOptions, findAdapter } from './platform/browser/platform.ts';
export type { EngineOptions, Opening } from './platform/engines.ts';
export type { EngineName } from './platform/names.ts';
