import { type Config, KEYS, settingOf } from '../../base/config.ts';
import { PRESETS } from '../../train/presets.ts';
import { FROM_DATA, labelOf } from './field-labels.ts';

/** Formats a setting as `--set` and the URL do. */
export const written = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value));

const COMPARED = KEYS.filter(key => !FROM_DATA.includes(key));

/** Returns the keys in which two configurations differ, except those derived from the data. */
export const differing = (a: Config, b: Config): string[] =>
  COMPARED.filter(key => written(settingOf(a, key)) !== written(settingOf(b, key)));

/** `Learning rate 0.01 → 0.003, Seed 0 → 1`; '' if nothing differs. */
export const changesBetween = (before: Config, after: Config): string =>
  differing(before, after)
    .map(key => `${labelOf(key)} ${written(settingOf(before, key))} → ${written(settingOf(after, key))}`)
    .join(', ');

/** Returns the name of the preset that differs from a configuration in the fewest settings. */
export function nearestPreset(config: Config): string {
  let [nearest, least] = ['', Number.POSITIVE_INFINITY];
  for (const { name, config: other } of PRESETS) {
    const differences = differing(config, other).length;
    if (differences < least) [nearest, least] = [name, differences];
  }
  return nearest;
}

/** Describes a configuration by its preset and what differs from it: `reverse, seed 3, Hidden width H 64`. */
export function wordsOf(config: Config): string {
  const name = nearestPreset(config);
  const { config: base } = PRESETS.find(one => one.name === name)!;
  const changed = differing(base, config).filter(key => key !== 'train.seed');
  const rest = changed.map(key => `${labelOf(key)} ${written(settingOf(config, key))}`);
  const few = rest.length > 4 ? [...rest.slice(0, 3), `${rest.length - 3} more`] : rest;
  return [name, `seed ${config.train.seed}`, ...few].join(', ');
}
