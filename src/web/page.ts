import type { Config } from '../base/config.ts';
import { InputError, messageOf } from '../base/errors.ts';
import { engineName, REFERENCE } from '../platform/names.ts';
import { recoveredText } from '../train/recovery.ts';
import { App, type CurrentRun } from './app.ts';
import { Charts } from './charts/charts.ts';
import type { History } from './charts/history.ts';
import { Chooser } from './choose/choose.ts';
import { Guide } from './choose/guide.ts';
import { OwnPairs } from './choose/own-pairs.ts';
import { RunDescription } from './choose/run-description.ts';
import { byId, write, writeOrHide } from './dom.ts';
import { count } from './format.ts';
import { loadHandWhenVisible } from './hand/load-when-visible.ts';
import { Exports } from './keep/exports.ts';
import { handleFiles, trainOn } from './keep/incoming.ts';
import { RunStorage } from './keep/run-storage.ts';
import { RunsPanel } from './keep/runs-panel.ts';
import { RELOAD_ADVICE } from './load-failure.ts';
import { MemoryView } from './memory/view.ts';
import { PageNavigation } from './page-navigation.ts';
import { bringIntoView } from './panels/fold.ts';
import { Gallery } from './panels/gallery.ts';
import { LengthChart } from './panels/lengths.ts';
import {
  showEnd,
  showEvaluated,
  showLatest,
  showOpened,
  showProbe,
  showProgress,
  showStep,
} from './panels/numbers.ts';
import { RunControls } from './panels/run-controls.ts';
import { TryIt } from './panels/tryit.ts';
import { TrainingPlayback } from './past/playback.ts';
import { isOver } from './protocol.ts';
import type { Run, RunMessage } from './run.ts';
import { type Draft, SettingsForm } from './settings/form.ts';
import { continuesText, statusOf } from './status.ts';
import { showAdapter } from './trust/adapter.ts';
import { VerifyPanel } from './trust/verify.ts';

/** Connects the parts of the page: user actions to the run, and messages of the run to the page. */

const element = (id: string): HTMLElement => byId(id, HTMLElement);
const onClick = (id: string, work: () => void): void =>
  byId(id, HTMLButtonElement).addEventListener('click', work);

// Elements that scroll must be focusable, so that they can be scrolled with keys.
for (const box of document.querySelectorAll<HTMLElement>('.scroll')) box.tabIndex = 0;

const charts = new Charts(element('charts'), element('more-charts'));
const memory = new MemoryView();
const playback = new TrainingPlayback(shown => memory.show(shown));
loadHandWhenVisible();
const source = byId('source', HTMLInputElement);
const storage = new RunStorage(problem => writeOrHide(element('storage-problem'), problem));

const app = new App(storage, () => ({ pace: controls.pace, source: source.value }), {
  opening() {
    writeOrHide(element('error'), undefined);
    if (!app.current) controls.show('opening', 'Opening an engine and compiling kernels …');
    else write(element('keep-status'), 'Opening the new run …');
  },
  opened,
  message: onMessage,
  refused(message, current, file) {
    write(element('keep-status'), '');
    runs.show();
    if (file) {
      writeOrHide(element('file-problem'), `${file}: ${message}${continuesText(current)}`);
      bringIntoView(element('file-problem'), { block: 'nearest' });
    } else if (current) {
      form.refuse(message + continuesText(current));
      bringIntoView(element('settings-title'), { block: 'nearest' });
    }
    if (!current) {
      if (!file) writeOrHide(element('error'), message);
      controls.show('failed', 'There is no run.');
      write(element('adapter'), 'no engine');
    }
  },
  saved: () => {
    runs.show();
  },
});

const controls = new RunControls({
  run: () => app.current?.run.send({ kind: 'run' }),
  pause: () => app.current?.run.send({ kind: 'pause' }),
  step: () => app.current?.run.send({ kind: 'step' }),
  stop: () => app.current?.run.send({ kind: 'stop' }),
  extend: () => app.extend().catch(error => writeOrHide(element('error'), messageOf(error))),
  restart() {
    const { current } = app;
    if (current)
      app.start({ config: current.record.config, engine: current.record.engine, data: current.data });
    else app.retry();
  },
  pace: pace => app.pace(pace),
});

const exporter = new Exports(app, storage, charts);
const runs = new RunsPanel(app, storage, charts, exporter);
const description = new RunDescription();
const form = new SettingsForm((draft: Draft) => app.start(draft));
const navigation = new PageNavigation(app, storage, form);
const tryIt = new TryIt(() => app.current?.run);
const lengthChart = new LengthChart(() => app.current?.run);
const verify = new VerifyPanel(async () => {
  const { current } = app;
  if (!current) return undefined;
  if (current.run.opened.engine === REFERENCE) {
    throw new InputError('this run uses the reference itself: there is nothing to compare.');
  }
  const { bytes } = await current.run.ask('checkpoint', {});
  return { checkpoint: bytes, engine: engineName(current.run.opened.engine), data: current.data };
});

element('doctor').addEventListener('click', () => {
  import('./trust/doctor.ts').then(
    ({ toggleDoctor }) => toggleDoctor(),
    () => write(element('doctor-status'), `A script did not load. ${RELOAD_ADVICE}`),
  );
});

function opened({ run, record, history: curves }: CurrentRun, previous: CurrentRun | undefined): void {
  const { opened: info } = run;
  navigation.opened(record, previous?.record);
  for (const id of ['error', 'recovered', 'refused', 'link-problem', 'file-problem'])
    writeOrHide(element(id), undefined);
  write(element('keep-status'), '');
  writeOrHide(element('new-data'), info.newData);
  form.set(info.config, record.engine, app.current?.data);
  form.compareWith(info.config);
  showAdapter(info);
  showOpened(info);
  source.value = info.source;
  tryIt.opened(info.example);
  lengthChart.clear();
  verify.clear();
  playback.clear();
  chooser.show(info.config);
  guide.opened(run);
  description.opened(info.config, info.step);
  charts.show(curves);
  showLatest(curves, record.step);
  if (!hasLoss(curves)) evaluateImported(run);
  if (previous && previous.record.id !== record.id) runs.compareWith(previous.record.id);
  runs.show();
}

const hasLoss = ({ loss }: History): boolean => loss.some(value => value !== null);

/** Evaluates a model that was trained elsewhere, because its file contains no curves. */
async function evaluateImported(run: Run): Promise<void> {
  if (run.opened.step === 0) return;
  try {
    const { longest } = await run.ask('lengths', {});
    const evaluation = await run.ask('evaluate', { length: longest, sequences: 64 });
    if (run !== app.current?.run || hasLoss(app.current.history)) return;
    showEvaluated(evaluation);
    description.accuracy(evaluation.coarse);
  } catch (error) {
    // The device cannot hold the batch, or the run has ended: the numbers stay empty.
    if (!(error instanceof InputError)) throw error;
  }
}

function onMessage(message: RunMessage, { record, frames }: CurrentRun): void {
  switch (message.kind) {
    case 'state':
      showStep(message.step);
      if (isOver(message.state)) showEnd();
      guide.state(message.state);
      controls.show(message.state, statusOf(message.state, message.step, record.config), message.step);
      break;
    case 'progress':
      charts.changed();
      showProgress(message.progress);
      description.accuracy(message.progress.coarse);
      break;
    case 'evaluation':
      charts.changed();
      break;
    case 'restart': {
      const { step, restarts, loss } = message.restart;
      const stuck = `Stuck at a loss of ${loss.toFixed(3)} at step ${count(step)}: restarted with new weights (restart ${restarts}).`;
      controls.show('running', stuck);
      break;
    }
    case 'recovered':
      writeOrHide(
        element('recovered'),
        `At ${recoveredText(message.recovered)} Devices lost so far: ${message.recovered.losses}.`,
      );
      break;
    case 'probe':
      showStep(message.probe.step);
      playback.update(frames);
      showProbe(message.probe);
      description.probe(message.probe);
      break;
    case 'failed': {
      const saved = record.step > 0 ? ` The run is saved as of step ${count(record.step)}.` : '';
      writeOrHide(element('error'), `${message.message} ${message.advice}${saved}`);
      controls.show('failed', 'The run has ended.');
      runs.show();
    }
  }
}

/** Changes the source of the picture. If the task cannot read it, the error is shown below the field. */
async function changeSource(what: 'show' | 'sample'): Promise<void> {
  const refused = element('refused');
  const run = app.current?.run;
  if (!run) return;
  try {
    const length = byId('sample-length', HTMLInputElement).valueAsNumber;
    const shown = await (what === 'show'
      ? run.ask(what, { source: source.value })
      : run.ask(what, { length }));
    if (run !== app.current?.run) return;
    source.value = shown;
    source.removeAttribute('aria-invalid');
    writeOrHide(refused, undefined);
  } catch (error) {
    if (run !== app.current?.run) return;
    source.setAttribute('aria-invalid', 'true');
    writeOrHide(refused, messageOf(error));
  }
}
byId('show', HTMLFormElement).addEventListener('submit', event => {
  event.preventDefault();
  changeSource('show');
});
onClick('sample', () => changeSource('sample'));

const smoothing = byId('smoothing', HTMLInputElement);
smoothing.addEventListener('input', () => charts.smoothing(smoothing.valueAsNumber));
handleFiles(app, form, tryIt);
const gallery = new Gallery(async (loading, name) => {
  const file = `gallery/${name}`;
  await app.start(loading.then(checkpoint => ({ checkpoint, engine: 'auto', paused: true, file })));
  element('memory-title').scrollIntoView({ behavior: 'smooth' });
});
const train = (config: Config): Promise<void> => app.start({ config, engine: app.engine });
const chooser = new Chooser(train);
const guide = new Guide({
  config: train,
  gallery: name => gallery.open(name),
});
onClick('experiment-own', () => {
  const own = element('own');
  own.hidden = !own.hidden;
  element('experiment-own').setAttribute('aria-expanded', String(!own.hidden));
});
new OwnPairs(data => trainOn(app, data, true));

document.addEventListener('visibilitychange', () => {
  // The browser may close a hidden tab without further notice.
  if (document.hidden) app.saveNow().catch(() => undefined);
});

/** Starts the page with the previous run of this tab, or with the run of the address. */
export const start = (): Promise<void> => navigation.start();
