import type { Config } from '../base/config.ts';
import { CFL, CFL_SMALL } from './presets/cfl.ts';
import { CHOMSKY, CHOMSKY_SMALL } from './presets/chomsky.ts';
import * as page from './presets.ts';
import { type Preset, presetAmong, presetsOf } from './presets.ts';

export type { Preset } from './presets.ts';

const TABLES = [CHOMSKY_SMALL, CHOMSKY, CFL_SMALL, CFL];

/**
 * All presets: those of the page, then `<table>/<task>/<model>` for every cell of `pushdown table chomsky` and `cfl`.
 * The latter are in this file, so that the page does not load 280 configurations that it does not list.
 */
export const PRESETS: readonly Preset[] = [...page.PRESETS, ...TABLES.flatMap(presetsOf)];

/** The groups of all presets: the part of a name before its first `/`. */
export const GROUPS: readonly string[] = [...page.GROUPS, ...TABLES.map(({ name }) => name)];

/** The presets of a group (`paper`), of a part of a group (`paper/reverse`), or the preset of that name. */
export const presetsIn = (prefix: string): Preset[] =>
  PRESETS.filter(({ name }) => name === prefix || name.startsWith(`${prefix}/`));

/**
 * Returns a copy of a preset's configuration, which the caller may change.
 * @throws InputError for an unknown name
 */
export const preset = (name: string): Config => presetAmong(PRESETS, GROUPS, name);
