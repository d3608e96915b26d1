import { DeviceError, InputError, messageOf } from '../../base/errors.ts';
import { formatSource } from '../../tasks/task.ts';
import { encodeCheckpoint } from '../../train/checkpoint.ts';
import { evaluate } from '../../train/evaluate.ts';
import { Diverged, type Trainer } from '../../train/trainer.ts';
import { isLoadFailure, RELOAD_ADVICE } from '../load-failure.ts';
import { type ModelProbe, probeModel, samplePairs } from '../memory/probe.ts';
import type {
  Answer,
  FromWorker,
  Opening,
  Pace,
  Question,
  QuestionKind,
  SavedCheckpoint,
  ToWorker,
} from '../protocol.ts';
import { decodeAnswer, drawSource, lengthsFor, shownSource, testOnPairs } from './answers.ts';
import { openRun } from './opening.ts';
import type { Scope } from './scope.ts';

/** Trains in a worker. Uses only timers, because animation frames stop in hidden tabs. */

let scope: Scope<ToWorker, FromWorker>;
const send = (message: FromWorker, transfer?: Transferable[]): void => scope.postMessage(message, transfer);

/**
 * Maximum shares of the time for probes and for checkpoints. A probe is what the page shows of the model: the memory on
 * the current source, and a few sample predictions.
 */
const PROBE_SHARE = 1 / 10;
const CHECKPOINT_SHARE = 1 / 20;
/** Interval of checkpoints, in ms: about the longest training time that a killed run loses. */
const CHECKPOINT_MS = 5000;

/** The run, once it is open. */
let current: Trainer | undefined;
/** The source whose memory the page shows, and the longest trained length. */
let source: readonly number[] = [];
let longest = 1;
let pace: Pace = { stepsPerSecond: 0, probesPerSecond: 4 };

/**
 * Messages are handled one at a time. handle() starts training, or the answer to a question, but does not wait for it
 * to finish, so that a later message, such as a pause, is handled meanwhile.
 */
let queue: Promise<void> = Promise.resolve();

export function start(workerScope: Scope<ToWorker, FromWorker>): void {
  scope = workerScope;
  scope.addEventListener('unhandledrejection', event => fail(event.reason));
  scope.onmessage = ({ data }) => {
    queue = queue.then(() => handle(data)).catch(fail);
  };
}

async function handle(message: ToWorker): Promise<void> {
  if (message.kind === 'open') await open(message.opening);
  const trainer = current;
  if (!trainer) return;
  switch (message.kind) {
    case 'run':
      train(trainer).catch(fail);
      break;
    case 'pause':
      isTraining = false;
      trainer.pause();
      break;
    case 'step':
      await step(trainer);
      break;
    case 'stop':
      trainer.stop();
      if (!isTraining) await reportStopped(trainer);
      break;
    case 'pace':
      // pause() ends the present call of run(); `isTraining` stays true, so train() continues at the new pace.
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
      const left = pace.stepsPerSecond ? Math.max(eta, (steps - step) / pace.stepsPerSecond) : eta;
      send({ kind: 'progress', progress: { ...progress, eta: left } });
    },
    onEvaluation: (evaluation, step) => send({ kind: 'evaluation', evaluation, step }),
    onRestart: restart => send({ kind: 'restart', restart }),
    onRecovered: recovered => send({ kind: 'recovered', recovered }),
  });
  const { trainer } = run;
  ({ source, longest } = run);
  current = trainer;
  if (opening.stopped) trainer.stop();
  // If the first probe fails, the run does not open.
  const first = await probeNow(trainer);
  send(run.opened);
  send({ kind: 'probe', probe: first });
  await reportStopped(trainer, false);
}

/** True from a `run` message until a `pause` message or the end of training. */
let isTraining = false;
/** True until train() returns: after a pause it still has to report. */
let isBusy = false;

async function train(trainer: Trainer): Promise<void> {
  if (isTraining) return;
  isTraining = true;
  // The call in progress continues.
  if (isBusy) return;
  isBusy = true;
  try {
    do await trainUntilPaused(trainer);
    while (isTraining && !trainer.ending);
  } finally {
    isBusy = false;
    isTraining = false;
  }
}

async function trainUntilPaused(trainer: Trainer): Promise<void> {
  send({ kind: 'state', state: 'running', step: trainer.step });
  // Probes and checkpoints run concurrently with training. A loop that is asleep when training ends then does nothing.
  let repeating = true;
  const repeat = async (work: () => Promise<void>, interval: () => number, share: number): Promise<void> => {
    let duration = 0;
    while (repeating) {
      await sleep(Math.max(interval(), duration / share) - duration);
      const start = performance.now();
      if (repeating) await work();
      duration = performance.now() - start;
    }
  };
  repeat(
    () => probe(trainer),
    () => 1000 / pace.probesPerSecond,
    PROBE_SHARE,
  ).catch(fail);
  repeat(
    () => sendCheckpoint(trainer),
    () => CHECKPOINT_MS,
    CHECKPOINT_SHARE,
  ).catch(fail);
  try {
    while (isTraining && !trainer.ending) await (pace.stepsPerSecond ? trainAtPace(trainer) : trainer.run());
  } catch (error) {
    // The weights are those from before the steps that diverged.
    if (error instanceof Diverged) await sendCheckpoint(trainer);
    throw error;
  } finally {
    repeating = false;
  }
  await reportStopped(trainer);
}

/** Runs single steps until training pauses or ends, or the pace changes. The results equal those at full speed. */
async function trainAtPace(trainer: Trainer): Promise<void> {
  const { stepsPerSecond } = pace;
  while (isTraining && !trainer.ending && pace.stepsPerSecond === stepsPerSecond) {
    const start = performance.now();
    await trainer.singleStep();
    send({ kind: 'state', state: 'running', step: trainer.step });
    await sleep(1000 / stepsPerSecond - (performance.now() - start));
  }
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, Math.max(0, ms)));

async function step(trainer: Trainer): Promise<void> {
  if (isTraining) return;
  await trainer.singleStep();
  await reportStopped(trainer);
}

/** Training has ended or paused: sends a probe (unless it was just sent), the state and a checkpoint. */
async function reportStopped(trainer: Trainer, withProbe = true): Promise<void> {
  if (withProbe) await probe(trainer);
  send({ kind: 'state', state: trainer.ending ?? 'paused', step: trainer.step });
  await sendCheckpoint(trainer);
}

const probe = async (trainer: Trainer): Promise<void> =>
  send({ kind: 'probe', probe: await probeNow(trainer) });

function probeNow(trainer: Trainer): Promise<ModelProbe> {
  const samples = samplePairs(trainer.task, trainer.config.train.seed, longest);
  return trainer.betweenSteps((model, task) => probeModel(model, task, trainer.step, source, samples));
}

async function checkpointOf(trainer: Trainer): Promise<SavedCheckpoint> {
  const snapshot = await trainer.snapshot();
  return { bytes: encodeCheckpoint(snapshot), step: snapshot.state.step };
}

async function sendCheckpoint(trainer: Trainer): Promise<void> {
  const checkpoint = await checkpointOf(trainer);
  send({ kind: 'checkpoint', checkpoint }, [checkpoint.bytes.buffer]);
}

function answer(trainer: Trainer, id: number, question: Question): void {
  answerTo(trainer, question).then(
    answer => send({ kind: 'answer', id, answer }),
    error => {
      // A DeviceError fails only the question: the device may be unable to hold such a long sequence, but still train.
      if (error instanceof InputError || error instanceof DeviceError) {
        send({ kind: 'refused', id, message: messageOf(error) });
      } else fail(error);
    },
  );
}

async function answerTo(trainer: Trainer, question: Question): Promise<Answer<QuestionKind>> {
  const { task, config } = trainer;
  switch (question.what) {
    case 'show':
      return changeSource(trainer, shownSource(task, question.source));
    case 'sample':
      return changeSource(trainer, drawSource(task, question.length));
    case 'checkpoint':
      return checkpointOf(trainer);
    case 'predict':
      return trainer.betweenSteps(model => decodeAnswer(model, task, question.source));
    case 'lengths':
      return { lengths: lengthsFor(task, longest), shortest: config.task.minLength, longest };
    case 'evaluate': {
      const { length, sequences } = question;
      return trainer.betweenSteps(model =>
        evaluate(model, task, { length, sequences, seed: config.train.seed }),
      );
    }
    case 'test':
      return trainer.betweenSteps(model => testOnPairs(model, task, question.data, question.characters));
  }
}

/** Probes with another source. If the probe fails, the previous source stays. */
async function changeSource(trainer: Trainer, chosen: readonly number[]): Promise<string> {
  const previous = source;
  source = chosen;
  try {
    await probe(trainer);
  } catch (error) {
    source = previous;
    throw error;
  }
  return formatSource(trainer.task, chosen);
}

function fail(error: unknown): void {
  isTraining = false;
  const advice =
    error instanceof Diverged || error instanceof InputError
      ? ''
      : error instanceof DeviceError
        ? current
          ? 'Resume the run from its last checkpoint, in the list of runs.'
          : 'Choose engine “auto”: it uses any engine that works.'
        : isLoadFailure(error)
          ? RELOAD_ADVICE
          : 'This is a bug in pushdown: please report it.';
  send({ kind: 'failed', message: messageOf(error), advice });
}
