import type { Config } from '../base/config.ts';
import type { Checkpoint } from './checkpoint.ts';

/**
 * The configuration with which a run that is over goes on: of what ended it, only that is changed. All its other numbers
 * are those of a run that had this configuration from the start, for nothing that is learnt depends on when it will end.
 */
export function extendedConfig({ config, state, run }: Checkpoint): Config {
  const { steps, patience, reportEvery } = config.train;
  const train = { ...config.train };
  if (state.step >= steps) train.steps = Math.min(1e9, Math.max(2 * steps, steps + reportEvery));
  if (run.passes >= train.stopPasses) train.stopAt = 0;
  if (patience && run.patience.stale >= patience) train.patience = 0;
  return { ...config, train };
}
