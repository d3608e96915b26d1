import { cpus, release as osRelease } from 'node:os';
import { DeviceError, InputError, messageOf, show } from '../../base/errors.ts';
import { type DeviceReport, type FindAdapter, isHealthy, type Limits } from '../../doctor/examine.ts';
import { findAdapter, release, searchText } from '../../platform/node/adapter.ts';
import { openEngine } from '../../platform/node/engine.ts';
import { command, JSON_OPTION } from '../arguments/command.ts';
import { EXIT } from '../io/io.ts';
import { packageVersion } from '../io/version.ts';

export const doctor = command({
  name: 'doctor',
  operands: [],
  summary: 'Check and time every WebGPU adapter and the CPU engine, and print a report for an issue',
  notes: `Compares all memories, and models of every controller, with the float64 reference, under each device profile that
the adapter can use; then times training steps and a memory. Takes about two minutes per adapter. The report
is on stdout, progress on stderr. Ctrl-C ends the check and prints the results so far. The exit code is 1 if a check fails.

  pushdown doctor > report.md`,
  options: {
    seconds: {
      type: 'string',
      value: '<n>',
      help: 'time limit in seconds for the checks of an adapter, and the same again for its timings (default 60)',
    },
    json: JSON_OPTION,
  },
  async run(_operands, options, io) {
    const reports: DeviceReport[] = [];
    const missing: string[] = [];
    const failed: string[] = [];
    const limits: Limits = {
      seconds: secondsOf(options.seconds ?? '60'),
      onProgress: what => io.stderr.write(`${what}\n`),
      onReport: report => reports.push(report),
    };
    let stopListening = (): void => undefined;
    const interrupted = new Promise<true>(resolve => {
      stopListening = io.onInterrupt(() => resolve(true));
    });
    // A check in progress cannot be stopped: the program exits without waiting for it.
    const ended = await Promise.race([interrupted, examineAll(limits, missing, failed)]);
    stopListening();
    if (ended) missing.push('interrupted: the checks after the last one in this report were not run');

    const processors = cpus();
    const environment = [
      `${new Date().toISOString().slice(0, 10)}, pushdown ${packageVersion()}, Node ${process.versions.node}, ${process.platform} ${process.arch} ${osRelease()}`,
      `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}`,
      ...missing,
      ...failed,
    ];
    if (options.json) io.stdout.write(`${JSON.stringify({ environment, reports })}\n`);
    else {
      const { reportText } = await import('../../doctor/report.ts');
      io.stdout.write(reportText(environment, reports));
    }
    if (ended) return EXIT.interrupted;
    return failed.length === 0 && reports.every(isHealthy) ? 0 : EXIT.device;
  },
});

/**
 * Examines all adapters and the CPU engine.
 * @param missing gets a line for each kind of adapter that is not found
 * @param failed gets a line for each adapter that cannot be examined
 */
async function examineAll(limits: Limits, missing: string[], failed: string[]): Promise<void> {
  const { examineAdapter, examineEngine } = await import('../../doctor/examine.ts');
  for (const kind of ['gpu', 'software'] as const) {
    // Dawn's instances, to be released after the adapter is examined.
    const instances: Parameters<typeof release>[0][] = [];
    const find: FindAdapter = async () => {
      const search = await findAdapter({ only: kind });
      const { found } = search;
      if (!found) throw new DeviceError(searchText(search));
      instances.push(found.gpu);
      return found;
    };
    try {
      await examineAdapter(find, limits);
    } catch (error) {
      const name = kind === 'gpu' ? 'GPU' : 'software adapter';
      if (instances.length > 0) failed.push(`${name}, not examined: ${messageOf(error)}`);
      else missing.push(`no ${name}: ${messageOf(error)}`);
    } finally {
      for (const gpu of instances) release(gpu);
    }
  }
  await examineEngine(await openEngine('cpu'), limits);
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds > 0 && seconds <= 3600) return seconds;
  throw new InputError(`--seconds must be a number greater than 0 and at most 3600, got ${show(text)}.`);
}
