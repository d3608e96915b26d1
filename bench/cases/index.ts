/** All cases of the suite, in the order in which they run. */
import { InputError } from '../../src/base/errors.ts';
import { adapterCases } from './adapter.ts';
import type { Case } from './case.ts';
import { cpuCases } from './cpu.ts';
import { growthCases } from './growth.ts';
import { memoryCases } from './memory.ts';
import { prefixSumCases } from './prefix-sum.ts';
import { oneThreadCases, trainingCases } from './training.ts';

/** @param engine the engine that the cases run on: prefix sums and other forms of the memory are only for the GPU */
export const allCases = (engine: 'gpu' | 'cpu' = 'gpu'): Case[] => [
  ...(engine === 'gpu' ? [...adapterCases(), ...prefixSumCases()] : cpuCases()),
  ...trainingCases(),
  ...(engine === 'cpu' ? oneThreadCases() : []),
  ...memoryCases().filter(({ name }) => engine === 'gpu' || !name.endsWith(' form')),
  ...growthCases(),
];

/** These cases measure the adapter's peak, which all others are compared with: they always run. */
const ALWAYS = 'adapter: ';

/**
 * The cases whose names contain one of the texts, and those of the adapter.
 * @param only texts, case-insensitive; empty: all cases
 * @param full whether to include the cases for `--full`; without it they count as absent
 * @throws InputError for a text that no name contains
 */
export function selectCases<C extends Pick<Case, 'name' | 'full'>>(
  cases: readonly C[],
  { only = [], full = false }: { only?: readonly string[]; full?: boolean },
): C[] {
  const has = (text: string) => (candidate: C) => candidate.name.toLowerCase().includes(text.toLowerCase());
  const available = cases.filter(candidate => full || !candidate.full);
  for (const text of only) {
    if (available.some(has(text))) continue;
    const more = cases.filter(has(text)).length;
    const groups = [...new Set(cases.map(({ name }) => name.split(':')[0]))].join(', ');
    throw new InputError(
      `--only "${text}": no case has this in its name. ` +
        (more
          ? `With --full, ${more} ${more === 1 ? 'case has' : 'cases have'} it.`
          : `Names begin with ${groups}.`),
    );
  }
  if (only.length === 0) return available;
  return available.filter(
    candidate => candidate.name.startsWith(ALWAYS) || only.some(text => has(text)(candidate)),
  );
}
