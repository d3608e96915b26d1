import { join } from 'node:path';
import { InputError, show, unknown } from '../../base/errors.ts';
import { type Cell, type CellResult, cellsOf, measuredAt, measuresOf, shardOf } from '../../train/table.ts';
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
    "Train and evaluate every cell of the paper's table (or of the Chomsky tasks, or of context-free languages), beside what is published",
  notes: `Each run has a folder of its own in the output folder (default runs/table-<name>-<scale>). The same command again
goes on where it was: finished runs are kept, the one that was interrupted is resumed. Several processes or
machines may work on one folder, each taking what no other has; --shard 2/8 is the second eighth of all runs.
--report prints what there is at any time. table.json and table.md in the folder have the result.

  pushdown table paper --scale small
  pushdown table paper --scale small --only reverse/stack,copy/queue --seeds 10
  pushdown table chomsky --scale small
  pushdown table paper --shard 2/8 --out /shared/paper`,
  options: {
    ...ENGINE_OPTIONS,
    scale: { type: 'string', value: '<full|small>', help: 'sizes as published (default), or for two cores' },
    out: { type: 'string', value: '<folder>', help: 'where runs and results are kept' },
    seeds: { type: 'string', value: '<n|from-to>', help: 'runs of every cell' },
    only: { type: 'string', value: '<task/model,…>', help: 'these tasks, models or cells alone' },
    shard: { type: 'string', value: '<i/n>', help: 'the i-th of n parts of the runs' },
    report: { type: 'boolean', help: 'train nothing, print what there is' },
    set: { type: 'string', multiple: true, value: '<key=value>', help: 'change one setting of all runs' },
    json: JSON_OPTION,
  },
  async run([name], options, io) {
    const asked = engineOf(options);
    const spec = specOf(name, options.scale ?? 'full');
    const only = options.only === undefined ? [] : options.only.split(',').map(word => word.trim());
    const sets = options.set ?? [];
    const seeds = options.seeds === undefined ? undefined : parseSeeds(options.seeds);
    const [i, n] = parseShard(options.shard ?? '1/1');
    if (options.out === '') throw new InputError('--out needs the name of a folder.');
    const out = options.out ?? join('runs', `table-${spec.name}-${spec.scale}`);
    const cells = cellsOf(spec, { seeds, only, sets });
    const jobs = cells.map(
      (cell): Job => ({
        key: cell.key,
        folder: join(out, cell.key),
        config: cell.config,
        measures: measuresOf(cell.config, spec),
      }),
    );

    const text = options.json ? io.stderr : io.stdout;
    const line = new StatusLine(text, Boolean(text.isTTY) && !options.json);
    let outcome: Pick<Outcome, 'stopped' | 'elsewhere'> = { stopped: false, elsewhere: [] };
    let failure: unknown;
    if (!options.report) {
      await checkJobs(out, jobs);
      const mine = shardOf(jobs, i, n);
      text.write(`table ${spec.name}, scale ${spec.scale}: ${mine.length} runs in ${out}\n`);
      try {
        outcome = await runJobs(asked, mine, io, {
          line,
          onResult(result, done, fresh) {
            if (!fresh) return;
            if (options.json) io.stdout.write(`${JSON.stringify(result)}\n`);
            line.print(`[${done}/${mine.length}] ${cellRow(result)}`);
          },
        });
      } catch (error) {
        failure = error;
      }
    }

    // The files are of the whole table, whatever part of it this process was asked for.
    const report = await reportIn(out, spec, cells, sets);
    const whole = await reportIn(out, spec, cellsOf(spec, { seeds, only: [], sets }), sets);
    if (whole.finished > 0) {
      await writeAtomic(join(out, 'table.json'), `${JSON.stringify(whole, null, 2)}\n`);
      await writeAtomic(join(out, 'table.md'), markdownTable(spec, whole));
    }
    if (options.json) io.stdout.write(`${JSON.stringify(report)}\n`);
    else text.write(`\n${plainTable(spec, report)}`);
    if (failure) throw failure;
    for (const { key, by } of outcome.stopped ? [] : outcome.elsewhere)
      text.write(`${key} is being run by ${by}\n`);
    if (outcome.stopped) text.write(`stopped and saved in ${quote(out)}: the same command goes on\n`);
    return outcome.stopped ? EXIT.interrupted : 0;
  },
});

function specOf(name: string, scale: string): TableSpec {
  const names = [...new Set(TABLES.map(one => one.name))];
  if (!names.some(one => one === name)) unknown('table', name, names);
  if (!SCALES.some(one => one === scale)) unknown('scale', scale, SCALES);
  return TABLES.find(one => one.name === name && one.scale === scale)!;
}

/** @throws InputError unless it is i/n with 1 ≤ i ≤ n */
function parseShard(text: string): [number, number] {
  const found = /^\s*(\d{1,6})\s*\/\s*(\d{1,6})\s*$/.exec(text);
  const [i, n] = found ? [Number(found[1]), Number(found[2])] : [0, 0];
  if (i < 1 || i > n)
    throw new InputError(`--shard takes i/n with i from 1 to n, for example 2/8, got ${show(text)}.`);
  return [i, n];
}

async function reportIn(
  out: string,
  spec: TableSpec,
  cells: readonly Cell[],
  sets: readonly string[],
): Promise<Report> {
  const results: CellResult[] = [];
  for (const { key } of cells) {
    const result = await readResult(join(out, key), key);
    if (result) results.push(result);
  }
  return reportOf(spec, cells, results, sets, new Date());
}

function cellRow(result: CellResult): string {
  const shares = (name: 'train' | 'test' | 'far'): string | undefined => {
    const one = measuredAt(result, name);
    return one && `${name} ${fixed(one.coarse, 2)}/${fixed(one.fine, 2)}/${fixed(one.accuracy, 2)}`;
  };
  const all = [shares('train'), shares('test'), shares('far')].filter(Boolean).join(' → ');
  return `${result.key}: ${all}, ${result.ending} at step ${result.step}, ${duration(result.total)}`;
}
