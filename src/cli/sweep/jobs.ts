/** Many runs, one after the other, in folders that other processes may work on as well. */
import { mkdir } from 'node:fs/promises';
import type { Config } from '../../base/config.ts';
import type { Engine } from '../../engine/engine.ts';
import { engineLine } from '../../platform/names.ts';
import type { Data } from '../../tasks/data-file.ts';
import { recoveredWords } from '../../train/recovery.ts';
import { setup } from '../../train/setup.ts';
import type { CellResult, Measure } from '../../train/table.ts';
import type { Io } from '../arguments/command.ts';
import { type Claim, claimFolder } from '../files/claim.ts';
import { progressLine } from '../show/format.ts';
import type { StatusLine } from '../show/training.ts';
import { checkConfig, type Guide, readResult, runCell } from './job.ts';

export interface Job {
  key: string;
  folder: string;
  config: Config;
  /** Your own data, where the task is that. */
  data?: Data;
  measures: readonly Measure[];
}

export interface Outcome {
  /** Of all jobs that are finished, in their order. */
  results: CellResult[];
  /** Ended by Ctrl-C, all that was done being saved. */
  stopped: boolean;
  /** Jobs that others are at. */
  elsewhere: { key: string; by: string }[];
}

export interface Speaker {
  line: StatusLine;
  /** Is told of every result, the earlier ones first: `fresh` are those of this process. */
  onResult(result: CellResult, done: number, fresh: boolean): void;
}

/**
 * Checks jobs before anything is begun.
 * @throws InputError where settings do not go together, or the folder was begun with others
 */
export async function checkJobs(jobs: readonly Job[]): Promise<void> {
  for (const { folder, config, data } of jobs) {
    setup(config, data);
    await checkConfig(folder, config);
  }
}

/**
 * Runs all jobs that are not finished, nor claimed by others. Who is killed or interrupted and called again goes on
 * where it was; who is called beside it takes other jobs.
 * @param openEngine gets the engine whose device was lost, where one was
 */
export async function runJobs(
  openEngine: (lost?: Engine) => Promise<Engine>,
  jobs: readonly Job[],
  io: Io,
  { line, onResult }: Speaker,
): Promise<Outcome> {
  const results = new Map<string, CellResult>();
  let elsewhere: Outcome['elsewhere'] = [];
  let stopped = false;
  let engine: Engine | undefined;
  let stopRun = (): void => {};
  const release = io.onInterrupt(() => {
    stopped = true;
    stopRun();
  });
  const take = (result: CellResult, fresh: boolean): void => {
    results.set(result.key, result);
    onResult(result, results.size, fresh);
  };

  /** False where another is at it. */
  const work = async (job: Job): Promise<boolean> => {
    await mkdir(job.folder, { recursive: true });
    const claim = await claimFolder(job.folder);
    if ('by' in claim) {
      elsewhere.push({ key: job.key, by: claim.by });
      return false;
    }
    try {
      // Another may have finished it while this one looked.
      const there = await readResult(job.folder, job.key);
      if (there) {
        take(there, false);
        return true;
      }
      if (!engine) {
        engine = await openEngine();
        line.print(engineLine(engine));
      }
      const result = await runCell(engine, job.folder, job.key, job.config, guide(job, claim));
      if (result) take(result, true);
      else if (!stopped) elsewhere.push({ key: job.key, by: 'another process, which took it over' });
      return result !== undefined;
    } finally {
      await claim.release();
    }
  };
  const guide = (job: Job, claim: Claim): Guide => ({
    measures: job.measures,
    data: job.data,
    follow: progress => line.follow(() => `${job.key}  ${progressLine(progress())}`),
    onStart(stop) {
      stopRun = stop;
      claim.onLost(stop);
      if (stopped) stop();
    },
    mayWrite: () => claim.held(),
    async reopen(lost) {
      engine = await openEngine(lost);
      return engine;
    },
    onRecovered: recovered => line.print(`${job.key}: ${recoveredWords(recovered)}`),
  });

  try {
    for (const { folder, key } of jobs) {
      const there = await readResult(folder, key);
      if (there) take(there, false);
    }
    // Again and again, as long as it leads somewhere: others may have given up what they had claimed.
    for (let progress = true; progress && !stopped; ) {
      progress = false;
      elsewhere = [];
      for (const job of jobs) {
        if (stopped) break;
        if (!results.has(job.key) && (await work(job))) progress = true;
      }
      if (elsewhere.length === 0) break;
    }
  } finally {
    release();
    line.end();
    engine?.destroy();
  }
  return { results: jobs.flatMap(({ key }) => results.get(key) ?? []), stopped, elsewhere };
}
