import { join } from 'node:path';
import { InputError, show, unknown } from '../../base/errors.ts';
import {
  measuredAt,
  measurementsOf,
  type RunResult,
  runsOf,
  shardOf,
  type TableRun,
} from '../../train/table.ts';
import { TABLES, type TableSpec } from '../../train/tables.ts';
import { command, JSON_OPTION } from '../arguments/command.ts';
import { ENGINE_OPTIONS, engineOf } from '../arguments/engine.ts';
import { writeAtomic } from '../files/write.ts';
import { EXIT } from '../io/io.ts';
import { duration, fixed, quote } from '../show/format.ts';
import { StatusLine } from '../show/status-line.ts';
import { type Report, reportOf } from '../show/table-data.ts';
import { markdownTable, plainTable } from '../show/table-report.ts';
import { readResult } from '../sweep/job.ts';
import { checkJobs, type Job, type Outcome, runJobs } from '../sweep/jobs.ts';
import { parseSeeds } from '../sweep/seeds.ts';

const SCALES = ['full', 'small'] as const;

export const table = command({
  name: 'table',
  operands: ['<paper|chomsky|cfl>'],
  summary:
    'Train and evaluate every cell of a published table (paper: Table 3 of Grefenstette et al. 2015; chomsky: Delétang et al. 2023; cfl: DuSell and Chiang 2020), and compare with the published results',
  notes: `Each run has its own folder in the output folder (default runs/table-<name>-<scale>). After an interruption, the same
command continues: finished runs are kept, the interrupted run is resumed. Several processes or machines may work in one
output folder: each claims runs that no other process has claimed. --shard 2/8 trains every eighth run, starting with the second.
--report prints the results so far, at any time. The results are also in table.json and table.md in the output folder.

  pushdown table paper --scale small
  pushdown table paper --scale small --only reverse/stack,copy/queue --seeds 10
  pushdown table chomsky --scale small
  pushdown table paper --shard 2/8 --out /shared/paper`,
  options: {
    ...ENGINE_OPTIONS,
    scale: {
      type: 'string',
      value: '<full|small>',
      help: 'sizes as published (default), or small enough for two CPU cores',
    },
    out: { type: 'string', value: '<folder>', help: 'output folder' },
    seeds: {
      type: 'string',
      value: '<n|from-to>',
      help: 'seeds of every cell: a number (10: seeds 0 to 9), or a range (3-7)',
    },
    only: { type: 'string', value: '<task/model,…>', help: 'only these tasks, models or cells' },
    shard: { type: 'string', value: '<i/n>', help: 'train only part i of n of the runs' },
    report: { type: 'boolean', help: 'print the results so far, without training' },
    set: { type: 'string', multiple: true, value: '<key=value>', help: 'change one setting of all runs' },
    json: JSON_OPTION,
  },
  async run([name], options, io) {
    const request = engineOf(options);
    const spec = specOf(name, options.scale ?? 'full');
    const only = options.only === undefined ? [] : options.only.split(',').map(word => word.trim());
    const sets = options.set ?? [];
    const seeds = options.seeds === undefined ? undefined : parseSeeds(options.seeds);
    const [i, n] = parseShard(options.shard ?? '1/1');
    if (options.out === '') throw new InputError('--out needs a folder name.');
    const out = options.out ?? join('runs', `table-${spec.name}-${spec.scale}`);
    const runs = runsOf(spec, { seeds, only, sets });
    const jobs = runs.map(
      ({ key, config }): Job => ({
        key,
        folder: join(out, key),
        config,
        measures: measurementsOf(config, spec),
      }),
    );

    const text = options.json ? io.stderr : io.stdout;
    const line = new StatusLine(text, Boolean(text.isTTY) && !options.json);
    let outcome: Pick<Outcome, 'stopped' | 'claimed'> = { stopped: false, claimed: [] };
    let failure: unknown;
    if (!options.report) {
      await checkJobs(out, jobs);
      const shard = shardOf(jobs, i, n);
      const runCount = `${shard.length} ${shard.length === 1 ? 'run' : 'runs'}`;
      text.write(`table ${spec.name}, scale ${spec.scale}: ${runCount} in ${out}\n`);
      try {
        outcome = await runJobs(request, shard, io, {
          line,
          onResult(result, done, isNew) {
            if (!isNew) return;
            if (options.json) io.stdout.write(`${JSON.stringify(result)}\n`);
            line.print(`[${done}/${shard.length}] ${runRow(result)}`);
          },
        });
      } catch (error) {
        failure = error;
      }
    }

    // table.json and table.md have the whole table, even if this process trained only a part of it.
    const report = await reportIn(out, spec, runs, sets);
    const whole = await reportIn(out, spec, runsOf(spec, { seeds, only: [], sets }), sets);
    if (whole.finished > 0) {
      await writeAtomic(join(out, 'table.json'), `${JSON.stringify(whole, null, 2)}\n`);
      await writeAtomic(join(out, 'table.md'), markdownTable(spec, whole));
    }
    if (options.json) io.stdout.write(`${JSON.stringify(report)}\n`);
    else text.write(`\n${plainTable(spec, report)}`);
    if (failure) throw failure;
    for (const { key, by } of outcome.stopped ? [] : outcome.claimed)
      text.write(`${key} is being trained by ${by}\n`);
    if (outcome.stopped) text.write(`stopped and saved in ${quote(out)}: the same command continues\n`);
    return outcome.stopped ? EXIT.interrupted : 0;
  },
});

function specOf(name: string, scale: string): TableSpec {
  const names = [...new Set(TABLES.map(table => table.name))];
  if (!names.some(known => known === name)) unknown('table', name, names);
  if (!SCALES.some(known => known === scale)) unknown('scale', scale, SCALES);
  return TABLES.find(table => table.name === name && table.scale === scale)!;
}

/** Parses the value of --shard. @throws InputError unless it is i/n with 1 ≤ i ≤ n */
function parseShard(text: string): [number, number] {
  const found = /^\s*(\d{1,6})\s*\/\s*(\d{1,6})\s*$/.exec(text);
  const [i, n] = found ? [Number(found[1]), Number(found[2])] : [0, 0];
  if (i < 1 || i > n)
    throw new InputError(`--shard takes i/n with i from 1 to n, for example 2/8, got ${show(text)}.`);
  return [i, n];
}

/** The report on these runs, from the results in the output folder. */
async function reportIn(
  out: string,
  spec: TableSpec,
  runs: readonly TableRun[],
  sets: readonly string[],
): Promise<Report> {
  const results: RunResult[] = [];
  for (const { key } of runs) {
    const result = await readResult(join(out, key), key);
    if (result) results.push(result);
  }
  return reportOf(spec, runs, results, sets, new Date());
}

/** A line about a finished run: its coarse, fine and symbol accuracy in each measurement, how it ended, and its time. */
function runRow(result: RunResult): string {
  const accuracies = (name: 'train' | 'test' | 'far'): string | undefined => {
    const measured = measuredAt(result, name);
    if (!measured) return undefined;
    return `${name} ${fixed(measured.coarse, 2)}/${fixed(measured.fine, 2)}/${fixed(measured.accuracy, 2)}`;
  };
  const all = [accuracies('train'), accuracies('test'), accuracies('far')].filter(Boolean).join(' → ');
  return `${result.key}: ${all}, ${result.ending} at step ${result.step}, ${duration(result.total)}`;
}
