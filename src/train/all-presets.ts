import type { Config } from '../base/config.ts';
import { CFL, CFL_SMALL } from './presets/cfl.ts';
import { CHOMSKY, CHOMSKY_SMALL } from './presets/chomsky.ts';
import * as page from './presets.ts';
import { type Preset, presetAmong, presetsOf } from './presets.ts';

export type { Preset } from './presets.ts';

const TABLES = [CHOMSKY_SMALL, CHOMSKY, CFL_SMALL, CFL];

/**
 * All presets: those of the page, and `<table>/<task>/<model>`, every cell of `pushdown table chomsky` and `cfl`. They are apart
 * because the page would load 240 configurations that it does not list.
 */
export const PRESETS: readonly Preset[] = [...page.PRESETS, ...TABLES.flatMap(presetsOf)];

/** The parts of their names before the first `/`. */
export const GROUPS: readonly string[] = [...page.GROUPS, ...TABLES.map(({ name }) => name)];

/** Presets of a group (`paper`), of a part of one (`paper/reverse`), or of that name. */
export const presetsIn = (prefix: string): Preset[] =>
  PRESETS.filter(({ name }) => name === prefix || name.startsWith(`${prefix}/`));

/**
 * A copy of a preset's configuration, for the caller to change.
 * @throws InputError for an unknown name
 */
export const preset = (name: string): Config => presetAmong(PRESETS, GROUPS, name);
