import { type Config, makeConfig } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { ENGINES, type EngineName } from '../../platform/names.ts';
import { DATA } from '../../tasks/names.ts';
import { PRESETS, preset } from '../../train/presets.ts';
import { byId, make, write, writeOrHide } from '../dom.ts';
import { bytes, count } from '../format.ts';
import type { DataText } from '../protocol.ts';
import { Checker } from './checker.ts';
import { changesBetween, nearestPreset } from './differences.ts';
import { SettingField } from './field.ts';
import { keyIn, SECTIONS, SEED } from './field-labels.ts';

/** The settings in the form, ready to start a run. */
export interface Draft {
  config: Config;
  engine: EngineName;
  paused: boolean;
  data?: DataText;
}

/** The form with the settings of the next run. It does not change the current run. */
export class SettingsForm {
  readonly #form = byId('form', HTMLFormElement);
  readonly #preset = byId('preset', HTMLSelectElement);
  readonly #engine = byId('engine', HTMLSelectElement);
  readonly #paused = byId('paused', HTMLInputElement);
  readonly #begin = byId('begin', HTMLButtonElement);
  readonly #sizes = byId('sizes', HTMLElement);
  readonly #changes = byId('changes', HTMLElement);
  readonly #problem = byId('settings-problem', HTMLElement);
  readonly #seed: SettingField;
  /** All fields, including the seed. */
  readonly #fields: SettingField[];
  readonly #checker = new Checker();
  /** The configuration in the form, if it is valid. */
  #config: Config | undefined;
  /** The configuration of the current run. */
  #running: Config | undefined;
  #data: DataText | undefined;
  /** Name of the user's data file, which has no field. */
  #file = '';
  /** Id of the latest change. Checks of earlier values are dropped. */
  #changeId = 0;

  constructor(onStart: (draft: Draft) => void) {
    const changed = () => this.#changed();
    this.#seed = new SettingField('train.seed', SEED, changed);
    byId('seed-field', HTMLElement).append(this.#seed.element);
    const fields = SECTIONS.flatMap(({ title, fields }) => {
      const inputs = Object.entries(fields).map(([key, labels]) => new SettingField(key, labels, changed));
      const grid = make('div', { class: 'fields' }, ...inputs.map(({ element }) => element));
      byId('sections', HTMLElement).append(make('fieldset', {}, make('legend', {}, title), grid));
      return inputs;
    });
    this.#fields = [this.#seed, ...fields];
    fillPresets(this.#preset);
    const options = [
      ['auto', ''] as const,
      ...ENGINES.map(({ name, label }) => [name, `: ${label}`] as const),
    ];
    this.#engine.append(
      ...options.map(([name, label]) => make('option', { value: name }, `${name}${label}`)),
    );
    this.#preset.addEventListener('change', () => {
      this.set(this.#withSeed(preset(this.#preset.value)));
    });
    byId('to-preset', HTMLButtonElement).addEventListener('click', () =>
      this.set(this.#withSeed(preset(this.#preset.value))),
    );
    const all = byId('all-settings', HTMLDetailsElement);
    all.addEventListener('toggle', () => this.#loadHelp(), { once: true });
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      if (!this.#config) return;
      onStart({
        config: this.#config,
        engine: this.#engine.value as EngineName,
        paused: this.#paused.checked,
        data: this.#config.task.name === DATA ? this.#data : undefined,
      });
    });
  }

  /** Fills the form. @param data the user's own data to train on; by default, the data set before */
  set(config: Config, engine?: EngineName, data = this.#data): void {
    this.#data = data;
    this.#preset.value = nearestPreset(config);
    const chosen = PRESETS.find(({ name }) => name === this.#preset.value);
    writeOrHide(byId('description', HTMLElement), chosen && `${chosen.description}.`);
    if (engine) this.#engine.value = engine;
    for (const field of this.#fields) field.set(config);
    this.#file = config.task.file;
    this.#changed();
  }

  /** Sets the configuration of the current run, with which the settings are compared. */
  compareWith(running: Config | undefined): void {
    this.#running = running;
    this.#showChanges();
  }

  /** Loads and shows the help texts. If they cannot be loaded, the form works without them. */
  async #loadHelp(): Promise<void> {
    const loaded = await import('../../base/field-help.ts').catch(() => undefined);
    if (!loaded) return;
    // Only the help is updated: a reported problem stays.
    const [config, base] = [this.#config ?? this.#validPart(), preset(this.#preset.value)];
    for (const field of this.#fields) {
      field.help = loaded.FIELD_HELP[field.key];
      field.update(config, base);
    }
  }

  /** Opens the settings and shows why a run could not be opened. */
  refuse(message: string): void {
    byId('all-settings', HTMLDetailsElement).open = true;
    this.#showProblem('', message);
  }

  #withSeed(config: Config): Config {
    if (this.#seed.check() === undefined) config.train.seed = this.#seed.read() as number;
    return config;
  }

  async #changed(): Promise<void> {
    const changeId = ++this.#changeId;
    this.#config = undefined;
    const base = preset(this.#preset.value);
    let wrong = false;
    for (const field of this.#fields) {
      const problem = field.check();
      field.showProblem(problem);
      wrong ||= problem !== undefined;
    }
    this.#showProblem('', undefined);
    const config = wrong ? undefined : this.#make();
    const invalid = this.#fields.filter(field => field.update(config ?? this.#validPart(), base));
    // A hidden field with an invalid value is reset to the preset, because the user cannot correct it.
    if (invalid.length > 0) {
      for (const field of invalid) field.set(base);
      return this.#changed();
    }
    this.#begin.disabled = true;
    write(this.#sizes, '');
    if (config) {
      const checked = await this.#checker.check(config, this.#data);
      // The form has changed since the check was requested.
      if (!checked || changeId !== this.#changeId) return;
      if (checked.problem) this.#showProblem(checked.problem.key, checked.problem.message);
      else {
        this.#config = config;
        this.#begin.disabled = false;
        const { parameters, bytes: max } = checked.sizes;
        write(this.#sizes, `${count(parameters)} parameters · up to ${bytes(max)} on the device`);
      }
    }
    this.#showChanges();
  }

  /** Builds the configuration. If the values are inconsistent, shows the reason at its field and returns undefined. */
  #make(): Config | undefined {
    try {
      return makeConfig(this.#values());
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const { message } = error;
      this.#showProblem(keyIn(message), message);
      return undefined;
    }
  }

  #values(): Record<string, Record<string, unknown>> {
    const values: Record<string, Record<string, unknown>> = { task: {}, model: {}, train: {} };
    for (const field of this.#fields) {
      const [group, key] = field.key.split('.');
      values[group][key] = field.read();
    }
    if (values['task']['name'] === DATA) {
      // The vocabulary is left out: it is derived from the data again, because other settings may change the symbols.
      values['task']['file'] = this.#file;
    }
    return values;
  }

  /** Returns the preset with those form values that are valid on their own. Used to decide which fields are shown. */
  #validPart(): Config {
    const config = preset(this.#preset.value) as unknown as Record<string, Record<string, unknown>>;
    for (const field of this.#fields) {
      if (field.check() !== undefined) continue;
      const [group, key] = field.key.split('.');
      config[group][key] = field.read();
    }
    return config as unknown as Config;
  }

  /** Shows a problem above the buttons, and at its field if that is visible. An undefined message clears it. */
  #showProblem(key: string, message: string | undefined): void {
    const field = this.#fields.find(field => field.key === key && !field.element.hidden);
    field?.showProblem(message);
    if (field && message) byId('all-settings', HTMLDetailsElement).open = true;
    writeOrHide(this.#problem, field && message ? `Settings not valid: ${message}` : message);
  }

  #showChanges(): void {
    const changes = this.#config && this.#running ? changesBetween(this.#running, this.#config) : '';
    this.#begin.classList.toggle('primary', changes !== '');
    writeOrHide(this.#changes, changes && `Changes from the current run: ${changes}.`);
  }
}

/** Fills the list of presets, grouped by folder because there are many. */
function fillPresets(select: HTMLSelectElement): void {
  const groups = new Map<string, HTMLOptGroupElement>();
  for (const { name } of PRESETS) {
    const folder = name.split('/').slice(0, -1).join('/');
    if (!folder) {
      select.add(new Option(name, name));
      continue;
    }
    let group = groups.get(folder);
    if (!group) {
      group = make('optgroup', { label: folder });
      groups.set(folder, group);
      select.append(group);
    }
    group.append(new Option(name, name));
  }
}
