import { DeviceError, InputError, messageOf } from '../../base/errors.ts';
import { formatSource } from '../../tasks/task.ts';
import { encodeCheckpoint } from '../../train/checkpoint.ts';
import { evaluate } from '../../train/evaluate.ts';
import { Diverged, type Trainer } from '../../train/trainer.ts';
import { type ModelProbe, probeModel, samplePairs } from '../memory/probe.ts';
import type { Answer, Asked, FromWorker, Kept, Opening, Question, ToWorker } from '../protocol.ts';
import { isUnloaded, RELOAD } from '../unloaded.ts';
import { drawSource, lengthsFor, shownSource, testOn, tryOut } from './answers.ts';
import { openRun } from './opening.ts';
import type { Scope } from './scope.ts';

/** Trains in a worker. Uses only timers, because animation frames stop in hidden tabs. */

let scope: Scope<ToWorker, FromWorker>;
const say = (message: FromWorker, transfer?: Transferable[]): void => scope.postMessage(message, transfer);

/** Maximum shares of the time for probes and for checkpoints. */
const LOOK_SHARE = 1 / 10;
const KEEP_SHARE = 1 / 20;
/** Interval of checkpoints, in ms: a killed run loses no more than this. */
const KEEP_EVERY = 5000;

let trainer: Trainer | undefined;
/** The source of the picture, and the longest trained length. */
let source: readonly number[] = [];
let longest = 1;
let pace = { steps: 0, looks: 4 };

/** Messages are handled one at a time. Runs and questions are only started here, so that a pause can follow them. */
let queue: Promise<void> = Promise.resolve();

export function begin(of: Scope<ToWorker, FromWorker>): void {
  scope = of;
  scope.addEventListener('unhandledrejection', event => fail(event.reason));
  scope.onmessage = ({ data }) => {
    queue = queue.then(() => obey(data)).catch(fail);
  };
}

async function obey(message: ToWorker): Promise<void> {
  if (message.kind === 'open') await open(message.opening);
  if (!trainer) return;
  switch (message.kind) {
    case 'run':
      train(trainer).catch(fail);
      break;
    case 'pause':
      going = false;
      trainer.pause();
      break;
    case 'step':
      await step(trainer);
      break;
    case 'stop':
      trainer.stop();
      if (!going) await rest(trainer);
      break;
    case 'pace':
      // A training run continues at the new pace.
      pace = message.pace;
      trainer.pause();
      break;
    case 'ask':
      answer(trainer, message.id, message.question);
  }
}

async function open(opening: Opening): Promise<void> {
  pace = opening.pace;
  const run = await openRun(opening, {
    onProgress(progress) {
      longest = progress.length;
      const { step, steps, eta } = progress;
      // At a limited pace, the time left is longer than the computing time.
      const left = pace.steps ? Math.max(eta, (steps - step) / pace.steps) : eta;
      say({ kind: 'progress', progress: { ...progress, eta: left } });
    },
    onEvaluation: (evaluation, step) => say({ kind: 'evaluation', evaluation, step }),
    onRestart: restart => say({ kind: 'restart', restart }),
    onRecovered: recovered => say({ kind: 'recovered', recovered }),
  });
  ({ trainer, source, longest } = run);
  if (opening.stopped) trainer.stop();
  // If the first probe fails, the run does not open.
  const first = await probeNow(trainer);
  say(run.opened);
  say({ kind: 'probe', probe: first });
  await rest(trainer, false);
}

/** True from the command to train until training ends or pauses. */
let going = false;

async function train(of: Trainer): Promise<void> {
  if (going) return;
  going = true;
  say({ kind: 'state', state: 'running', step: of.step });
  // Probes and checkpoints run concurrently with training. A loop may still sleep when training ends, and then does
  // nothing.
  let training = true;
  const beside = async (work: () => Promise<void>, every: () => number, share: number): Promise<void> => {
    let took = 0;
    while (training) {
      await sleep(Math.max(every(), took / share) - took);
      const start = performance.now();
      if (training) await work();
      took = performance.now() - start;
    }
  };
  beside(
    () => probe(of),
    () => 1000 / pace.looks,
    LOOK_SHARE,
  ).catch(fail);
  beside(
    () => keep(of),
    () => KEEP_EVERY,
    KEEP_SHARE,
  ).catch(fail);
  try {
    while (going && !of.ending) await (pace.steps ? slowly(of) : of.run());
  } catch (error) {
    // The weights are those before the steps that diverged.
    if (error instanceof Diverged) await keep(of);
    throw error;
  } finally {
    training = false;
    going = false;
  }
  await rest(of);
}

/** Makes single steps until a pause or a change of pace. The results equal those at full speed. */
async function slowly(of: Trainer): Promise<void> {
  const { steps } = pace;
  while (going && !of.ending && pace.steps === steps) {
    const start = performance.now();
    await of.singleStep();
    say({ kind: 'state', state: 'running', step: of.step });
    await sleep(1000 / steps - (performance.now() - start));
  }
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, Math.max(0, ms)));

async function step(of: Trainer): Promise<void> {
  if (going) return;
  await of.singleStep();
  await rest(of);
}

/** Training has stopped: sends a probe, the state and a checkpoint. */
async function rest(of: Trainer, looked = true): Promise<void> {
  if (looked) await probe(of);
  say({ kind: 'state', state: of.ending ?? 'paused', step: of.step });
  await keep(of);
}

const probe = async (of: Trainer): Promise<void> => say({ kind: 'probe', probe: await probeNow(of) });

function probeNow(of: Trainer): Promise<ModelProbe> {
  const samples = samplePairs(of.task, of.config.train.seed, longest);
  return of.between((model, task) => probeModel(model, task, of.step, source, samples));
}

async function checkpoint(of: Trainer): Promise<Kept> {
  const snapshot = await of.snapshot();
  return { bytes: encodeCheckpoint(snapshot), step: snapshot.state.step };
}

async function keep(of: Trainer): Promise<void> {
  const kept = await checkpoint(of);
  say({ kind: 'kept', kept }, [kept.bytes.buffer]);
}

function answer(of: Trainer, id: number, question: Question): void {
  answerTo(of, question).then(
    answer => say({ kind: 'answer', id, answer }),
    error => {
      // A device that cannot hold such a long sequence can still train.
      if (error instanceof InputError || error instanceof DeviceError) {
        say({ kind: 'refused', id, message: messageOf(error) });
      } else fail(error);
    },
  );
}

async function answerTo(of: Trainer, question: Question): Promise<Answer<Asked>> {
  const { task, config } = of;
  switch (question.what) {
    case 'show':
      return showing(of, shownSource(task, question.source));
    case 'sample':
      return showing(of, drawSource(task, question.length));
    case 'checkpoint':
      return checkpoint(of);
    case 'predict':
      return of.between(model => tryOut(model, task, question.source));
    case 'lengths':
      return { lengths: lengthsFor(task, longest), shortest: config.task.minLength, longest };
    case 'evaluate': {
      const { length, sequences } = question;
      return of.between(model => evaluate(model, task, { length, sequences, seed: config.train.seed }));
    }
    case 'test':
      return of.between(model => testOn(model, task, question.data, question.characters));
  }
}

async function showing(of: Trainer, chosen: readonly number[]): Promise<string> {
  const before = source;
  source = chosen;
  try {
    await probe(of);
  } catch (error) {
    source = before;
    throw error;
  }
  return formatSource(of.task, chosen);
}

function fail(error: unknown): void {
  going = false;
  const advice =
    error instanceof Diverged || error instanceof InputError
      ? ''
      : error instanceof DeviceError
        ? trainer
          ? 'Resume it from its last checkpoint, in the list of runs.'
          : 'Engine “auto” uses any engine that works.'
        : isUnloaded(error)
          ? RELOAD
          : 'This is a bug in pushdown: please report it.';
  say({ kind: 'failed', message: messageOf(error), advice });
}
