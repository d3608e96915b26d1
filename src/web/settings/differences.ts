import { type Config, KEYS, settingOf } from '../../base/config.ts';
import { PRESETS } from '../../train/presets.ts';
import { FROM_DATA, labelOf } from './field-labels.ts';

/** Formats the value of a setting as in `--set` and in the URL. */
export const formatSetting = (value: unknown): string =>
  Array.isArray(value) ? value.join(',') : String(value);

const COMPARED = KEYS.filter(key => !FROM_DATA.includes(key));

/** Returns the keys in which two configurations differ, except those derived from the data. */
export const differing = (a: Config, b: Config): string[] =>
  COMPARED.filter(key => formatSetting(settingOf(a, key)) !== formatSetting(settingOf(b, key)));

/** `Learning rate 0.01 → 0.003, Seed 0 → 1`; '' if nothing differs. */
export const changesBetween = (before: Config, after: Config): string =>
  differing(before, after)
    .map(
      key =>
        `${labelOf(key)} ${formatSetting(settingOf(before, key))} → ${formatSetting(settingOf(after, key))}`,
    )
    .join(', ');

/** Returns the name of the preset that differs from a configuration in the fewest settings. */
export function nearestPreset(config: Config): string {
  let [nearest, fewest] = ['', Number.POSITIVE_INFINITY];
  for (const { name, config: other } of PRESETS) {
    const differences = differing(config, other).length;
    if (differences < fewest) [nearest, fewest] = [name, differences];
  }
  return nearest;
}

/** Describes a configuration by its preset and what differs from it: `reverse, seed 3, Hidden width H 64`. */
export function describeConfig(config: Config): string {
  const name = nearestPreset(config);
  const { config: base } = PRESETS.find(preset => preset.name === name)!;
  const changed = differing(base, config).filter(key => key !== 'train.seed');
  const rest = changed.map(key => `${labelOf(key)} ${formatSetting(settingOf(config, key))}`);
  const listed = rest.length > 4 ? [...rest.slice(0, 3), `${rest.length - 3} more`] : rest;
  return [name, `seed ${config.train.seed}`, ...listed].join(', ');
}
