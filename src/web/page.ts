import type { Config } from '../base/config.ts';
import { InputError, messageOf } from '../base/errors.ts';
import { engineName, REFERENCE } from '../platform/names.ts';
import { recoveredWords } from '../train/recovery.ts';
import { App, type Current } from './app.ts';
import { Charts } from './charts/charts.ts';
import type { History } from './charts/history.ts';
import { Chooser } from './choose/choose.ts';
import { Guide } from './choose/guide.ts';
import { Narrator } from './choose/narrator.ts';
import { OwnPairs } from './choose/own-pairs.ts';
import { byId, write, writeOrHide } from './dom.ts';
import { count } from './format.ts';
import { loadHandWhenSeen } from './hand/when-seen.ts';
import { Exports } from './keep/exports.ts';
import { takeFiles, trainOn } from './keep/incoming.ts';
import { KeptRuns } from './keep/kept-runs.ts';
import { RunStorage } from './keep/run-storage.ts';
import { MemoryView } from './memory/view.ts';
import { Controls } from './panels/controls.ts';
import { bringIntoView } from './panels/fold.ts';
import { Gallery } from './panels/gallery.ts';
import { LengthChart } from './panels/lengths.ts';
import {
  showCurves,
  showEnd,
  showEvaluated,
  showOpened,
  showProbe,
  showProgress,
  showStep,
} from './panels/numbers.ts';
import { TryIt } from './panels/tryit.ts';
import { Past } from './past/past.ts';
import { isOver } from './protocol.ts';
import type { Heard, Run } from './run.ts';
import { type Draft, SettingsForm } from './settings/form.ts';
import { continues, statusOf } from './status.ts';
import { showAdapter } from './trust/adapter.ts';
import { VerifyPanel } from './trust/verify.ts';
import { Visit } from './visit.ts';

/** Connects the parts of the page: user actions to the run, and messages of the run to the page. */

const element = (id: string): HTMLElement => byId(id, HTMLElement);
const onClick = (id: string, work: () => void): void =>
  byId(id, HTMLButtonElement).addEventListener('click', work);

// Elements that scroll must be focusable, so that they can be scrolled with keys.
for (const box of document.querySelectorAll<HTMLElement>('.scroll')) box.tabIndex = 0;

const charts = new Charts(element('charts'), element('more-charts'));
const memory = new MemoryView();
const past = new Past(shown => memory.show(shown));
loadHandWhenSeen();
const source = byId('source', HTMLInputElement);
const storage = new RunStorage(problem => writeOrHide(element('storage-problem'), problem));

const app = new App(storage, () => ({ pace: controls.pace, source: source.value }), {
  opening() {
    writeOrHide(element('error'), undefined);
    if (!app.current) controls.show('opening', 'Opening an engine and compiling kernels …');
    else write(element('keep-status'), 'Opening the new run …');
  },
  opened,
  heard,
  refused(message, current, file) {
    write(element('keep-status'), '');
    runs.show();
    if (file) {
      writeOrHide(element('file-problem'), `${file}: ${message}${continues(current)}`);
      bringIntoView(element('file-problem'), { block: 'nearest' });
    } else if (current) {
      form.refuse(message + continues(current));
      bringIntoView(element('settings-title'), { block: 'nearest' });
    }
    if (!current) {
      if (!file) writeOrHide(element('error'), message);
      controls.show('failed', 'There is no run.');
      write(element('adapter'), 'no engine');
    }
  },
  kept: () => {
    runs.show();
  },
});

const controls = new Controls({
  run: () => app.current?.run.tell({ kind: 'run' }),
  pause: () => app.current?.run.tell({ kind: 'pause' }),
  step: () => app.current?.run.tell({ kind: 'step' }),
  stop: () => app.current?.run.tell({ kind: 'stop' }),
  extend: () => app.extend().catch(error => writeOrHide(element('error'), messageOf(error))),
  restart() {
    const { current } = app;
    if (current)
      app.begin({ config: current.record.config, engine: current.record.engine, data: current.data });
    else app.again();
  },
  pace: pace => app.pace(pace),
});

const takeaway = new Exports(app, storage, charts);
const runs = new KeptRuns(app, storage, charts, takeaway);
const narrator = new Narrator();
const form = new SettingsForm((draft: Draft) => app.begin(draft));
const visit = new Visit(app, storage, form);
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
function opened({ run, record, history: curves }: Current, before: Current | undefined): void {
  const { opened: said } = run;
  visit.opened(record, before?.record);
  for (const id of ['error', 'recovered', 'refused', 'link-problem', 'file-problem'])
    writeOrHide(element(id), undefined);
  write(element('keep-status'), '');
  writeOrHide(element('new-data'), said.newData);
  form.set(said.config, record.engine, app.current?.data);
  form.beside(said.config);
  showAdapter(said);
  showOpened(said);
  source.value = said.source;
  tryIt.opened(said.example);
  lengthChart.clear();
  verify.clear();
  past.clear();
  chooser.show(said.config);
  guide.opened(run);
  narrator.opened(said.config, said.step);
  charts.show(curves);
  showCurves(curves, record.step);
  if (!hasLoss(curves)) evaluateUnknown(run);
  if (before && before.record.id !== record.id) runs.drawBeside(before.record.id);
  runs.show();
}

const hasLoss = ({ loss }: History): boolean => loss.some(value => value !== null);

/** Evaluates a model that was trained elsewhere, because no numbers of it are known here. */
async function evaluateUnknown(run: Run): Promise<void> {
  if (run.opened.step === 0) return;
  try {
    const { longest } = await run.ask('lengths', {});
    const evaluation = await run.ask('evaluate', { length: longest, sequences: 64 });
    if (run !== app.current?.run || hasLoss(app.current.history)) return;
    showEvaluated(evaluation);
    narrator.accuracy(evaluation.coarse);
  } catch (error) {
    // The device cannot hold the batch, or the run has ended: the numbers stay empty.
    if (!(error instanceof InputError)) throw error;
  }
}

function heard(message: Heard, { record, frames }: Current): void {
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
      narrator.accuracy(message.progress.coarse);
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
        `At ${recoveredWords(message.recovered)} (${message.recovered.losses})`,
      );
      break;
    case 'probe':
      showStep(message.probe.step);
      past.now(frames);
      showProbe(message.probe);
      narrator.probe(message.probe);
      break;
    case 'failed': {
      const at = record.step > 0 ? ` It is saved as of step ${count(record.step)}.` : '';
      writeOrHide(element('error'), `${message.message} ${message.advice}${at}`);
      controls.show('failed', 'The run has ended.');
      runs.show();
    }
  }
}

/** Sends the source of the picture to the worker. If it cannot be read, the error is shown beside the field. */
async function show(what: 'show' | 'sample'): Promise<void> {
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
  show('show');
});
onClick('sample', () => show('sample'));

const smoothing = byId('smoothing', HTMLInputElement);
smoothing.addEventListener('input', () => charts.smoothing(smoothing.valueAsNumber));
takeFiles(app, form, tryIt);
const gallery = new Gallery(async (coming, name) => {
  const file = `gallery/${name}`;
  await app.begin(coming.then(checkpoint => ({ checkpoint, engine: 'auto', paused: true, file })));
  element('memory-title').scrollIntoView({ behavior: 'smooth' });
});
const beginWith = (config: Config): Promise<void> => app.begin({ config, engine: app.engine });
const chooser = new Chooser(beginWith);
const guide = new Guide({
  config: beginWith,
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
  if (document.hidden) app.keepNow().catch(() => undefined);
});

/** Starts the page with the previous run of this tab, or with the run of the address. */
export const begin = (): Promise<void> => visit.begin();
