import { messageOf } from '../../base/errors.ts';
import {
  type DeviceReport,
  examineAdapter,
  examineEngine,
  type FindAdapter,
  isHealthy,
  type Limits,
} from '../../doctor/examine.ts';
import { reportText } from '../../doctor/report.ts';
import { openEngine } from '../../platform/browser/engine.ts';
import { findAdapter } from '../../platform/browser/platform.ts';
import type { FromExamine, ToExamine } from '../protocol.ts';
import type { Scope } from './scope.ts';

/** Checks and times this browser's adapter and the CPU engine, like `pushdown doctor` in the terminal. */

export function start(scope: Scope<ToExamine, FromExamine>): void {
  const examine = async ({ environment, seconds }: ToExamine): Promise<void> => {
    const limits: Limits = { seconds, onProgress: progress => scope.postMessage({ progress }) };
    const reports: DeviceReport[] = [];
    let isFound = false;
    const find: FindAdapter = async () => {
      const found = await findAdapter();
      isFound = true;
      return found;
    };
    try {
      reports.push(await examineAdapter(find, limits));
    } catch (error) {
      environment.push(`${isFound ? 'WebGPU, not examined' : 'no WebGPU'}: ${messageOf(error)}`);
    }
    reports.push(await examineEngine(await openEngine('cpu'), limits));
    scope.postMessage({ report: reportText(environment, reports), healthy: reports.every(isHealthy) });
  };
  // An unhandled rejection would not reach the page.
  scope.onmessage = ({ data }) => void examine(data).catch(reportError);
}
