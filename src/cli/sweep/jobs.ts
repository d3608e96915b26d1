import type { Config } from '../../base/config.ts';
import type { Engine } from '../../engine/engine.ts';
import { engineLine } from '../../platform/names.ts';
import { openEngineWith, reopening } from '../../platform/node/engine.ts';
import type { Data } from '../../tasks/data-file.ts';
import { tryModel } from '../../train/model.ts';
import { recoveredText } from '../../train/recovery.ts';
import { setup } from '../../train/setup.ts';
import type { Measurement, RunResult } from '../../train/table.ts';
import type { EngineRequest } from '../arguments/engine.ts';
import { makeWritable } from '../files/write.ts';
import type { Io } from '../io/io.ts';
import { RunFolder } from '../run/folder.ts';
import { progressLine } from '../show/format.ts';
import type { StatusLine } from '../show/status-line.ts';
import { checkConfig, type JobHooks, readResult, runJob } from './job.ts';

/** A run of a sweep. */
export interface Job {
  key: string;
  folder: string;
  config: Config;
  /** For task `data`. */
  data?: Data;
  measures: readonly Measurement[];
}

export interface Outcome {
  /** The results of all finished jobs, in the order of the jobs. */
  results: RunResult[];
  /** Whether Ctrl-C ended the sweep. The interrupted run is saved. */
  stopped: boolean;
  /** Jobs claimed by other processes. */
  claimed: { key: string; by: string }[];
}

/** Receives the reports of a sweep. */
export interface Listener {
  line: StatusLine;
  /**
   * Called with every result.
   * @param done the number of finished jobs
   * @param isNew whether this process trained the run; otherwise its result was found in its folder
   */
  onResult(result: RunResult, done: number, isNew: boolean): void;
}

/**
 * Checks the output folder and all jobs before the first job starts.
 * @throws InputError if the folder cannot be written to, settings contradict each other, or the folder of a job has a run with
 * other settings
 */
export async function checkJobs(out: string, jobs: readonly Job[]): Promise<void> {
  await makeWritable(out);
  for (const { folder, config, data } of jobs) {
    setup(config, data);
    await checkConfig(folder, config);
  }
}

/**
 * Runs all jobs that are neither finished nor claimed by other processes. After a kill or an interrupt, the same call
 * resumes. Several processes may make the same call: each takes different jobs.
 */
export async function runJobs(
  request: EngineRequest,
  jobs: readonly Job[],
  io: Io,
  { line, onResult }: Listener,
): Promise<Outcome> {
  const results = new Map<string, RunResult>();
  let claimed: Outcome['claimed'] = [];
  let stopped = false;
  let engine: Engine | undefined;
  let stopRun = (): void => {};
  const release = io.onInterrupt(() => {
    stopped = true;
    stopRun();
  });
  const addResult = (result: RunResult, isNew: boolean): void => {
    results.set(result.key, result);
    onResult(result, results.size, isNew);
  };

  /**
   * Runs a job, or takes its result if it is finished. Returns false if it was stopped or another process has claimed
   * it.
   */
  const runOrSkip = async (job: Job): Promise<boolean> => {
    const folder = await RunFolder.claim(job.folder);
    if ('by' in folder) {
      claimed.push({ key: job.key, by: folder.by });
      return false;
    }
    try {
      // Another process may have finished it in the meantime.
      const finished = await readResult(job.folder, job.key);
      if (finished) {
        addResult(finished, false);
        return true;
      }
      if (!engine) {
        // The model of the first job is tried, so that an engine whose kernels do not compile is not used.
        const opened = await openEngineWith(request.name, request.options, candidate =>
          tryModel(candidate, job.config, job.data),
        );
        engine = opened.engine;
        line.print(engineLine(engine));
      }
      const result = await runJob(engine, folder, job.key, job.config, hooksOf(job));
      if (result) addResult(result, true);
      else if (!stopped) claimed.push({ key: job.key, by: 'another process, which took it over' });
      return result !== undefined;
    } finally {
      await folder.release();
    }
  };
  const hooksOf = (job: Job): JobHooks => ({
    measures: job.measures,
    data: job.data,
    follow: progress => line.follow(() => `${job.key}  ${progressLine(progress())}`),
    onStart(stop) {
      stopRun = stop;
      if (stopped) stop();
    },
    async reopen(lost) {
      engine = await reopening(request.options)(lost);
      return engine;
    },
    onNote: note => line.print(`${job.key}: ${note}`),
    onRecovered: recovered => line.print(`${job.key}: ${recoveredText(recovered)}`),
  });

  try {
    for (const { folder, key } of jobs) {
      const finished = await readResult(folder, key);
      if (finished) addResult(finished, false);
    }
    // Repeated as long as a round finishes a job: other processes may have released jobs in the meantime.
    for (let progress = true; progress && !stopped; ) {
      progress = false;
      claimed = [];
      for (const job of jobs) {
        if (stopped) break;
        if (!results.has(job.key) && (await runOrSkip(job))) progress = true;
      }
      if (claimed.length === 0) break;
    }
  } finally {
    release();
    line.end();
    engine?.destroy();
  }
  return { results: jobs.flatMap(({ key }) => results.get(key) ?? []), stopped, claimed };
}
