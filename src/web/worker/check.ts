import type { Config } from '../../base/config.ts';
import { InputError, messageOf } from '../../base/errors.ts';
import { countParameters } from '../../base/parameters.ts';
import { DATA } from '../../tasks/names.ts';
import { bytesOf } from '../../train/estimate.ts';
import { setup, withVocabulary } from '../../train/setup.ts';
import { bytes } from '../format.ts';
import type { CheckResult, DataText, Problem } from '../protocol.ts';
import { keyIn } from '../settings/field-labels.ts';
import { ownDataFor } from './own-data.ts';

/**
 * Maximum memory for training in a tab, in bytes. Browsers kill tabs and GPU processes that use much more, and do not
 * report how much is free.
 */
const MAX_BYTES = 4 * 2 ** 30;

/**
 * Checks whether individually valid settings are consistent, and whether training fits into the memory of a tab. May
 * take a long time, so it must run in a worker.
 */
export function check(config: Config, data?: DataText): CheckResult {
  try {
    if (config.task.name === DATA && !data) {
      const message =
        'your own data comes from a file: open a .tsv or .jsonl file under “Runs”, or drop it on the page.';
      return { problem: { key: 'task.name', message } };
    }
    const parsed = ownDataFor(config.task, data);
    const complete = withVocabulary(config, parsed);
    const { spec } = setup(complete, parsed);
    const { total, activations, peak } = bytesOf(complete, parsed);
    if (total > MAX_BYTES) return { problem: tooLarge(total, activations, config.train.batch) };
    return { sizes: { parameters: countParameters(spec), bytes: peak } };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problem: { key: keyIn(error.message), message: messageOf(error) } };
  }
}

function tooLarge(total: number, activations: number, batch: number): Problem {
  const maxBatch = Math.floor((batch * (MAX_BYTES - (total - activations))) / activations);
  const message = `training would take about ${bytes(total)} on the device, more than the limit of ${bytes(MAX_BYTES)} for a tab`;
  return maxBatch >= 1
    ? { key: 'train.batch', message: `${message}: a batch of up to ${maxBatch} would fit.` }
    : {
        key: 'model.hidden',
        message: `${message}, even with one sequence at a time: choose a smaller model or shorter sequences.`,
      };
}
