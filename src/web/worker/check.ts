import type { Config } from '../../base/config.ts';
import { InputError, messageOf } from '../../base/errors.ts';
import { countParameters } from '../../base/parameters.ts';
import { DATA } from '../../tasks/names.ts';
import { bytesOf } from '../../train/estimate.ts';
import { setup, withVocabulary } from '../../train/setup.ts';
import { bytes } from '../format.ts';
import type { Checked, DataText, Problem } from '../protocol.ts';
import { keyIn } from '../settings/field-labels.ts';
import { ownDataFor } from './own-data.ts';

/**
 * Maximum memory of a tab, in bytes. Browsers kill tabs and GPU processes that use much more, which loses their work.
 * Browsers do not report how much is free.
 */
const MOST_BYTES = 4 * 2 ** 30;

/** Checks settings, each valid by itself, for consistency. May take long, so it must not run on the page's thread. */
export function check(config: Config, data?: DataText): Checked {
  try {
    if (config.task.name === DATA && !data) {
      const message = 'your own data comes from a file: open or drop one (.tsv or .jsonl) further below.';
      return { problem: { key: 'task.name', message } };
    }
    const parsed = ownDataFor(config.task, data);
    const whole = withVocabulary(config, parsed);
    const { spec } = setup(whole, parsed);
    const { total, activations, most } = bytesOf(whole, parsed);
    if (total > MOST_BYTES) return { problem: tooLarge(total, activations, config.train.batch) };
    return { sizes: { parameters: countParameters(spec), bytes: most } };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problem: { key: keyIn(error.message), message: messageOf(error) } };
  }
}

function tooLarge(total: number, activations: number, batch: number): Problem {
  const most = Math.floor((batch * (MOST_BYTES - (total - activations))) / activations);
  const words = `training would take about ${bytes(total)} on the device, more than the ${bytes(MOST_BYTES)} that a tab should`;
  return most >= 1
    ? { key: 'train.batch', message: `${words}: a batch of up to ${most} would fit.` }
    : {
        key: 'model.hidden',
        message: `${words}, even with one sequence at a time: take a smaller model or shorter sequences.`,
      };
}
