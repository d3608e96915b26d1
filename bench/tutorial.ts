/**
 * Compares training of the tutorial's part 5 at source length exactly 10 (T = 20) in
 * pushdown and in plain NumPy (bench/numpy_tutorial.py). Both are sampled in turn, in
 * time steps per second. There is no padding, because all sequences have the same length.
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import type { Config } from '../src/base/config.ts';
import { DeviceError, messageOf } from '../src/base/errors.ts';
import type { Engine } from '../src/engine/engine.ts';
import { engineLine, engineName } from '../src/platform/names.ts';
import { openEngine } from '../src/platform/node/engine.ts';
import { trainingBatch } from '../src/train/model.ts';
import { preset } from '../src/train/presets.ts';
import { initialState, setup } from '../src/train/setup.ts';
import { figure, figures, sample, spread, table } from './measure.ts';
import { countOption, machine, numberOption, save } from './node.ts';

const LENGTH = 10;
/** Default batch sizes: the tutorial's own, and one that uses a device better. */
const BATCHES = ['10', '128'];
/** Steps between reports, as in the trainer. */
const REPORT_EVERY = 50;
const WARM_UP_SECONDS = 1;
/** With fewer samples the median is unreliable. */
const MIN_SAMPLES = 5;

const HELP = `node bench/run.mjs bench/tutorial.ts [options]
  --engine <auto|gpu|cpu>  engine of pushdown (default auto)
  --batch <B>              sequences per step, may be repeated (default ${BATCHES.join(' and ')})
  --samples <n>            samples per contender (default 5, at least ${MIN_SAMPLES})
  --seconds <s>            seconds per sample of pushdown (default 3)
  --peer-seconds <s>       seconds per sample of NumPy (default 5)
  --json                   write bench/results/tutorial-<adapter>-<date>.json`;

/** The line printed by numpy_tutorial.py. */
interface PeerLine {
  timeSteps: number;
  seconds: number;
  timeStepsPerSecond: number;
  numpy: string;
  python: string;
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      engine: { type: 'string', default: 'auto' },
      batch: { type: 'string', multiple: true, default: BATCHES },
      samples: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      'peer-seconds': { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const batches = values.batch.map(text => countOption('batch', text, 1));
  const rounds = countOption('samples', values.samples, MIN_SAMPLES);
  const seconds = numberOption('seconds', values.seconds, 0.1);
  const peerSeconds = numberOption('peer-seconds', values['peer-seconds'], 0.1);

  // NumPy is run first, because without it there is nothing to compare with.
  const peer = await numpyLoop(0.2);
  const engine = await openEngine(engineName(values.engine));
  const before = machine();
  try {
    console.log(
      `tutorial part 5, source length ${LENGTH} (T = ${2 * LENGTH}), ${rounds} samples each, in turn`,
    );
    console.log(engineLine(engine));
    console.log(`peer NumPy ${peer.numpy}, Python ${peer.python}`);
    console.log(
      `on ${before.cores} cores of ${before.processor}, load ${before.load}, Node ${before.node}\n`,
    );

    const runs = await Promise.all(batches.map(B => pushdownLoop(engine, B)));
    for (const run of runs) await run(WARM_UP_SECONDS);
    const [numpy, ...ours] = await sample(rounds, [
      async () => (await numpyLoop(peerSeconds)).timeStepsPerSecond,
      ...runs.map(run => () => run(seconds)),
    ]);

    const rows = batches.map((B, k) => ({
      batch: B,
      timeStepsPerSecond: spread(ours[k]),
      // The ratio of the two samples of a round, which are seconds apart.
      ratio: spread(ours[k].map((rate, i) => rate / numpy[i])),
    }));
    const peerRate = spread(numpy);
    console.log(
      table([
        ['', 'time steps per second, median (quartiles)', 'ms per training step', '× NumPy (quartiles)'],
        ['NumPy, batch 10', figures(peerRate), stepMs(10, peerRate.median), '1'],
        ...rows.map(({ batch, timeStepsPerSecond, ratio }) => [
          `pushdown, batch ${batch}`,
          figures(timeStepsPerSecond),
          stepMs(batch, timeStepsPerSecond.median),
          figures(ratio),
        ]),
      ]),
    );
    if (values.json) {
      const path = save('tutorial', engine.adapter, {
        engine: engine.name,
        machine: before,
        length: LENGTH,
        numpy: {
          version: peer.numpy,
          python: peer.python,
          seconds: peerSeconds,
          timeStepsPerSecond: peerRate,
        },
        pushdown: { seconds, rows },
      });
      console.log(`\nwritten to ${path}`);
    }
    return 0;
  } finally {
    engine.destroy();
  }
}

const stepMs = (B: number, rate: number): string => figure((B * 2 * LENGTH * 1000) / rate);

/** Runs the peer in a separate process. Its time excludes starting Python and importing NumPy. */
async function numpyLoop(seconds: number): Promise<PeerLine> {
  const args = ['bench/numpy_tutorial.py', '--length', String(LENGTH), '--seconds', String(seconds)];
  try {
    const { stdout } = await promisify(execFile)('python3', args);
    return JSON.parse(stdout) as PeerLine;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const why = code === 'ENOENT' ? 'python3 is not installed' : stderr?.trim() || messageOf(error);
    throw new DeviceError(`nothing to compare with: ${why}`);
  }
}

/** The preset with this batch size, and with one source length instead of a curriculum. */
function tutorialConfig(B: number): Config {
  const config = preset('tutorial-part5');
  config.task.minLength = LENGTH;
  config.task.maxLength = LENGTH;
  config.train.batch = B;
  config.train.rate = 0.005 * B;
  config.train.growEvery = 0;
  return config;
}

/**
 * Opens a model. Returns a function that trains it for some seconds as the trainer does (makes the batch, enqueues the
 * step, waits for the reports every 50 steps), always from the initial weights, and returns time steps per second.
 */
async function pushdownLoop(engine: Engine, B: number): Promise<(seconds: number) => Promise<number>> {
  const config = tutorialConfig(B);
  const { task, spec } = setup(config);
  const model = await engine.model(spec, config.train, initialState(spec, config.train));
  return async seconds => {
    model.load(initialState(spec, config.train));
    let step = 0;
    let timeSteps = 0;
    let elapsed = 0;
    const start = performance.now();
    while (elapsed < seconds * 1000) {
      for (let k = 0; k < REPORT_EVERY; k++) {
        const batch = trainingBatch(task, config, step++, LENGTH);
        for (const length of batch.lengths) timeSteps += length;
        model.step(batch);
      }
      const reports = await model.reports();
      elapsed = performance.now() - start;
      if (reports.length !== REPORT_EVERY || !reports.every(({ finite }) => finite)) {
        throw new DeviceError(
          `batch ${B}: some of the ${REPORT_EVERY} steps before step ${step} have no report or are not finite.`,
        );
      }
    }
    return (timeSteps * 1000) / elapsed;
  };
}
