/** The suite in this page: settings, progress, tables, plots, and JSON to download. */
import { DeviceError, firstLineOf, InputError } from '../../src/base/errors.ts';
import { findAdapter } from '../../src/platform/browser/platform.ts';
import { allCases, selectCases } from '../cases/index.ts';
import { slug } from '../measure.ts';
import { NOT_INSTALLED, openPeers, PEERS } from '../peers/index.ts';
import type { Peer } from '../peers/peer.ts';
import { plotsOf } from '../plots.ts';
import { headOf, tablesOf } from '../report.ts';
import { type Missing, runSuite, type Suite } from '../suite.ts';

/** What puppeteer reads: the suite when it is done, or why it failed. */
declare global {
  interface Window {
    suite?: Suite;
    failure?: string;
  }
}

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const form = byId<HTMLFormElement>('form');
const only = byId<HTMLInputElement>('only');
const samples = byId<HTMLInputElement>('samples');
const full = byId<HTMLInputElement>('full');
const compare = byId<HTMLInputElement>('peers');
const status = byId('status');
const progress = byId<HTMLProgressElement>('progress');

async function findPeers(): Promise<{ peers: Peer[]; missing: Missing[] }> {
  try {
    const { browserSource } = await import('../peers/browser.ts');
    const { name, kind } = (await findAdapter()).description;
    return await openPeers(PEERS, browserSource(name, kind === 'software'));
  } catch (error) {
    // Usually the packages are not installed, but the browser's error does not say so.
    const reason = `${NOT_INSTALLED} (${firstLineOf(error)})`;
    return { peers: [], missing: PEERS.map(name => ({ name, reason })) };
  }
}

/** What the browser reveals of the machine. */
const machine = () => ({
  browser: navigator.userAgent,
  cores: navigator.hardwareConcurrency,
  clockIsFine: crossOriginIsolated,
});

async function run(texts: readonly string[]): Promise<Suite> {
  const cases = selectCases(allCases(), { only: texts, full: full.checked });
  status.textContent = 'looking for peers …';
  const { peers, missing } = compare.checked ? await findPeers() : { peers: [], missing: [] };
  progress.max = cases.length;
  try {
    return await runSuite({
      cases,
      samples: Number(samples.value),
      peers,
      missing,
      machine: machine(),
      find: () => findAdapter(),
      onProgress: (name, doing, done) => {
        status.textContent = `${done + 1} of ${cases.length}: ${name} – ${doing}`;
        if (doing === 'opening') console.info(`[${done + 1}/${cases.length}] ${name}`);
      },
      onResult: (_, suite) => {
        progress.value = suite.cases.length;
        show(suite);
      },
    });
  } finally {
    for (const peer of peers) await peer.destroy();
  }
}

function show(suite: Suite): void {
  byId('adapter').textContent = headOf(suite, machine().browser).join('\n');
  const { passes, peers, growth, notes } = tablesOf(suite.cases);
  const shown = [passes, peers, growth].filter(rows => rows.length > 1);
  byId('tables').replaceChildren(...shown.map(tableElement));
  byId('plots').replaceChildren(...plotsOf(suite).map(({ title, svg }) => plotElement(title, svg)));
  byId('notes').replaceChildren(...notes.map(note => element('li', note)));
  byId('notes-card').hidden = notes.length === 0;
  offerDownload(suite);
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, text = ''): HTMLElementTagNameMap[K] {
  const created = document.createElement(tag);
  created.textContent = text;
  return created;
}

function tableElement([head, ...rows]: string[][]): HTMLElement {
  const table = element('table');
  table.className = 'numbers';
  const line = (tag: 'th' | 'td', cells: string[]): HTMLElement => {
    const row = element('tr');
    row.append(...cells.map(cell => element(tag, cell)));
    return row;
  };
  table.append(line('th', head), ...rows.map(row => line('td', row)));
  const card = element('section');
  card.className = 'card scroll';
  card.append(table);
  return card;
}

function plotElement(title: string, svg: string): HTMLElement {
  const image = element('img');
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  image.alt = title;
  const card = element('figure');
  card.className = 'card scroll';
  card.append(image);
  return card;
}

let url = '';

function offerDownload(suite: Suite): void {
  URL.revokeObjectURL(url);
  url = URL.createObjectURL(new Blob([JSON.stringify(suite, undefined, 2)], { type: 'application/json' }));
  const link = byId<HTMLAnchorElement>('json');
  link.href = url;
  link.download = `suite-${slug(suite.adapter.name)}-${suite.date.slice(0, 10)}.json`;
  link.hidden = false;
}

async function start(texts: readonly string[]): Promise<void> {
  byId<HTMLFieldSetElement>('settings').disabled = true;
  byId<HTMLButtonElement>('go').disabled = true;
  byId('error').hidden = true;
  window.suite = window.failure = undefined;
  try {
    const suite = await run(texts);
    status.textContent = `done in ${suite.took.toFixed(0)} s`;
    window.suite = suite;
  } catch (error) {
    status.textContent = '';
    showError(error);
  } finally {
    byId<HTMLFieldSetElement>('settings').disabled = false;
    byId<HTMLButtonElement>('go').disabled = false;
  }
}

function showError(error: unknown): void {
  const known = error instanceof InputError || error instanceof DeviceError;
  window.failure = known ? error.message : `${firstLineOf(error)} (more in the console)`;
  if (!known) console.error(error);
  byId('error').textContent = window.failure;
  byId('error').hidden = false;
}

/** Separates texts in the field. Not a comma, because names contain commas. */
const SEPARATOR = ';';

/**
 * Applies the settings in the URL, and starts the suite if they include `run`:
 * `?run&only=memory&only=growth&samples=3&full&no-peers`.
 */
function applyAddress(): void {
  const query = new URLSearchParams(location.search);
  only.value = query.getAll('only').join(`${SEPARATOR} `);
  samples.value = query.get('samples') ?? samples.value;
  full.checked = query.has('full');
  compare.checked = !query.has('no-peers');
  if (query.has('run')) void start(query.getAll('only'));
}

form.addEventListener('submit', event => {
  event.preventDefault();
  const texts = only.value.split(SEPARATOR).map(text => text.trim());
  void start(texts.filter(text => text !== ''));
});
byId('names').append(
  ...allCases().map(({ name, full }) => {
    const option = element('option');
    option.value = name;
    if (full) option.label = 'with the full grid';
    return option;
  }),
);
findAdapter().then(({ description: { name, kind, reason } }) => {
  if (!window.suite) byId('adapter').textContent = `${name} (${kind}) · ${reason}`;
}, showError);
applyAddress();
