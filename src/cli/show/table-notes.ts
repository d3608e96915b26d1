import type { Config } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { countParameters } from '../../base/parameters.ts';
import { testedLengths } from '../../train/presets/grid.ts';
import { setup } from '../../train/setup.ts';
import type { Cell } from '../../train/table.ts';
import type { TableSpec, TestLengths } from '../../train/tables.ts';
import { count, inARow, modelWords } from './format.ts';

const range = (low: number, high: number): string => (low === high ? String(high) : `${low}–${high}`);

/** `copy, reverse: 8 symbols …`: names that have a text in common, together. */
function grouped(entries: Iterable<readonly [name: string, text: string]>): string[] {
  const names = new Map<string, Set<string>>();
  for (const [name, text] of entries) names.set(text, (names.get(text) ?? new Set()).add(name));
  return [...names].map(([text, of]) => `${[...of].join(', ')}: ${text}`);
}

/** The same, but the text that most names have stands for all that are not named. */
function mostly(entries: readonly (readonly [name: string, text: string])[]): string[] {
  const texts = [...new Set(entries.map(([, text]) => text))];
  const often = (text: string): number => entries.filter(([, of]) => of === text).length;
  const [usual] = texts.sort((a, b) => often(b) - often(a));
  const rest = grouped(entries.filter(([, text]) => text !== usual));
  return usual === undefined ? [] : [`${rest.length ? 'other runs' : 'runs'}: ${usual}`, ...rest];
}

/** None for a cell that cannot be run with its settings: it may not have been asked for. */
function parametersOf(config: Config): number[] {
  try {
    return [countParameters(setup(config).spec)];
  } catch (error) {
    if (error instanceof InputError) return [];
    throw error;
  }
}

/** The lengths of a table's own test: `41, 92 … 500`, or `81–100`. */
const testWords = ({ low, high, every }: TestLengths): string =>
  every === 1
    ? range(low, high)
    : `${low}, ${low + every} … ${low + every * Math.floor((high - low) / every)}`;

/** What a table was made with, and how to read it: a line each. */
export function notesOf(spec: TableSpec, cells: readonly Cell[], sets: readonly string[]): string[] {
  const tasks = grouped(
    cells.map(({ task, config }) => {
      const { symbols, minLength, maxLength } = config.task;
      const tested = spec.test ? testWords(spec.test) : range(...testedLengths(config));
      const far = spec.far ? `, and at ${spec.far * maxLength}` : '';
      return [task, `${symbols} symbols, lengths ${range(minLength, maxLength)}, tested at ${tested}${far}`];
    }),
  );
  const sizes = new Map<string, number[]>();
  for (const { model, config } of cells) {
    sizes.set(model, [...(sizes.get(model) ?? []), ...parametersOf(config)]);
  }
  const models = grouped(
    cells.map(({ model, config }) => {
      const counts = sizes.get(model)!;
      const ends = [...new Set([Math.min(...counts), Math.max(...counts)].map(count))];
      const words = counts.length ? ` (${ends.join('–')} parameters)` : '';
      return [model, `${modelWords(config.model)}${words}`];
    }),
  );
  const training = cells.map(({ task, model, config: { train } }) => {
    const { optimiser, rate, rateHalfLife, batch, steps, noise, stopAt, stopPasses, patience } = train;
    const rules = [
      ...(stopAt ? [`by coarse ${stopAt} at tested lengths (on other sequences)${inARow(stopPasses)}`] : []),
      ...(patience ? [`by no better training loss in ${patience} evaluations`] : []),
    ];
    const ends = rules.length ? `, ended before ${rules.join(', or ')}` : '';
    const halved = rateHalfLife ? `, halved every ${count(rateHalfLife)} steps` : '';
    const recipe = `${optimiser}, rate ${rate}${halved}, batches of ${batch}${noise ? `, noise ${noise}` : ''}`;
    return [`${task}/${model}`, `${recipe}, ${count(steps)} steps at most${ends}`] as const;
  });
  const score = { coarse: 'coarse accuracy', accuracy: 'symbol accuracy', excess: 'distance from the bound' }[
    spec.score
  ];
  const place = spec.solvedOn === 'train' ? 'at trained lengths' : 'in the test';
  const limit = spec.score === 'excess' ? `${spec.solvedAt} nats or less` : `${spec.solvedAt} or better`;
  return [
    ...tasks,
    ...models,
    ...mostly([...new Map(training)]),
    ...(sets.length ? [`changed by --set: ${sets.join(' ')}`] : []),
    `best: the run that does best at trained lengths (${score}, then fine, then loss); the test is not used for this choice`,
    `success: ${score} ${limit} ${place}`,
  ];
}
