/** The parts of benchmarks that need Node: options, the machine, results on disk. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { DeviceError, InputError } from '../src/base/errors.ts';
import type { AdapterDescription } from '../src/engine/engine.ts';
import { type FoundAdapter, findAdapter, searchText } from '../src/platform/node/adapter.ts';
import { slug } from './measure.ts';

/**
 * Parses an option whose value is a number.
 * @throws InputError if it is not a number, or below `min`
 */
export function numberOption(name: string, text: string, min: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value < Infinity) return value;
  throw new InputError(`--${name} must be a number of at least ${min}, got "${text}".`);
}

/** Parses an option whose value is a whole number of at least `min`. @throws InputError */
export function countOption(name: string, text: string, min: number): number {
  const value = numberOption(name, text, min);
  if (Number.isInteger(value)) return value;
  throw new InputError(`--${name} must be a whole number, got "${text}".`);
}

/** What timings depend on besides the adapter. The load shows whether the machine was quiet. */
export const machine = () => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  load: Number(loadavg()[0].toFixed(2)),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
});

/** `2 cores of AMD EPYC, load 0.3, Node v22` */
export const machineLine = ({ processor, cores, load, node }: ReturnType<typeof machine>): string =>
  `${cores} cores of ${processor}, load ${load}, Node ${node}`;

/**
 * Finds an adapter.
 * @param checked keep the bounds checks of a software adapter, as browsers do
 * @throws DeviceError that lists the places searched
 */
export async function needAdapter(checked = true): Promise<FoundAdapter> {
  const search = await findAdapter({ checked });
  if (search.found) return search.found;
  throw new DeviceError(`no WebGPU adapter: ${searchText(search)}`);
}

/** The folder of results. */
export const FOLDER = join('bench', 'results');

/** Writes a file into bench/results/. Returns its path. */
export function saveText(file: string, text: string): string {
  const path = join(FOLDER, file);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The name of a result: `<name>-<adapter>-<date>`. */
export const resultName = (name: string, adapter: string, date = new Date().toISOString()): string =>
  `${name}-${slug(adapter)}-${date.slice(0, 10)}`;

/** Writes bench/results/<name>-<adapter>-<date>.json. Returns its path. */
export function save(name: string, adapter: AdapterDescription, results: object): string {
  const date = new Date().toISOString();
  const all = { benchmark: name, date, adapter, ...results };
  return saveText(`${resultName(name, adapter.name, date)}.json`, `${JSON.stringify(all, undefined, 2)}\n`);
}
