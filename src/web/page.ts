import type { Config } from '../base/config.ts';
import { InputError, messageOf } from '../base/errors.ts';
import { type EngineName, engineName, REFERENCE } from '../platform/names.ts';
import { preset } from '../train/presets.ts';
import { recoveredWords } from '../train/recovery.ts';
import { App, type Beginning, type Current } from './app.ts';
import { Charts } from './charts/charts.ts';
import { type History, noHistory } from './charts/history.ts';
import { Chooser } from './choose/choose.ts';
import { Guide } from './choose/guide.ts';
import { OwnPairs } from './choose/own-pairs.ts';
import { type Known, soFar, whatOf } from './choose/story.ts';
import { byId, write, writeOrHide } from './dom.ts';
import { count } from './format.ts';
import { HandMemory } from './hand/hand.ts';
import { Exports } from './keep/exports.ts';
import { takeFiles } from './keep/incoming.ts';
import { Keeper } from './keep/keeper.ts';
import { RunList } from './keep/list.ts';
import type { StoredRun } from './keep/store.ts';
import { MemoryView } from './memory/view.ts';
import { Controls } from './panels/controls.ts';
import { Gallery } from './panels/gallery.ts';
import { LengthChart } from './panels/lengths.ts';
import {
  showCurves,
  showEnd,
  showEvaluated,
  showLook,
  showOpened,
  showProgress,
  showStep,
} from './panels/numbers.ts';
import { TryIt } from './panels/tryit.ts';
import { Past } from './past/past.ts';
import { isOver, type RunState } from './protocol.ts';
import type { Heard, Run } from './run.ts';
import { type Address, readAddress, toAddress } from './settings/address.ts';
import { fitTo } from './settings/checker.ts';
import { wordsOf } from './settings/differences.ts';
import { type Draft, SettingsForm } from './settings/form.ts';
import { showAdapter } from './trust/adapter.ts';
import { VerifyPanel } from './trust/verify.ts';

/** Wires the page: what a person does to the run, and what the run says to the page. */

const element = (id: string): HTMLElement => byId(id, HTMLElement);
const onClick = (id: string, work: () => void): void =>
  byId(id, HTMLButtonElement).addEventListener('click', work);

// What scrolls can be scrolled by keys.
for (const box of document.querySelectorAll<HTMLElement>('.scroll')) box.tabIndex = 0;

const charts = new Charts(element('charts'), element('more-charts'));
const memory = new MemoryView();
const past = new Past(shown => memory.show(shown));
new HandMemory();
const source = byId('source', HTMLInputElement);
const keeper = new Keeper(problem => writeOrHide(element('storage-problem'), problem));

const app = new App(keeper, () => ({ pace: controls.pace, source: source.value }), {
  opening() {
    writeOrHide(element('error'), undefined);
    if (!app.current) controls.show('opening', 'Opening an engine, compiling its kernels …');
    else write(element('keep-status'), 'Opening the new run …');
  },
  opened,
  heard,
  refused(message, current, file) {
    write(element('keep-status'), '');
    showRuns();
    if (file) {
      const goesOn = current ? ' The current run continues.' : '';
      writeOrHide(element('file-problem'), `${file}: ${message}${goesOn}`);
      element('file-problem').scrollIntoView({ block: 'nearest' });
    } else if (current) {
      form.refuse(`${message} The current run continues.`);
      element('settings-title').scrollIntoView({ block: 'nearest' });
    }
    if (!current) {
      if (!file) writeOrHide(element('error'), message);
      controls.show('failed', 'There is no run.');
      write(element('adapter'), 'no engine');
    }
  },
  kept: () => {
    showRuns();
  },
});

const controls = new Controls({
  run: () => app.current?.run.tell({ kind: 'run' }),
  pause: () => app.current?.run.tell({ kind: 'pause' }),
  step: () => app.current?.run.tell({ kind: 'step' }),
  stop: () => app.current?.run.tell({ kind: 'stop' }),
  further: () => app.further().catch(error => writeOrHide(element('error'), messageOf(error))),
  restart() {
    const { current } = app;
    if (current)
      app.begin({ config: current.record.config, engine: current.record.engine, data: current.data });
    else app.again();
  },
  pace: pace => app.pace(pace),
});

const takeaway = new Exports(app, keeper, charts);
const form = new SettingsForm((draft: Draft) => app.begin(draft));
const tryIt = new TryIt(() => app.current?.run);
const lengthChart = new LengthChart(() => app.current?.run);
const verify = new VerifyPanel(async () => {
  const { current } = app;
  if (!current) return undefined;
  if (current.run.opened.engine === REFERENCE) {
    throw new InputError('this run is computed by the reference itself: there is nothing to compare.');
  }
  const { bytes } = await current.run.ask('checkpoint', {});
  return { checkpoint: bytes, engine: engineName(current.run.opened.engine), data: current.data };
});
const runs = new RunList({
  resume: id => {
    app.resume(id);
  },
  async delete(id, name) {
    if (!confirm(`Delete ${name}, with its checkpoint?`)) return;
    const deleted = await keeper.delete(id);
    write(element('keep-status'), deleted ? '' : 'It is open in another tab: close that first.');
    await showRuns();
  },
  download: id => takeaway.checkpoint(id),
  async compare(ids) {
    const turn = ++comparing;
    const found = await Promise.all(
      ids.map(async id => {
        const [run, history] = await Promise.all([keeper.run(id), keeper.history(id)]);
        return { name: run ? wordsOf(run.config) : 'no longer kept', history: history ?? noHistory() };
      }),
    );
    if (turn === comparing) charts.compare(found);
  },
});
let comparing = 0;

/** Written now and then: the list is read anew, once more where that was asked for while it was read. */
let listing: Promise<void> | undefined;
let listAgain = false;
function showRuns(): Promise<void> {
  listAgain = true;
  listing ??= list().finally(() => {
    listing = undefined;
  });
  return listing;
}
async function list(): Promise<void> {
  while (listAgain) {
    listAgain = false;
    const stored = await keeper.runs();
    // A run that has failed can be resumed, as one that is not here.
    const { current } = app;
    const unkept = current && !stored.some(({ id }) => id === current.record.id) ? [current.record] : [];
    runs.show([...unkept, ...stored], current && !current.run.ended ? current.record.id : '');
  }
}

function opened({ run, record, history: curves }: Current, before: Current | undefined): void {
  const { opened: said } = run;
  rememberRun(record.id);
  addressIs(record, before);
  for (const id of ['error', 'recovered', 'refused', 'link-problem', 'file-problem'])
    writeOrHide(element(id), undefined);
  write(element('keep-status'), '');
  form.set(said.config, record.engine, app.current?.data);
  form.beside(said.config);
  showAdapter(said);
  showOpened(said);
  source.value = said.source;
  tryIt.opened(said.example);
  lengthChart.clear();
  verify.clear();
  past.clear();
  const memoryless = said.config.model.memory === 'none';
  // Without a memory they would mean nothing.
  for (const id of ['profile-now', 'profile-figure', 'memory-legend', 'reading-help'])
    element(id).hidden = memoryless;
  const title = memoryless ? 'One sequence, step by step' : 'The memory over one sequence';
  write(element('memory-title'), title);
  chooser.show(said.config);
  guide.opened(run);
  known = { step: said.step, coarse: Number.NaN };
  tellStory(said.config);
  charts.show(curves);
  showCurves(curves, record.step);
  if (!hasLoss(curves)) evaluateUnknown(run);
  if (before && before.record.id !== record.id) runs.add(before.record.id);
  showRuns();
}

/** What the sentences at the top are made of. */
let known: Known = { step: 0, coarse: Number.NaN };
const tellStory = (config: Config): void =>
  write(element('story'), `${whatOf(config)} ${soFar(config, known)}`);

const hasLoss = ({ loss }: History): boolean => loss.some(value => value !== null);

/** A model that was trained elsewhere has no numbers here yet: they are measured. */
async function evaluateUnknown(run: Run): Promise<void> {
  if (run.opened.step === 0) return;
  try {
    const { longest } = await run.ask('lengths', {});
    const evaluation = await run.ask('evaluate', { length: longest, sequences: 64 });
    if (run === app.current?.run && !hasLoss(app.current.history)) {
      showEvaluated(evaluation);
      known.coarse = evaluation.coarse;
      tellStory(run.opened.config);
    }
  } catch (error) {
    // A device that cannot hold the batch, or a run that has ended: the tiles stay empty.
    if (!(error instanceof InputError)) throw error;
  }
}

function heard(message: Heard, { record }: Current): void {
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
      known.coarse = message.progress.coarse;
      break;
    case 'evaluation':
      charts.changed();
      break;
    case 'restart': {
      const { step, restarts, loss } = message.restart;
      const stuck = `Stuck at a loss of ${loss.toFixed(3)} at step ${count(step)}: restarted with new weights (${restarts}).`;
      controls.show('running', stuck);
      break;
    }
    case 'recovered':
      writeOrHide(
        element('recovered'),
        `At ${recoveredWords(message.recovered)} (${message.recovered.losses})`,
      );
      break;
    case 'look':
      showStep(message.look.step);
      past.now(message.look.step, message.look.shown);
      showLook(message.look);
      known = { ...known, step: message.look.step, profile: message.look.profile };
      tellStory(record.config);
      break;
    case 'failed': {
      const at = record.step > 0 ? ` It is kept as it was at step ${count(record.step)}.` : '';
      writeOrHide(element('error'), `${message.message} ${message.advice}${at}`);
      controls.show('failed', 'The run has ended.');
      showRuns();
    }
  }
}

function statusOf(state: RunState, step: number, { train }: Config): string {
  const { stopAt, stopPasses: passes } = train;
  switch (state) {
    case 'running':
      return 'Training …';
    case 'paused':
      return step === 0 ? 'Ready.' : `Paused at step ${count(step)}.`;
    case 'solved':
      return `Solved at step ${count(step)}: at least ${Number((100 * stopAt).toPrecision(4))} % of test sequences fully correct, ${passes === 1 ? 'once' : passes === 2 ? 'twice in a row' : `${passes} times in a row`}. Keep training for longer ones.`;
    case 'done':
      return `Done: all ${count(step)} steps.`;
    case 'stalled':
      return `Ended at step ${count(step)}: the loss no longer improved.`;
    case 'stopped':
      return `Stopped at step ${count(step)}. The run is kept below.`;
  }
}

/** Puts the source of the picture to the worker; what it cannot read is told beside the field. */
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
const engine = (): EngineName => app.current?.record.engine ?? 'auto';
const chooser = new Chooser(config => app.begin({ config, engine: engine() }));
const guide = new Guide({
  config: config => app.begin({ config, engine: engine() }),
  gallery: name => gallery.open(name),
});
onClick('experiment-own', () => {
  const own = element('own');
  own.hidden = !own.hidden;
  element('experiment-own').setAttribute('aria-expanded', String(!own.hidden));
});
new OwnPairs(data =>
  app.begin(fitTo(data, true).then(config => ({ config, data, engine: engine(), file: data.file }))),
);

/** The entry of the browser's history is another one already: a link was followed, or Back or Forward. */
let navigated = false;

/** The address: a link reproduces a run. Its entry of the browser's history knows which run it was. */
function addressIs({ id, config, engine }: StoredRun, before?: Current): void {
  const another = before !== undefined && before.record.id !== id && !navigated;
  navigated = false;
  const address = toAddress({ config, engine, paused: false });
  history[another ? 'pushState' : 'replaceState']({ run: id }, '', address);
}

/** The run of this tab, over a reload. A browser that keeps nothing may refuse even this. */
const TAB_RUN = 'pushdown run';
function rememberRun(id: string): void {
  try {
    sessionStorage.setItem(TAB_RUN, id);
  } catch {
    // Then a reload begins what the address says.
  }
}
function rememberedRun(): string | null {
  try {
    return sessionStorage.getItem(TAB_RUN);
  } catch {
    return null;
  }
}

function addressed(hash = location.hash): Address | undefined {
  try {
    const address = readAddress(hash);
    writeOrHide(element('link-problem'), address?.warning && `Careful: ${address.warning}`);
    return address;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const instead = app.current ? 'The current run continues.' : 'The default run starts instead.';
    writeOrHide(element('link-problem'), `The link cannot be used: ${error.message} ${instead}`);
    return undefined;
  }
}
/** The address that Back or Forward came to, where its run is kept. */
let returned = '';
addEventListener('popstate', async ({ state }) => {
  const id: unknown = state?.run;
  if (typeof id !== 'string') return;
  returned = location.href;
  if (id === app.current?.record.id) return;
  navigated = true;
  const address = addressed();
  if (await keeper.run(id)) await app.resume(id, app.wasPaused(id));
  else if (address) await app.begin(address);
  settle();
});
addEventListener('hashchange', async ({ newURL }) => {
  if (newURL === returned) {
    returned = '';
    return;
  }
  // Not the address of this moment, which a run that has just opened may have set meanwhile.
  const address = addressed(new URL(newURL).hash);
  const warning = element('link-problem').textContent;
  navigated = true;
  if (address) await app.begin(address);
  settle();
  writeOrHide(element('link-problem'), warning ?? undefined);
});
/** Also where the run could not be had, the address is that of the current one. */
function settle(): void {
  navigated = true;
  if (app.current) addressIs(app.current.record);
}

/** What this tab had before a reload or a crash, if the address still means that; else what the address says. */
export async function begin(): Promise<void> {
  const address = addressed();
  const warning = element('link-problem').textContent || undefined;
  const wanted: Beginning = address ?? { config: preset('reverse'), engine: 'auto' };
  form.set(wanted.config!, wanted.engine);
  const same = ({ config, engine }: StoredRun): boolean =>
    !address || toAddress({ config, engine, paused: false }) === toAddress({ ...address, paused: false });
  const tab = rememberedRun();
  const stored = tab ? await keeper.run(tab) : undefined;
  const cutOff = address ? (await keeper.runs()).find(run => run.going && same(run)) : undefined;
  const earlier = stored && same(stored) ? stored : cutOff;
  if (earlier) {
    await app.resume(earlier.id, !earlier.going || address?.paused);
    if (app.current)
      write(element('keep-status'), `Resumed from step ${count(earlier.step)}, kept in this browser.`);
  }
  if (!app.current) {
    const why = element('error').textContent;
    await app.begin(wanted);
    if (why) writeOrHide(element('error'), `The run kept in this browser could not be opened: ${why}`);
  }
  writeOrHide(element('link-problem'), warning);
}

document.addEventListener('visibilitychange', () => {
  // A hidden tab may be closed without another word.
  if (document.hidden) app.keepNow().catch(() => undefined);
});
