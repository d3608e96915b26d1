import type { Evaluation } from '../train/evaluate.ts';
import { Controls } from './controls.ts';
import { byId, write, writeOrHide } from './dom.ts';
import { engineLine } from './engine.ts';
import { count, percent } from './format.ts';
import { HeatMap } from './heatmap.ts';
import { mendLocale } from './locale.ts';
import { showEnd, showLook, showOpened, showProgress, showStep } from './numbers.ts';
import type { FromWorker, Opened, RunState, Settings, ToWorker } from './protocol.ts';

/** Wires the page to its worker: one worker a run. */

mendLocale();
const { Charts } = await import('./charts.ts');
const charts = new Charts(byId('loss-chart', HTMLElement), byId('accuracy-chart', HTMLElement));
const heatMap = new HeatMap();
const adapter = byId('adapter', HTMLElement);
const notice = byId('notice', HTMLElement);
const problem = byId('error', HTMLElement);
const source = byId('source', HTMLInputElement);
const refused = byId('refused', HTMLElement);
const evaluated = byId('evaluated', HTMLElement);

let worker: Worker | undefined;
const tell = (message: ToWorker): void => worker?.postMessage(message);

const controls = new Controls({
  open,
  run: () => tell({ kind: 'run' }),
  pause: () => tell({ kind: 'pause' }),
  step: () => tell({ kind: 'step' }),
});

byId('show', HTMLFormElement).addEventListener('submit', event => {
  event.preventDefault();
  writeOrHide(refused, undefined);
  tell({ kind: 'show', source: source.value });
});

/** A new run at step 0; the one before ends with its worker, whatever it is doing. */
function open(settings: Settings): void {
  worker?.terminate();
  charts.clear();
  showStep(0);
  for (const box of [notice, problem, refused]) writeOrHide(box, undefined);
  write(evaluated, '');
  write(adapter, 'opening an engine …');
  controls.show('opening', 'Opening an engine, compiling its kernels …');
  const opened = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  opened.onmessage = ({ data }: MessageEvent<FromWorker>) => hear(data);
  opened.onerror = ({ message }) =>
    fail(`the worker failed: ${message || 'its script did not load'}`, 'Reload the page.');
  opened.onmessageerror = () => fail('a message of the worker could not be read.', 'Reload the page.');
  worker = opened;
  tell({ kind: 'open', settings });
}

function hear(message: FromWorker): void {
  switch (message.kind) {
    case 'opened':
      showRun(message);
      break;
    case 'state':
      showStep(message.step);
      if (message.state === 'done' || message.state === 'solved') showEnd();
      controls.show(message.state, statusOf(message.state, message.step));
      break;
    case 'progress':
      charts.progress(message.progress);
      showProgress(message.progress);
      break;
    case 'evaluation':
      charts.evaluation(message.evaluation, message.step);
      write(evaluated, evaluatedWords(message.evaluation));
      break;
    case 'restart': {
      const { step, restarts, loss } = message.restart;
      const stuck = `Stuck at a loss of ${loss.toFixed(3)} at step ${count(step)}: begun anew (restart ${restarts}).`;
      controls.show('running', stuck);
      break;
    }
    case 'look':
      showStep(message.look.step);
      heatMap.show(message.look.shown);
      showLook(message.look);
      break;
    case 'refused':
      writeOrHide(refused, message.message);
      break;
    case 'failed':
      fail(message.message, message.advice);
  }
}

const evaluatedWords = ({ length, coarse, fine }: Evaluation): string =>
  ` of length ${length}, last coarse ${percent(coarse)} and fine ${percent(fine)}`;

function showRun(run: Opened): void {
  write(
    adapter,
    `${engineLine({ name: run.engine, adapter: run.adapter })} · ${count(run.parameters)} parameters`,
  );
  writeOrHide(
    notice,
    run.notice &&
      `No WebGPU engine: ${run.notice}. Training runs on the CPU instead, in float64, slower than a GPU would. ` +
        'For WebGPU take a current Chrome, Edge, Safari or Firefox, and a graphics driver they accept.',
  );
  source.value = run.source;
  showOpened(run);
}

function statusOf(state: RunState, step: number): string {
  switch (state) {
    case 'ready':
      return 'Ready.';
    case 'running':
      return 'Training …';
    case 'paused':
      return `Paused at step ${count(step)}.`;
    case 'solved':
      return `Solved at step ${count(step)}: twice running, nearly all evaluated sequences were wholly right.`;
    case 'done':
      return `Done: all ${count(step)} steps are made.`;
  }
}

/** The first failure is the cause; what follows from it is not told. */
function fail(message: string, advice: string): void {
  worker?.terminate();
  worker = undefined;
  if (!problem.hidden) return;
  const end = /[.!?]$/.test(message) ? '' : '.';
  writeOrHide(problem, `${message}${end} ${advice}`);
  controls.show('failed', 'The run has ended.');
  if (adapter.textContent?.startsWith('opening')) write(adapter, 'no engine');
}

open(controls.settings);
