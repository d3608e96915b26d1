/** The suite in Node: `npm run bench`. */
import { parseArgs } from 'node:util';
import { firstLineOf, unknown } from '../src/base/errors.ts';
import { release } from '../src/platform/node/adapter.ts';
import { openEngine } from '../src/platform/node/engine.ts';
import { allCases, selectCases } from './cases/index.ts';
import { countOption, machine, machineLine, needAdapter, resultName, saveText } from './node.ts';
import { type OpenedPeers, openPeers, PEERS, type PeerName } from './peers/index.ts';
import { nodeSource } from './peers/node.ts';
import { plotsOf } from './plots.ts';
import { headOf, textOf } from './report.ts';
import { type Found, failuresOf, runSuite, type Suite } from './suite.ts';

const SAMPLES = 10;
const MIN_SAMPLES = 3;

const HELP = `npm run bench -- [options]
  --only <text>    only cases whose names contain this (see --list); may be repeated
  --full           the whole grid, the paper's models at B=128, peers also where a pass takes minutes: hours on a software adapter
  --samples <n>    samples per case (default ${SAMPLES}, at least ${MIN_SAMPLES})
  --no-peers       only pushdown
  --peer <name>    only this peer (tfjs, jax, torch, torch-graph); may be repeated
  --engine <name>  gpu (default), or cpu: WebAssembly SIMD, with TensorFlow.js and jax-js on WebAssembly
  --threads <n>    maximum threads of engine cpu (default all cores); its cases "one thread" use one
  --unsafe         no bounds checks on a software adapter, like pushdown --unsafe; peers keep theirs
  --json           also write bench/results/suite-<adapter>-<date>.json, and its plots as .svg beside it
  --list           list the names of the cases and exit
Exit code 1: a case failed, a peer disagrees, or time or bytes grow faster than allowed.`;

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      full: { type: 'boolean', default: false },
      samples: { type: 'string', default: String(SAMPLES) },
      'no-peers': { type: 'boolean', default: false },
      peer: { type: 'string', multiple: true, default: [...PEERS] },
      engine: { type: 'string', default: 'gpu' },
      threads: { type: 'string' },
      unsafe: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const samples = countOption('samples', values.samples, MIN_SAMPLES);
  const engineName = values.engine;
  if (engineName !== 'gpu' && engineName !== 'cpu') unknown('engine', engineName, ['gpu', 'cpu']);
  const threads = values.threads === undefined ? undefined : countOption('threads', values.threads, 1);
  const cases = selectCases(allCases(engineName), values);
  if (values.list) {
    for (const { name } of cases) console.log(name);
    return 0;
  }
  for (const name of values.peer) if (!PEERS.includes(name as PeerName)) unknown('peer', name, PEERS);
  const peerNames = values['no-peers'] ? [] : (values.peer as PeerName[]);
  const { peers, missing, release: releasePeers } = await findPeers(peerNames, engineName);
  const kind = values.unsafe ? 'suite-unsafe' : 'suite';
  const before = machine();
  const suite = await runSuite({
    cases,
    samples,
    peers,
    missing,
    machine: before,
    ...(engineName === 'cpu' && { engine: await openEngine('cpu', { threads }) }),
    find: () => findAdapter(!values.unsafe),
    onProgress: showProgress(cases.length),
    onResult: (_, suite) => {
      showProgress(0)();
      // Saved after every case, so that an interrupted suite keeps its results.
      if (values.json) saveSuite(suite, kind);
    },
  });
  for (const peer of peers) await peer.destroy();
  releasePeers();
  console.log(headOf(suite, machineLine(before)).join('\n'));
  console.log(`\n${textOf(suite)}`);
  if (values.json) console.log(`\nwritten: ${saveSuite(suite, kind).join(', ')}`);
  const problems = failuresOf(suite);
  for (const problem of problems) console.error(problem);
  return problems.length ? 1 : 0;
}

/** Writes the JSON and the plots. Returns the paths. */
export function saveSuite(suite: Suite, kind = 'suite'): string[] {
  const name = resultName(kind, suite.adapter.name, suite.date);
  return [
    saveText(`${name}.json`, `${JSON.stringify(suite, undefined, 2)}\n`),
    ...plotsOf(suite).map(({ name: plot, svg }) => saveText(`${name}-${plot}.svg`, svg)),
  ];
}

let last: Awaited<ReturnType<typeof needAdapter>> | undefined;

/** An adapter gives only one device, so another device needs another adapter. */
async function findAdapter(boundsChecks: boolean): Promise<Found> {
  if (last) release(last.gpu);
  last = await needAdapter(boundsChecks);
  return last;
}

/** Opens the installed peers. Also returns the function that releases their adapters. */
async function findPeers(
  names: readonly PeerName[],
  engine: 'gpu' | 'cpu',
): Promise<OpenedPeers & { release(): void }> {
  try {
    const source = await nodeSource(engine === 'cpu' ? 'wasm' : 'webgpu');
    return { ...(await openPeers(names, source)), release: () => source.release() };
  } catch (error) {
    const reason = firstLineOf(error);
    return { peers: [], missing: names.map(name => ({ name, reason })), release: () => undefined };
  }
}

/** Shows progress: on a terminal one line that is overwritten, elsewhere one line per case. */
function showProgress(total: number): (name?: string, doing?: string, done?: number) => void {
  return (name = '', doing = '', done = 0) => {
    const { isTTY, columns = 80 } = process.stderr;
    if (isTTY)
      process.stderr.write(
        `\r\x1b[K${name ? `[${done + 1}/${total}] ${name} – ${doing}`.slice(0, columns - 1) : ''}`,
      );
    else if (doing === 'opening') process.stderr.write(`[${done + 1}/${total}] ${name}\n`);
  };
}
