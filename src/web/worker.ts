import { assign } from '../base/config.ts';
import { DeviceError, firstLineOf, InputError, messageOf } from '../base/errors.ts';
import { countParameters } from '../base/parameters.ts';
import type { Engine } from '../engine/engine.ts';
import { formatSource, parseSource } from '../tasks/task.ts';
import { preset } from '../train/presets.ts';
import { Trainer } from '../train/trainer.ts';
import { openEngine } from './engine.ts';
import { firstSource, type Look, lookAt, samplePairs } from './look.ts';
import type { FromWorker, RunState, Settings, ToWorker } from './protocol.ts';

/** Training, off the page's thread. Timers only: animation frames stop in hidden tabs. */

/** A worker's global, of which TypeScript's library for pages knows nothing. */
interface Scope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
}
const scope = globalThis as unknown as Scope;
const say = (message: FromWorker): void => scope.postMessage(message);

/** Time between two looks while training, in ms; more where a look takes more than a tenth of that. */
const LOOK_EVERY = 250;
const LOOK_SHARE = 10;

let trainer: Trainer | undefined;
/** The source of the heat map; the longest source trained on. */
let source: readonly number[] = [];
let longest = 1;

scope.addEventListener('unhandledrejection', event => fail(event.reason));

/** One thing after the other. A run is only begun here, so that a pause can follow it. */
let queue: Promise<void> = Promise.resolve();
scope.onmessage = ({ data }) => {
  queue = queue.then(() => obey(data)).catch(fail);
};

async function obey(message: ToWorker): Promise<void> {
  if (message.kind === 'open') await open(message.settings);
  if (!trainer || message.kind === 'open') return;
  if (message.kind === 'run') train(trainer).catch(fail);
  else if (message.kind === 'pause') trainer.pause();
  else if (message.kind === 'step') await step(trainer);
  else await show(trainer, message.source);
}

async function open({ preset: name, seed, engine: choice }: Settings): Promise<void> {
  const config = assign(preset(name), [`seed=${seed}`]);
  let engine: Engine = await openEngine(choice);
  const begin = async (): Promise<{ opened: Trainer; first: Look }> => {
    const opened = await Trainer.start(engine, config, {
      onProgress(progress) {
        longest = progress.length;
        say({ kind: 'progress', progress });
      },
      onEvaluation: (evaluation, step) => say({ kind: 'evaluation', evaluation, step }),
      onRestart: restart => say({ kind: 'restart', restart }),
    });
    longest = config.task.maxLength;
    source = firstSource(opened.task, seed, longest);
    return { opened, first: await lookOf(opened) };
  };
  const { opened, first } = await begin().catch(async error => {
    // An adapter may be there and yet too small, or its compiler refuse a kernel.
    if (choice !== 'auto' || engine.name === 'cpu' || error instanceof InputError) throw error;
    const reason = `${engine.adapter.name} failed: ${firstLineOf(error)}`;
    engine.destroy();
    const { createCpuEngine } = await import('../engine/cpu.ts');
    engine = createCpuEngine(reason);
    return begin();
  });
  trainer = opened;
  say({
    kind: 'opened',
    engine: engine.name,
    adapter: engine.adapter,
    notice: choice === 'auto' && engine.name === 'cpu' ? engine.adapter.reason : undefined,
    steps: config.train.steps,
    parameters: countParameters(opened.model.spec),
    lossUnit: config.model.output === 'softmax' ? 'nats/symbol' : '½ error²',
    source: formatSource(opened.task, source),
  });
  say({ kind: 'look', look: first });
  say({ kind: 'state', state: 'ready', step: opened.step });
}

async function train(of: Trainer): Promise<void> {
  say({ kind: 'state', state: 'running', step: of.step });
  // Looks go on beside it; the last one may still sleep when training ends, and then does nothing.
  let going = true;
  const looks = async (): Promise<void> => {
    while (going) {
      const start = performance.now();
      await look(of);
      const took = performance.now() - start;
      await new Promise(resolve => setTimeout(resolve, Math.max(LOOK_EVERY, LOOK_SHARE * took) - took));
    }
  };
  looks().catch(fail);
  try {
    await of.run();
  } finally {
    going = false;
  }
  await look(of);
  sayWhere(of);
}

async function step(of: Trainer): Promise<void> {
  await of.singleStep();
  await look(of);
  sayWhere(of);
}

async function show(of: Trainer, text: string): Promise<void> {
  try {
    source = parseSource(of.task, text);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    say({ kind: 'refused', message: error.message });
    return;
  }
  await look(of);
}

const look = async (of: Trainer): Promise<void> => say({ kind: 'look', look: await lookOf(of) });

function lookOf(of: Trainer): Promise<Look> {
  const samples = samplePairs(of.task, of.config.train.seed, longest);
  return of.between((model, task) => lookAt(model, task, of.step, source, samples));
}

function sayWhere(of: Trainer): void {
  const { ending } = of;
  const state: RunState = ending === 'done' || ending === 'solved' ? ending : 'paused';
  say({ kind: 'state', state, step: of.step });
}

/** A compiler's message goes on with the code at fault. */

function fail(error: unknown): void {
  const advice =
    error instanceof InputError
      ? 'Change the settings and reset.'
      : error instanceof DeviceError
        ? 'Reset to begin again, or choose the CPU engine.'
        : 'This is a fault of pushdown: please report it. Reset to begin again.';
  say({ kind: 'failed', message: messageOf(error), advice });
}
