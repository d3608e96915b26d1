import type { Config } from '../base/config.ts';
import { count } from './format.ts';
import type { RunState } from './protocol.ts';

/** Added to an error that does not affect the current run. */
export const continuesText = (current: unknown): string => (current ? ' The current run continues.' : '');

/** Describes the state of a run in a sentence. */
export function statusOf(state: RunState, step: number, { train }: Config): string {
  const { stopAt, stopPasses: passes } = train;
  switch (state) {
    case 'running':
      return 'Training …';
    case 'paused':
      return step === 0 ? 'Ready.' : `Paused at step ${count(step)}.`;
    case 'solved':
      return `Solved at step ${count(step)}: at least ${Number((100 * stopAt).toPrecision(4))} % of evaluation sequences fully correct, ${passes === 1 ? 'once' : passes === 2 ? 'twice in a row' : `${passes} times in a row`}. Keep training to improve on longer sequences than these.`;
    case 'done':
      return `Done: all ${count(step)} steps.`;
    case 'stalled':
      return `Ended at step ${count(step)}: the loss no longer improved.`;
    case 'stopped':
      return `Stopped at step ${count(step)}. The run is in the list below.`;
  }
}
