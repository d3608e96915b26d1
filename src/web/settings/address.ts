import { assign, type Config, fieldOf, KEYS, settingOf } from '../../base/config.ts';
import { InputError, show, unknown } from '../../base/errors.ts';
import { currentKey, firstKey } from '../../base/renamed-keys.ts';
import { type EngineName, engineName } from '../../platform/names.ts';
import { preset } from '../../train/presets.ts';
import { differing, formatSetting, nearestPreset } from './differences.ts';
import { DERIVED, VOCABULARY } from './field-labels.ts';

/**
 * A run in the fragment of the page's address:
 *
 *   v=1&preset=reverse&train.seed=3&model.hidden=64&engine=gpu&check=5d2f01aa
 *
 * The preset and the settings that differ from it determine the whole configuration. `check` is a checksum of all
 * settings: if it does not match, the preset has changed since the link was made, or the link was edited.
 */
export interface Address {
  config: Config;
  engine: EngineName;
  /** Whether the run waits for the start button. */
  paused: boolean;
  /** Set if the link is valid, but may have had another meaning when it was made. */
  warning?: string;
}

const VERSION = '1';

/**
 * FNV-1a hash of all settings, 8 hexadecimal digits. It uses the first name of renamed keys, and omits DERIVED keys
 * that have their default, so that earlier links keep their hashes.
 */
export function fingerprint(config: Config): string {
  let hash = 0x811c9dc5;
  const isHashed = (key: string): boolean =>
    !DERIVED.includes(key) || settingOf(config, key) !== fieldOf(key).default;
  for (const key of KEYS.filter(isHashed)) {
    for (const char of `${firstKey(key)}=${formatSetting(settingOf(config, key))}\n`) {
      hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
    }
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** Resets the settings that are derived from the user's data file to their defaults. */
const withoutDataSettings = (config: Config): Config => ({
  ...config,
  task: { ...config.task, sourceSymbols: [], targetSymbols: [], longestTarget: 0, splitBy: 'hash' },
});

/** Returns the fragment of the address, including the #. */
export function toAddress({ config: complete, engine, paused }: Omit<Address, 'warning'>): string {
  const config = withoutDataSettings(complete);
  const name = nearestPreset(config);
  const parts = new URLSearchParams({ v: VERSION, preset: name });
  const keys = new Set(['train.seed', ...differing(preset(name), config)]);
  for (const key of KEYS.filter(key => keys.has(key))) parts.set(key, formatSetting(settingOf(config, key)));
  if (engine !== 'auto') parts.set('engine', engine);
  if (paused) parts.set('paused', '');
  parts.set('check', fingerprint(config));
  return `#${parts}`.replace(/=(?=&|$)/g, '');
}

/** The parts of an address that are not settings. */
const OTHER_KEYS = ['v', 'preset', 'engine', 'paused', 'check'];

/**
 * Parses the fragment of an address. Returns undefined if it is empty.
 * @throws InputError naming the part of the link that cannot be used
 */
export function readAddress(hash: string): Address | undefined {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  // URLSearchParams.size is missing in Chrome 112 and Safari 16, which the page supports.
  if (parts.toString() === '') return undefined;
  const version = parts.get('v');
  if (version !== VERSION) {
    throw new InputError(
      version === null
        ? `the link must contain v=${VERSION}, its version, got ${show(hash)}: copy the link again.`
        : `the link has version ${show(version)}, this page reads version ${VERSION}: the link comes from another version of pushdown.`,
    );
  }
  const assignments: string[] = [];
  const seen = new Set<string>();
  for (const [key, value] of parts) {
    if (seen.has(key)) throw new InputError(`the link has ${key} twice: remove one of them.`);
    seen.add(key);
    if (OTHER_KEYS.includes(key)) continue;
    if (VOCABULARY.includes(key) || DERIVED.includes(key))
      throw new InputError(
        `the link has ${key}, which is derived from the data file. Remove it from the link.`,
      );
    const current = currentKey(key);
    if (!KEYS.includes(current)) unknown('setting in the link', key, [...KEYS, ...OTHER_KEYS]);
    assignments.push(`${current}=${value}`);
  }
  const engine = engineName(parts.get('engine') ?? 'auto', 'engine in the link');
  const config = assign(preset(parts.get('preset') ?? 'reverse'), assignments);
  const check = parts.get('check');
  const warning =
    check === null || check === fingerprint(withoutDataSettings(config))
      ? undefined
      : 'the link was made by another version of pushdown, or edited. Settings that it takes from the preset may have changed since.';
  return { config, engine, paused: parts.has('paused'), warning };
}
