/**
 * `pushdown/standalone`: all functions that `pushdown/browser` exports, in one file for pages without a bundler:
 *
 *   <script type="module">
 *     import { openEngine, preset, Trainer } from 'https://<host>/pushdown.js';
 *   </script>
 */
export * from './index.ts';
export type { PlanName } from './kernels/plan-names.ts';
export { type BrowserOptions, findAdapter } from './platform/browser/platform.ts';
/** Entry point of the workers that this file starts. */
export { serveThread } from './platform/browser/serve.ts';
export { openEngine, openEngineWith, reopening } from './platform/browser/standalone.ts';
export type { EngineOptions } from './platform/engines.ts';
export type { EngineName } from './platform/names.ts';
