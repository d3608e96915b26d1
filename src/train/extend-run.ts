import type { Config } from '../base/config.ts';
import type { Checkpoint } from './checkpoint.ts';

/**
 * The configuration that lets a finished run continue. It changes only the settings that ended the run: it doubles
 * `steps`, or sets `stopAt` or `patience` to 0. The result is that of a run that had this configuration from the start,
 * because training does not depend on when it ends.
 */
export function extendedConfig({ config, state, run }: Checkpoint): Config {
  const { steps, patience, reportEvery } = config.train;
  const train = { ...config.train };
  if (state.step >= steps) train.steps = Math.min(1e9, Math.max(2 * steps, steps + reportEvery));
  if (run.passes >= train.stopPasses) train.stopAt = 0;
  if (patience && run.patience.stale >= patience) train.patience = 0;
  return { ...config, train };
}
