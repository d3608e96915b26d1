/** `train --seeds`: trains one configuration with several seeds, and counts the successes. */
import { join } from 'node:path';
import { assign, type Config } from '../../base/config.ts';
import { InputError, show } from '../../base/errors.ts';
import { spread } from '../../base/spread.ts';
import type { Data } from '../../tasks/data-file.ts';
import { withVocabulary } from '../../train/setup.ts';
import { bestOf, isSuccess, measuredAt, measurementsOf, type RunResult } from '../../train/table.ts';
import { dataOf } from '../arguments/data.ts';
import type { EngineRequest } from '../arguments/engine.ts';
import { EXIT, type Io } from '../io/io.ts';
import { dataNotes } from '../run/notes.ts';
import { table } from '../show/columns.ts';
import { duration, fixed, quote } from '../show/format.ts';
import { StatusLine } from '../show/status-line.ts';
import { configIn } from './job.ts';
import { checkJobs, type Job, runJobs } from './jobs.ts';

const MAX_SEEDS = 10_000;
/** A seed succeeds if nearly all sequences are correct in every symbol in the final test. */
const SUCCESS = { score: 'coarse', successAt: 0.99, successOn: 'test' } as const;

/**
 * Parses the value of --seeds: a number of seeds (`10`: seeds 0 to 9), or the first and the last seed (`3-7`, `4-4`).
 * @throws InputError for anything else
 */
export function parseSeeds(text: string): number[] {
  const range = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(text);
  const alone = /^\s*(\d+)\s*$/.exec(text);
  if (!range && !alone) {
    throw new InputError(
      `--seeds takes a number of seeds or a range, for example 10 or 0-9, got ${show(text)}.`,
    );
  }
  const [low, high] = range ? [Number(range[1]), Number(range[2])] : [0, Number(alone![1]) - 1];
  if (high < low) {
    throw new InputError(
      range
        ? `--seeds: the range ${show(text.trim())} goes backwards, write ${high}-${low}.`
        : '--seeds must be at least 1, got 0.',
    );
  }
  if (!Number.isSafeInteger(high)) {
    throw new InputError(`--seeds must end below 2^53, got ${show(text.trim())}.`);
  }
  if (high - low >= MAX_SEEDS) {
    throw new InputError(`--seeds must be at most ${MAX_SEEDS} seeds, got ${show(text.trim())}.`);
  }
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

/**
 * Trains all seeds in <out>/seed0, <out>/seed1 … Seeds that are finished are not trained again. Returns the exit code.
 */
export async function trainSeeds(
  { config, data, seeds, out }: { config: Config; data?: Data; seeds: readonly number[]; out: string },
  { engine, json }: { engine: EngineRequest; json: boolean },
  io: Io,
): Promise<number> {
  const request = await withSplitOfFolders(
    { config, data },
    seeds.map(seed => join(out, `seed${seed}`)),
  );
  const jobs = seeds.map((seed): Job => {
    const seeded = assign(request.config, [`seed=${seed}`]);
    const key = `seed${seed}`;
    return {
      key,
      folder: join(out, key),
      config: seeded,
      data: request.data,
      measures: measurementsOf(seeded),
    };
  });
  await checkJobs(out, jobs);
  const output = json ? io.stderr : io.stdout;
  for (const note of request.data ? dataNotes(request.config, request.data) : []) output.write(`${note}\n`);
  const line = new StatusLine(output, Boolean(output.isTTY) && !json);
  const { results, stopped, claimed } = await runJobs(engine, jobs, io, {
    line,
    onResult(result, _done, isNew) {
      if (json) io.stdout.write(`${JSON.stringify(result)}\n`);
      else line.print(seedRow(result, isNew));
    },
  });
  const summary = summaryOf(results, seeds.length);
  if (json) io.stdout.write(`${JSON.stringify({ kind: 'result', ...summary, out, stopped })}\n`);
  else if (results.length > 0) output.write(`\n${summaryText(summary)}\n`);
  for (const { key, by } of stopped ? [] : claimed) output.write(`${key} is being trained by ${by}\n`);
  if (stopped) output.write(`stopped and saved in ${quote(out)}: the same command continues\n`);
  return stopped ? EXIT.interrupted : 0;
}

interface Configured {
  config: Config;
  data?: Data;
}

/**
 * If the runs in these folders split their data by another rule (runs from before `hash` was the default use `rank`),
 * all seeds use that rule, and the held-out share and vocabulary of those runs.
 */
async function withSplitOfFolders(
  { config, data }: Configured,
  folders: readonly string[],
): Promise<Configured> {
  for (const folder of data ? folders : []) {
    const stored = await configIn(folder);
    if (!stored) continue;
    if (stored.task.name !== config.task.name || stored.task.splitBy === config.task.splitBy) break;
    const { splitBy, heldOut, sourceSymbols, targetSymbols } = stored.task;
    const task = { ...config.task, splitBy, heldOut, sourceSymbols, targetSymbols };
    const split = (await dataOf({ ...config, task }, folder))!;
    return { config: withVocabulary({ ...config, task }, split), data: split };
  }
  return { config, data };
}

function seedRow(result: RunResult, isNew: boolean): string {
  const test = measuredAt(result, 'test')!;
  const restarts = result.restarts ? `, restarts: ${result.restarts}` : '';
  return (
    `seed ${result.seed}: coarse ${fixed(test.coarse, 3)}, fine ${fixed(test.fine, 3)}, symbols ${fixed(test.accuracy, 3)} ` +
    `at ${lengths(test)}; ${result.ending} at step ${result.step}${restarts}, ${duration(result.seconds)}${isNew ? '' : ' (earlier)'}`
  );
}

const lengths = ({ low, high }: { low: number; high: number }): string =>
  low === high ? `length ${high}` : `lengths ${low} to ${high}`;

function summaryOf(results: readonly RunResult[], seeds: number) {
  const tests = results.map(result => measuredAt(result, 'test')!);
  const mean = (key: 'coarse' | 'fine' | 'accuracy') =>
    tests.length ? tests.reduce((sum, test) => sum + test[key], 0) / tests.length : Number.NaN;
  const best = bestOf(SUCCESS, results);
  return {
    seeds,
    finished: results.length,
    successes: results.filter(result => isSuccess(SUCCESS, result)).length,
    at: tests[0] && { low: tests[0].low, high: tests[0].high },
    mean: { coarse: mean('coarse'), fine: mean('fine'), accuracy: mean('accuracy') },
    best: best && { seed: best.seed, ...measuredAt(best, 'test') },
    medianSeconds: results.length ? spread(results.map(({ seconds }) => seconds)).median : Number.NaN,
  };
}

function summaryText({
  successes,
  finished,
  at,
  mean,
  best,
  medianSeconds,
}: ReturnType<typeof summaryOf>): string {
  const row = (name: string, means: { coarse: number; fine: number; accuracy: number }) => [
    name,
    fixed(means.coarse, 3),
    fixed(means.fine, 3),
    fixed(means.accuracy, 3),
  ];
  const rows = [
    ['', 'coarse', 'fine', 'symbols'],
    row('mean', mean),
    ...(best ? [row(`seed ${best.seed}, best at trained lengths`, best as typeof mean)] : []),
  ];
  return (
    `success (coarse ${SUCCESS.successAt} or better at ${at ? lengths(at) : '–'}): ${successes} of ${finished} seeds, ` +
    `median time of a run ${duration(medianSeconds)}\n\n${table(rows)}`
  );
}
