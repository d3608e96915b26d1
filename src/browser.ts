/** `pushdown/browser`: all public names, and what a page or a worker needs to open an engine. */
export * from './index.ts';
export type { PlanName } from './kernels/plan-names.ts';
export { openEngine, openEngineWith, reopening } from './platform/browser/engine.ts';
export { type BrowserOptions, findAdapter } from './platform/browser/platform.ts';
export type { EngineOptions } from './platform/engines.ts';
export type { EngineName } from './platform/names.ts';
