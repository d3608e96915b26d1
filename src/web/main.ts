import { InputError, messageOf } from '../base/errors.ts';
import { preset } from '../train/presets.ts';
import { App, type Current } from './app.ts';
import { toCsv } from './charts/history.ts';
import { pictureOf } from './charts/picture.ts';
import { button, byId, download, make, write, writeOrHide } from './dom.ts';
import { count } from './format.ts';
import { onFiles, readFiles } from './keep/files.ts';
import { Keeper } from './keep/keeper.ts';
import { isOver, RunList } from './keep/list.ts';
import { mendLocale } from './locale.ts';
import { MemoryView } from './memory/view.ts';
import { Controls } from './panels/controls.ts';
import { showEnd, showLook, showOpened, showProgress, showStep } from './panels/numbers.ts';
import { TryIt } from './panels/tryit.ts';
import type { DataText, RunState } from './protocol.ts';
import type { Heard } from './run.ts';
import { type Address, readAddress, toAddress } from './settings/address.ts';
import { fitTo } from './settings/checker.ts';
import { wordsOf } from './settings/differences.ts';
import { type Draft, SettingsForm } from './settings/form.ts';
import { showAdapter } from './trust/adapter.ts';
import { VerifyPanel } from './trust/verify.ts';

/** Wires the page: what a person does to the run, and what the run says to the page. */

mendLocale();
const { Charts } = await import('./charts/charts.ts');
const { LengthChart } = await import('./panels/lengths.ts');

const element = (id: string): HTMLElement => byId(id, HTMLElement);
const onClick = (id: string, work: () => void): void =>
  byId(id, HTMLButtonElement).addEventListener('click', work);

// What scrolls can be scrolled by keys.
for (const box of document.querySelectorAll<HTMLElement>('.scroll')) box.tabIndex = 0;

const charts = new Charts(element('charts'));
const memory = new MemoryView();
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
  refused(message, current) {
    write(element('keep-status'), '');
    if (current) {
      form.refuse(`${message} The current run goes on.`);
      element('settings-title').scrollIntoView({ block: 'nearest' });
    } else {
      writeOrHide(element('error'), message);
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
  restart() {
    const { current } = app;
    if (current)
      app.begin({ config: current.record.config, engine: current.record.engine, data: current.data });
    else app.begin({ config: preset('reverse'), engine: 'auto' });
  },
  pace: pace => app.pace(pace),
});

const form = new SettingsForm((draft: Draft) => app.begin(draft));
const tryIt = new TryIt(() => app.current?.run);
const lengthChart = new LengthChart(() => app.current?.run);
const verify = new VerifyPanel(async () => {
  const { current } = app;
  if (!current) return undefined;
  const { bytes } = await current.run.ask('checkpoint', {});
  return { checkpoint: bytes, engine: current.record.engine, data: current.data };
});
const runs = new RunList({
  resume: id => {
    keeper.run(id).then(run => app.resume(id, run !== undefined && !isOver(run.state)));
  },
  delete: id => {
    keeper.delete(id).then(showRuns);
  },
  async download(id) {
    const checkpoint = id === app.current?.record.id ? undefined : await keeper.checkpoint(id);
    const run = await keeper.run(id);
    if (checkpoint && run) saveCheckpoint(checkpoint, wordsOf(run.config), run.step);
    else await saveCurrent();
  },
  async compare(ids) {
    const found = await Promise.all(
      ids.map(async id => {
        const [run, history] = await Promise.all([keeper.run(id), keeper.history(id)]);
        return run && history ? [{ name: wordsOf(run.config), history }] : [];
      }),
    );
    charts.compare(found.flat());
  },
});

/** Written now and then: the list is read anew, but not while the last reading goes on. */
let listing = false;
async function showRuns(): Promise<void> {
  if (listing) return;
  listing = true;
  runs.show(await keeper.runs(), app.current?.record.id ?? '');
  listing = false;
}

function opened({ run, record, history }: Current, before: Current | undefined): void {
  const { opened: said } = run;
  sessionStorage.setItem(TAB_RUN, record.id);
  browserHistory.replaceState(
    null,
    '',
    toAddress({ config: said.config, engine: record.engine, paused: false }),
  );
  for (const id of ['error', 'refused', 'link-problem', 'file-problem']) writeOrHide(element(id), undefined);
  write(element('keep-status'), '');
  form.set(said.config, record.engine, app.current?.data);
  form.beside(said.config);
  showAdapter(said);
  showOpened(said);
  source.value = said.source;
  tryIt.opened(said.example);
  lengthChart.clear();
  verify.clear();
  charts.show(history);
  if (before && before.record.id !== record.id) runs.add(before.record.id);
  showRuns();
}

function heard(message: Heard, { record }: Current): void {
  switch (message.kind) {
    case 'state':
      showStep(message.step);
      if (isEnd(message.state)) showEnd();
      controls.show(message.state, statusOf(message.state, message.step));
      break;
    case 'progress':
      charts.changed();
      showProgress(message.progress);
      break;
    case 'evaluation':
      charts.changed();
      break;
    case 'restart': {
      const { step, restarts, loss } = message.restart;
      const stuck = `Stuck at a loss of ${loss.toFixed(3)} at step ${count(step)}: begun anew (restart ${restarts}).`;
      controls.show('running', stuck);
      break;
    }
    case 'look':
      showStep(message.look.step);
      memory.show(message.look.shown);
      showLook(message.look);
      break;
    case 'failed': {
      const at = record.step > 0 ? ` It is kept as it was at step ${count(record.step)}.` : '';
      writeOrHide(element('error'), `${message.message} ${message.advice}${at}`);
      controls.show('failed', 'The run has ended.');
      showRuns();
    }
  }
}

const isEnd = (state: RunState): boolean => state !== 'running' && state !== 'paused';

function statusOf(state: RunState, step: number): string {
  switch (state) {
    case 'running':
      return 'Training …';
    case 'paused':
      return step === 0 ? 'Ready.' : `Paused at step ${count(step)}.`;
    case 'solved':
      return `Solved at step ${count(step)}: twice running, nearly all evaluated sequences were wholly right.`;
    case 'done':
      return `Done: all ${count(step)} steps are made.`;
    case 'stalled':
      return `Ended at step ${count(step)}: the loss had not improved for as long as patience allows.`;
    case 'stopped':
      return `Stopped at step ${count(step)}. Restart begins anew; the run is kept below.`;
  }
}

/** Puts the source of the picture to the worker; what it cannot read is told beside the field. */
async function show(question: Promise<string> | undefined): Promise<void> {
  const refused = element('refused');
  try {
    const shown = await question;
    if (shown !== undefined) source.value = shown;
    source.removeAttribute('aria-invalid');
    writeOrHide(refused, undefined);
  } catch (error) {
    source.setAttribute('aria-invalid', 'true');
    writeOrHide(refused, messageOf(error));
  }
}
byId('show', HTMLFormElement).addEventListener('submit', event => {
  event.preventDefault();
  show(app.current?.run.ask('show', { source: source.value }));
});
onClick('sample', () => {
  show(app.current?.run.ask('sample', { length: byId('sample-length', HTMLInputElement).valueAsNumber }));
});

// Charts: smoothing, and to take them away.
const smoothing = byId('smoothing', HTMLInputElement);
smoothing.addEventListener('input', () => charts.smoothing(smoothing.valueAsNumber));
const fileName = (ending: string): string =>
  `pushdown-${wordsOf(app.current?.record.config ?? preset('reverse')).replace(/[^\w.-]+/g, '-')}${ending}`;
onClick('save-csv', () => {
  const { current } = app;
  if (current) download(fileName('.csv'), new Blob([toCsv(current.history)], { type: 'text/csv' }));
});
onClick('save-json', () => {
  const { current } = app;
  if (!current) return;
  const { record, history } = current;
  const { engine, adapter } = current.run.opened;
  const text = JSON.stringify({ config: record.config, engine, adapter, history }, null, 1);
  download(fileName('.json'), new Blob([text], { type: 'application/json' }));
});
onClick('save-png', async () => {
  const heading = wordsOf(app.current?.record.config ?? preset('reverse'));
  download(fileName('.png'), await pictureOf(charts.drawn, heading));
});

// What can be kept of a run beside the browser's storage.
const saveCheckpoint = (bytes: Uint8Array, name: string, step: number): void =>
  download(
    `pushdown-${name.replace(/[^\w.-]+/g, '-')}-step${step}.safetensors`,
    new Blob([bytes as BlobPart], { type: 'application/octet-stream' }),
  );
async function saveCurrent(): Promise<void> {
  const { current } = app;
  if (!current) return;
  const { bytes, step } = await current.run.ask('checkpoint', {});
  saveCheckpoint(bytes, wordsOf(current.record.config), step);
}
onClick('save-checkpoint', () => {
  saveCurrent().catch(error => writeOrHide(element('file-problem'), messageOf(error)));
});
onClick('save-config', () => {
  const { current } = app;
  if (!current) return;
  const text = `${JSON.stringify(current.record.config, null, 2)}\n`;
  download(fileName('-config.json'), new Blob([text], { type: 'application/json' }));
});
onClick('copy-link', async () => {
  const copied = await navigator.clipboard?.writeText(location.href).then(
    () => true,
    () => false,
  );
  write(element('keep-status'), copied ? 'Copied.' : 'The address of this page is the link.');
});

// Files.
onFiles(byId('files', HTMLInputElement), files => {
  open(files).catch(error => {
    if (!(error instanceof InputError)) throw error;
    writeOrHide(element('file-problem'), `${error.message} The current run goes on.`);
    element('file-problem').scrollIntoView({ block: 'nearest' });
  });
});

async function open(files: File[]): Promise<void> {
  writeOrHide(element('file-problem'), undefined);
  element('dropped').hidden = true;
  const read = await readFiles(files);
  if (read.kind === 'checkpoint') {
    await app.begin({ checkpoint: read.bytes, data: read.data, engine: 'auto', paused: true });
  } else if (read.kind === 'config') {
    form.set(read.config, undefined, undefined);
    byId('all-settings', HTMLDetailsElement).open = true;
    element('settings-title').scrollIntoView();
  } else offer(read.data);
}

/** What can be done with a file of pairs. */
function offer(data: DataText): void {
  const box = element('dropped');
  const characters = make('input', { type: 'checkbox', id: 'dropped-characters' });
  const act = (label: string, work: () => Promise<void>) =>
    button(label, () => {
      work().then(
        () => {
          box.hidden = true;
        },
        error => writeOrHide(element('file-problem'), messageOf(error)),
      );
    });
  box.replaceChildren(
    make('p', {}, `${data.file}: pairs of your own. What shall be done with them?`),
    make(
      'div',
      { class: 'buttons' },
      act('Train on them', async () => {
        const { config } = await fitTo(data, characters.checked);
        await app.begin({ config, data, engine: app.current?.record.engine ?? 'auto' });
      }),
      make('label', { class: 'check' }, characters, ' every character is a symbol'),
      act('Test the current model on them', () => tryIt.test(data)),
    ),
  );
  box.hidden = false;
  box.scrollIntoView({ block: 'nearest' });
}

// The address: a link reproduces a run.
const browserHistory = window.history;
const TAB_RUN = 'pushdown run';

function addressed(): Address | undefined {
  try {
    const address = readAddress(location.hash);
    writeOrHide(element('link-problem'), address?.warning && `Careful: ${address.warning}`);
    return address;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const instead = app.current ? 'The current run goes on.' : 'The default run begins instead.';
    writeOrHide(element('link-problem'), `The link cannot be used: ${error.message} ${instead}`);
    return undefined;
  }
}
addEventListener('hashchange', async () => {
  const address = addressed();
  const warning = element('link-problem').textContent;
  if (address) await app.begin(address);
  else if (app.current) {
    const { config, engine } = app.current.record;
    browserHistory.replaceState(null, '', toAddress({ config, engine, paused: false }));
  }
  writeOrHide(element('link-problem'), warning ?? undefined);
});

/** What this tab had before a reload or a crash, if the address still means that; else what the address says. */
async function begin(): Promise<void> {
  const address = addressed();
  const warning = element('link-problem').textContent || undefined;
  const same = (run: { config: Address['config']; engine: string }): boolean =>
    !address ||
    (toAddress({ ...address, paused: false }) ===
      toAddress({ config: run.config, engine: address.engine, paused: false }) &&
      run.engine === address.engine);
  const tab = sessionStorage.getItem(TAB_RUN);
  const stored = tab ? await keeper.run(tab) : undefined;
  const cutOff = address ? (await keeper.runs()).find(run => run.going && same(run)) : undefined;
  const earlier = stored && same(stored) ? stored : cutOff;
  if (earlier) {
    await app.resume(earlier.id, earlier.going);
    if (app.current) {
      write(element('keep-status'), `Went on from step ${count(earlier.step)}, kept in this browser.`);
      writeOrHide(element('link-problem'), warning);
      return;
    }
  }
  await app.begin(address ?? { config: preset('reverse'), engine: 'auto' });
  writeOrHide(element('link-problem'), warning);
}

document.addEventListener('visibilitychange', () => {
  // A hidden tab may be closed without another word.
  if (document.hidden) app.keepNow().catch(() => undefined);
});

begin();
