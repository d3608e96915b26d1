/** The regression gate, `npm run bench:check`: compares short cases with the baseline of this adapter. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DeviceError, firstLineOf, InputError } from '../src/base/errors.ts';
import { createReferenceEngine } from '../src/engine/reference.ts';
import { copyBytes, openCopy } from './cases/adapter.ts';
import { type Bench, opened } from './cases/case.ts';
import { type CheckCase, checkCases } from './cases/check.ts';
import { selectCases } from './cases/index.ts';
import {
  type Baseline,
  isFailure,
  type Judgement,
  judge,
  parseBaseline,
  type Ratios,
  remarksOf,
  rowsOf,
} from './gate.ts';
import { sample, slug, spread, table, timed } from './measure.ts';
import { countOption, FOLDER, machine, machineLine, needAdapter, saveText } from './node.ts';
import { adapterLine } from './report.ts';
import { openBench } from './suite.ts';
import { passesFor, sampleWork, type Warm, type Workload, warmUp } from './work.ts';

const SAMPLES = 21;
const MIN_SAMPLES = 5;
/** Maximum number of passes of the reference per sample. */
const MAX_REFERENCE_PASSES = 4096;
/** Warm-up of the reference before it is timed. */
const WARM_UP_MS = 500;
/** vec4f moved by each invocation of the copy. */
const COPIED = 64;

const HELP = `npm run bench:check -- [options]
  Measures short cases, each as two ratios: to the float64 reference on this processor, and to a plain copy on this
  adapter. Compares them with bench/results/check-<adapter>.json. A case fails when both ratios have grown by more than
  25 %; if only one has, it is a warning. A case that fails is measured a second time before the failure counts. If
  quartiles then overlap with those of the baseline, the failure is called unclear: the machine may have been busy.
  --accept         write the new baseline from this measurement instead
  --only <text>    only cases whose names contain this; may be repeated
  --samples <n>    samples per case (default ${SAMPLES}, at least ${MIN_SAMPLES})
Exit code 1: a case failed, is unclear, or could not be measured. 2: no baseline for this adapter, or wrong options.`;

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      accept: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      samples: { type: 'string', default: String(SAMPLES) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const samples = countOption('samples', values.samples, MIN_SAMPLES);
  if (values.accept && values.only.length) {
    throw new InputError('--accept writes the baseline of all cases: leave --only out.');
  }
  const cases = selectCases<CheckCase & { full?: boolean }>(checkCases(), values);
  const host = machine();
  const bench = await openBench({ find: needAdapter, samples, peers: [] });
  const { adapter } = bench;
  const file = `check-${slug(adapter.name)}.json`;
  const baseline = values.accept ? undefined : findBaseline(file, adapter.name);
  console.log(
    `${cases.length} cases, ${samples} samples each\n${adapterLine(bench.suiteAdapter)}\non ${machineLine(host)}`,
  );
  if (baseline) console.log(`baseline of ${baseline.date.slice(0, 10)}${otherMachine(baseline, host)}`);
  if (host.load > host.cores)
    console.log('This machine is busy, so the verdicts are unreliable: run again when it is quiet.');
  const judgements: Judgement[] = [];
  for (const [k, checkCase] of cases.entries()) {
    process.stderr.write(`[${k + 1}/${cases.length}] ${checkCase.name}\n`);
    const now = await ratiosOf(checkCase, bench);
    const first = judge(now, baseline ?? { cases: [] });
    // A failure may be due to other load on the machine, so it is measured again.
    judgements.push(isFailure(first.verdict) ? judge(await ratiosOf(checkCase, bench), baseline!) : first);
  }
  bench.engine.destroy();
  console.log(`\n${table(rowsOf(judgements, baseline !== undefined))}`);
  if (!baseline) {
    const newBaseline: Baseline = {
      benchmark: 'check',
      date: new Date().toISOString(),
      adapter,
      machine: host,
      cases: judgements.map(({ now }) => now),
    };
    console.log(`\nwritten: ${saveText(file, `${JSON.stringify(newBaseline, undefined, 1)}\n`)}`);
    return 0;
  }
  return printResult(judgements, baseline, values.only.length > 0);
}

/** Prints the result. Returns the exit code. @param partial true if --only has left out cases */
function printResult(judgements: readonly Judgement[], { cases }: Baseline, partial: boolean): number {
  const missing = cases.flatMap(({ name }) =>
    judgements.some(({ now }) => now.name === name) ? [] : [name],
  );
  const remarks = remarksOf(judgements, partial ? [] : missing);
  if (remarks.length) console.log(`\n${remarks.join('\n')}`);
  const failed = judgements.filter(({ verdict }) => isFailure(verdict)).length;
  if (failed === 0) {
    console.log(`\nok: ${judgements.length} cases, none slower than the baseline allows.`);
    return 0;
  }
  console.error(
    `\n${failed} of ${judgements.length} cases FAILED or are unclear. If the slowdown is intended, write a new baseline with ` +
      'npm run bench:check -- --accept.',
  );
  return 1;
}

/** Reads the baseline. @throws InputError if there is none: exit code 2 */
function findBaseline(file: string, adapter: string): Baseline {
  const path = join(FOLDER, file);
  if (existsSync(path)) return parseBaseline(readFileSync(path, 'utf8'), path);
  throw new InputError(
    `no baseline for ${adapter}: ${path} does not exist. Check out a version without slowdowns and, on a quiet machine, ` +
      'create a baseline with npm run bench:check -- --accept.',
  );
}

/**
 * A remark if the baseline was measured on another machine: ratios to the
 * reference compare the adapter with the processor, so they differ there.
 */
function otherMachine({ machine: then }: Baseline, now: ReturnType<typeof machine>): string {
  const { processor, cores } = then as Partial<typeof now>;
  if (processor === now.processor && cores === now.cores) return '';
  return `, on ${cores} cores of ${processor}: another machine, expect warnings`;
}

/**
 * Samples the case, the reference and the copy in turn. Each ratio is taken between samples of the same round.
 */
async function ratiosOf(checkCase: CheckCase, bench: Bench): Promise<Ratios> {
  const cpu = createReferenceEngine();
  const open: { destroy(): void }[] = [cpu];
  const destroyLater = <T extends { destroy(): void }>(resource: T): T => {
    open.unshift(resource);
    return resource;
  };
  try {
    const work = destroyLater(await opened(bench, () => checkCase.ours(bench)));
    // Smaller on a software adapter, so that a sample does not take seconds.
    const bytes = copyBytes(bench.gpu) / (bench.gpu.profile.name === 'software' ? 8 : 1);
    const copy = destroyLater(await opened(bench, () => openCopy(bench.gpu, bytes, COPIED)));
    const reference = destroyLater(await checkCase.reference(cpu));
    const warm = [await warmUp(work), await warmUp(copy)];
    const timeReference = (passes: number): Promise<number> =>
      timed(async () => {
        for (let k = 0; k < passes; k++) await reference.pass();
      });
    // Runs until the JIT has optimised the reference; before that its speed varies at random.
    for (let ms = 0; ms < WARM_UP_MS; ) ms += await timeReference(1);
    const passes = await passesFor(timeReference, MAX_REFERENCE_PASSES);
    const samplerOf =
      (work: Workload, { passes }: Warm) =>
      async () =>
        (await sampleWork(work, passes)).ms;
    const [ours, references, copies] = await sample(bench.samples, [
      samplerOf(work, warm[0]),
      async () => (await timeReference(passes)) / passes,
      samplerOf(copy, warm[1]),
    ]);
    bench.gpu.check();
    return {
      name: checkCase.name,
      how: work.how,
      ms: spread(ours).median,
      reference: spread(ours.map((ms, i) => ms / references[i])),
      copy: spread(ours.map((ms, i) => ms / copies[i])),
    };
  } catch (error) {
    throw new DeviceError(`${checkCase.name} could not be measured: ${firstLineOf(error)}`);
  } finally {
    for (const resource of open) resource.destroy();
  }
}
