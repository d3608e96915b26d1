import { type Config, type Field, fieldOf, readValue, settingOf } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { TASK_NAMES } from '../../tasks/names.ts';
import { make, write, writeOrHide } from '../dom.ts';
import { formatSetting } from './differences.ts';
import type { FieldLabels } from './field-labels.ts';

/** One setting of the form: label, unit, input, help with its limits, and its error. */
export class SettingField {
  readonly key: string;
  readonly element: HTMLElement;
  /** The help text, once it is loaded. */
  help = '';
  readonly #labels: FieldLabels;
  readonly #input: HTMLInputElement | HTMLSelectElement;
  readonly #help: HTMLElement;
  readonly #problem: HTMLElement;

  constructor(key: string, labels: FieldLabels, onInput: () => void) {
    this.key = key;
    this.#labels = labels;
    const field = fieldOf(key);
    const id = `set-${key.replace('.', '-')}`;
    this.#input = inputFor(key, field, id);
    this.#help = make('p', { class: 'help', id: `${id}-help` });
    this.#problem = make('p', { class: 'bad', id: `${id}-problem`, hidden: true });
    const label = make('label', { for: id }, labels.label);
    if (labels.unit) label.append(' ', make('span', { class: 'unit' }, labels.unit));
    this.element = make('div', { class: 'field' }, label, this.#input, this.#help, this.#problem);
    this.#input.addEventListener('input', onInput);
  }

  get text(): string {
    return this.#input instanceof HTMLInputElement && this.#input.type === 'checkbox'
      ? String(this.#input.checked)
      : this.#input.value;
  }

  /** Returns the value. @throws InputError if the text is not a valid value of this field */
  read(): unknown {
    return readValue(this.key, this.text);
  }

  /** Returns why the value alone is not valid, or undefined. */
  check(): string | undefined {
    try {
      this.read();
      return undefined;
    } catch (error) {
      if (error instanceof InputError) return error.message;
      throw error;
    }
  }

  set(config: Config): void {
    const value = settingOf(config, this.key);
    if (this.#input instanceof HTMLInputElement && this.#input.type === 'checkbox') {
      this.#input.checked = value === true;
    } else this.#input.value = formatSetting(value);
  }

  /**
   * Shows the preset's value if it differs, and hides the field if it has no meaning under the other settings.
   * @returns whether the field is hidden and its value invalid
   */
  update(config: Config, preset: Config): boolean {
    this.element.hidden = this.#labels.applies?.(config) === false;
    const presetValue = formatSetting(settingOf(preset, this.key));
    const changed = this.text.trim() !== presetValue;
    this.element.classList.toggle('changed', changed);
    const field = fieldOf(this.key);
    const limits = 'min' in field && field.max < 1e15 ? `${brief(field.min)} to ${brief(field.max)}` : '';
    write(
      this.#help,
      [this.help, limits, changed ? `preset: ${presetValue || 'none'}` : ''].filter(Boolean).join(' · '),
    );
    return this.element.hidden && this.check() !== undefined;
  }

  showProblem(problem: string | undefined): void {
    writeOrHide(this.#problem, problem);
    this.#input.setAttribute('aria-invalid', String(problem !== undefined));
  }
}

/** 1000000 → `1e6`. */
const brief = (value: number): string =>
  Math.abs(value) >= 1e5 && Number.isInteger(Math.log10(Math.abs(value)))
    ? `1e${Math.log10(Math.abs(value))}`
    : value !== 0 && Math.abs(value) < 1e-3
      ? value.toExponential()
      : value.toLocaleString('en', { maximumFractionDigits: 6 });

function inputFor(key: string, field: Field, id: string): HTMLInputElement | HTMLSelectElement {
  const attributes = { id, 'aria-describedby': `${id}-help ${id}-problem` };
  const choices = key === 'task.name' ? TASK_NAMES : field.kind === 'choice' ? field.choices : undefined;
  if (choices) {
    const select = make('select', attributes);
    for (const choice of choices) select.add(new Option(choice, choice));
    return select;
  }
  if (field.kind === 'flag') return make('input', { ...attributes, type: 'checkbox' });
  // type=number would hide text that is not a number.
  return make('input', {
    ...attributes,
    type: 'text',
    inputmode: 'decimal',
    autocomplete: 'off',
    spellcheck: 'false',
  });
}
