/**
 * Kills training repeatedly, and checks that only the work since the last save has to be repeated:
 *   node bench/run.mjs bench/faults.ts --kills 200
 *   node bench/run.mjs bench/faults.ts --minutes 60        soak test: also lost devices and slow storage
 * A run is trained in separate processes that are killed (SIGKILL) at random moments. After every kill
 * its checkpoint must load, and the next process resumes from it. At the end, its weights must be those
 * of an undisturbed run. Some batches have NaN loss weights (the same in both runs; such a step is skipped and
 * counted). With --minutes, a process also loses its device from time to time, and storage is slow.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { assign } from '../src/base/config.ts';
import { Rng, STREAM } from '../src/base/rng.ts';
import { clearTemporaries, writeAtomic } from '../src/cli/files/write.ts';
import { CHECKPOINT } from '../src/cli/run/names.ts';
import type { Engine, Model } from '../src/engine/engine.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../src/train/checkpoint.ts';
import { preset } from '../src/train/presets.ts';
import { Trainer } from '../src/train/trainer.ts';
import { comparable } from '../test/support/comparable.ts';
import { losableGpus } from '../test/support/losable-engines.ts';
import { countOption } from './node.ts';

const HELP = `node bench/run.mjs bench/faults.ts [options]
  --kills <n>      number of kills (default 20)
  --minutes <n>    instead of --kills: as many kills as fit into this time, together with lost devices and slow storage
  --seed <n>       seed of the faults (default 1)`;

/** One batch in this number has NaN loss weights. */
const BAD_EVERY = 997;
const CONFIG = assign(preset('tutorial-part6'), [
  'steps=1000000000',
  'stopAt=0',
  'restartAfter=0',
  'growEvery=0',
  'evaluateEvery=5000',
  'reportEvery=200',
]);

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      // For the child processes of this script.
      child: { type: 'string' },
      until: { type: 'string' },
      gentle: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const seed = countOption('seed', values.seed, 0);
  if (values.child) return train(values.child, Number(values.until), seed, !values.gentle);
  return faultTest(countOption('kills', values.kills, 0), countOption('minutes', values.minutes, 0), seed);
}

/** Random numbers for the faults only: training has its own generator. */
const random = (seed: number): (() => number) => {
  const rng = new Rng(seed, STREAM.sample);
  return () => rng.uniform();
};
const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** The work of one process: trains from the checkpoint of the folder, or from the start, to step `until`. */
async function train(folder: string, until: number, seed: number, withFaults: boolean): Promise<number> {
  const dice = random(seed);
  const file = join(folder, CHECKPOINT);
  await clearTemporaries(folder, [CHECKPOINT]);
  const engines = losableGpus({}, false);
  const open = async (): Promise<Engine> => withBadBatches(await engines.open());
  const config = { ...CONFIG, train: { ...CONFIG.train, steps: until } };
  const from = existsSync(file) ? decodeCheckpoint(await readFile(file)) : undefined;
  const callbacks = {
    reopen: open,
    onProgress: ({ step }: { step: number }) => console.log(`at ${step}`),
    onRecovered: ({ step, from }: { step: number; from: number }) => console.log(`lost ${step} ${from}`),
    snapshotMs: 500,
  };
  const trainer = from
    ? await Trainer.resume(await open(), { ...from, config }, callbacks)
    : await Trainer.start(await open(), config, callbacks);
  let ended = false;
  const saving = (async () => {
    while (!ended) {
      await wait(100 + 200 * dice());
      const snapshot = await trainer.snapshot();
      const bytes = encodeCheckpoint(snapshot);
      // Like a slow disk, or one that has to spin up.
      if (withFaults) await wait(500 * dice());
      await writeAtomic(file, bytes);
      console.log(`saved ${snapshot.state.step}`);
    }
  })();
  // Loses devices in the background, until the process ends.
  (async () => {
    while (withFaults && !ended) {
      await wait(1500 + 6000 * dice());
      if (!ended) engines.lose();
    }
  })();
  await trainer.run();
  ended = true;
  await saving;
  await writeAtomic(file, encodeCheckpoint(await trainer.snapshot()));
  console.log(`done ${trainer.step}`);
  trainer.engine.destroy();
  // The exit is explicit, because the timer of the next lost device may be seconds away.
  process.exit(0);
}

/**
 * Changes an engine so that every BAD_EVERY-th batch has NaN loss weights, at the same steps in every run. These steps
 * must be skipped.
 */
function withBadBatches(engine: Engine): Engine {
  const openModel = engine.model.bind(engine);
  engine.model = async (spec, training, state, choices) => {
    const model: Model = await openModel(spec, training, state, choices);
    let { step } = state;
    const [enqueue, load] = [model.step.bind(model), model.load.bind(model)];
    model.step = batch => {
      step++;
      const bad = step % BAD_EVERY === 0;
      return enqueue(bad ? { ...batch, weight: batch.weight.map(() => Number.NaN) } : batch);
    };
    model.load = loaded => {
      ({ step } = loaded);
      load(loaded);
    };
    return model;
  };
  return engine;
}

interface Outcome {
  /** If the process was killed: time since its last save, or since its start if it saved nothing, in ms. */
  lostMs?: number;
  /** Number of lost devices. */
  losses: number;
}

/**
 * Trains in a separate process, and kills it after `ms` unless it has finished.
 * @param gentle no lost devices and no slow storage
 */
function trainInProcess(
  folder: string,
  until: number,
  seed: number,
  gentle: boolean,
  ms: number,
): Promise<Outcome> {
  const bundle = fileURLToPath(import.meta.url);
  const call = 'import(process.argv[1]).then(bundle => bundle.main(process.argv.slice(2)))';
  const args = [
    '--child',
    folder,
    '--until',
    String(until),
    '--seed',
    String(seed),
    ...(gentle ? ['--gentle'] : []),
  ];
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', call, pathToFileURL(bundle).href, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  return new Promise((resolve, reject) => {
    let [err, rest, losses] = ['', '', 0];
    let saved = performance.now();
    child.stderr.on('data', data => {
      err += data;
    });
    child.stdout.on('data', data => {
      const lines = (rest + data).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('saved')) saved = performance.now();
        if (line.startsWith('lost')) losses++;
      }
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') resolve({ lostMs: performance.now() - saved, losses });
      else if (code === 0) resolve({ losses });
      else reject(new Error(`a training process ended with ${code ?? signal}: ${err}`));
    });
  });
}

/** The checkpoint of a folder. After a kill it must always be readable. */
const checkpointIn = async (folder: string): Promise<Checkpoint | undefined> =>
  existsSync(join(folder, CHECKPOINT))
    ? decodeCheckpoint(await readFile(join(folder, CHECKPOINT)))
    : undefined;

async function faultTest(kills: number, minutes: number, seed: number): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'pushdown-faults-'));
  const [disturbed, undisturbed] = [join(root, 'disturbed'), join(root, 'undisturbed')];
  await Promise.all([mkdir(disturbed), mkdir(undisturbed)]);
  const dice = random(seed);
  const soaking = minutes > 0;
  const end = performance.now() + minutes * 60_000;
  let [killed, lost, step, maxLostMs] = [0, 0, 0, 0];
  while (soaking ? performance.now() < end : killed < kills) {
    const ms = soaking ? 2000 + 28_000 * dice() : 300 + 2700 * dice();
    const { lostMs = 0, losses } = await trainInProcess(
      disturbed,
      CONFIG.train.steps,
      seed + killed,
      !soaking,
      ms,
    );
    killed++;
    lost += losses;
    const checkpoint = await checkpointIn(disturbed);
    const now = checkpoint?.state.step ?? 0;
    if (now < step)
      throw new Error(
        `the checkpoint is of step ${now} after kill ${killed}, but of step ${step} before the kill.`,
      );
    // Work before the first checkpoint is not counted as lost.
    if (now > 0) maxLostMs = Math.max(maxLostMs, lostMs);
    step = now;
    if (killed % 20 === 0) console.log(`${killed} kills, ${lost} devices lost, step ${step}`);
  }
  const until = step + 500;
  console.log(`training undisturbed to step ${until} …`);
  await trainInProcess(disturbed, until, seed, true, 2 ** 30);
  await trainInProcess(undisturbed, until, seed, true, 2 ** 30);
  const [a, b] = [(await checkpointIn(disturbed))!, (await checkpointIn(undisturbed))!];
  const same = isDeepStrictEqual(comparable(a), comparable(b));
  console.log(
    `${killed} processes killed, ${lost} devices lost, ${Math.floor(until / BAD_EVERY)} bad batches skipped, in ${until} steps: ` +
      `${same ? 'weights, moments and counters equal those of an undisturbed run, bit for bit' : 'THE RUN DIFFERS from an undisturbed run'}. ` +
      `Work repeated after a kill: at most ${(maxLostMs / 1000).toFixed(1)} s.`,
  );
  await rm(root, { recursive: true, force: true });
  return same ? 0 : 1;
}
