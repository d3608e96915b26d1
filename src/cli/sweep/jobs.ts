import type { Config } from '../../base/config.ts';
import type { Engine } from '../../engine/engine.ts';
import { engineLine } from '../../platform/names.ts';
import { openEngineWith, reopening } from '../../platform/node/engine.ts';
import type { Data } from '../../tasks/data-file.ts';
import { tryModel } from '../../train/model.ts';
import { recoveredWords } from '../../train/recovery.ts';
import { setup } from '../../train/setup.ts';
import type { CellResult, Measure } from '../../train/table.ts';
import type { EngineAsked } from '../arguments/engine.ts';
import { makeWritable } from '../files/write.ts';
import type { Io } from '../io/io.ts';
import { RunFolder } from '../run/folder.ts';
import { progressLine } from '../show/format.ts';
import type { StatusLine } from '../show/status-line.ts';
import { checkConfig, type Guide, readResult, runJob } from './job.ts';

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
  /** Ended by Ctrl-C: everything is saved. */
  stopped: boolean;
  /** Jobs claimed by other processes. */
  elsewhere: { key: string; by: string }[];
}

export interface Speaker {
  line: StatusLine;
  /** Called with every result, the earlier ones first: `fresh` are those of this process. */
  onResult(result: CellResult, done: number, fresh: boolean): void;
}

/**
 * Checks jobs, and their folder, before anything is begun.
 * @throws InputError where it cannot be written to, settings do not go together, or a job was begun with others
 */
export async function checkJobs(out: string, jobs: readonly Job[]): Promise<void> {
  await makeWritable(out);
  for (const { folder, config, data } of jobs) {
    setup(config, data);
    await checkConfig(folder, config);
  }
}

/**
 * Runs all jobs that are neither finished nor claimed by others. After a kill or an interrupt the same call resumes; a
 * process beside it takes other jobs.
 */
export async function runJobs(
  asked: EngineAsked,
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

  /** Returns false where another process has claimed the job. */
  const work = async (job: Job): Promise<boolean> => {
    const folder = await RunFolder.claim(job.folder);
    if ('by' in folder) {
      elsewhere.push({ key: job.key, by: folder.by });
      return false;
    }
    try {
      // Another process may have finished it in the meantime.
      const there = await readResult(job.folder, job.key);
      if (there) {
        take(there, false);
        return true;
      }
      if (!engine) {
        // With a model of the first job, so that an engine whose kernels do not compile is passed over.
        const opening = openEngineWith(asked.name, asked.options, on => tryModel(on, job.config, job.data));
        engine = (await opening).engine;
        line.print(engineLine(engine));
      }
      const result = await runJob(engine, folder, job.key, job.config, guide(job));
      if (result) take(result, true);
      else if (!stopped) elsewhere.push({ key: job.key, by: 'another process, which took it over' });
      return result !== undefined;
    } finally {
      await folder.release();
    }
  };
  const guide = (job: Job): Guide => ({
    measures: job.measures,
    data: job.data,
    follow: progress => line.follow(() => `${job.key}  ${progressLine(progress())}`),
    onStart(stop) {
      stopRun = stop;
      if (stopped) stop();
    },
    async reopen(lost) {
      engine = await reopening(asked.options)(lost);
      return engine;
    },
    onNote: words => line.print(`${job.key}: ${words}`),
    onRecovered: recovered => line.print(`${job.key}: ${recoveredWords(recovered)}`),
  });

  try {
    for (const { folder, key } of jobs) {
      const there = await readResult(folder, key);
      if (there) take(there, false);
    }
    // Repeated while a pass makes progress: other processes may have released what they had claimed.
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
