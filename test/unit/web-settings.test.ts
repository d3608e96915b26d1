import { describe, expect, test } from 'vitest';
import { assign, FIELDS, KEYS } from '../../src/base/config.ts';
import { bytesOf } from '../../src/train/estimate.ts';
import { PRESETS, preset } from '../../src/train/presets.ts';
import { fingerprint, readAddress, toAddress } from '../../src/web/settings/address.ts';
import {
  changesBetween,
  describeConfig,
  differing,
  nearestPreset,
} from '../../src/web/settings/differences.ts';
import { SECTIONS, unlabelledKeys } from '../../src/web/settings/field-labels.ts';
import { check } from '../../src/web/worker/check.ts';

describe('the address', () => {
  test.each([
    [preset('reverse'), 'auto', false],
    [assign(preset('tutorial-part6'), ['seed=7', 'rate=0.3']), 'cpu', true],
    [assign(preset('small/copy/deque'), ['hidden=24', 'clip=none', 'autoencoder=true']), 'gpu', false],
    [assign(preset('reverse'), ['task.file=a b&c=d#e.tsv']), 'auto', false],
  ] as const)('is decoded to the same settings: %#', (config, engine, paused) => {
    expect(readAddress(toAddress({ config, engine, paused }))).toEqual({
      config,
      engine,
      paused,
      warning: undefined,
    });
  });

  test('of every preset has fewer than 300 characters', () => {
    for (const { config } of PRESETS) {
      const address = toAddress({ config, engine: 'auto', paused: false });
      expect(address.length).toBeLessThan(300);
      expect(readAddress(address)?.config).toEqual(config);
    }
  });

  test('contains only what differs from the preset, and a checksum of all settings', () => {
    const config = assign(preset('reverse'), ['seed=3', 'hidden=64']);
    expect(toAddress({ config, engine: 'auto', paused: false })).toBe(
      `#v=1&preset=reverse&model.hidden=64&train.seed=3&check=${fingerprint(config)}`,
    );
  });

  test('does not contain the vocabulary of your own data, which comes from the file', () => {
    const config = assign(preset('reverse'), ['task.sourceSymbols=a,b', 'task.targetSymbols=c']);
    const address = toAddress({ config, engine: 'auto', paused: false });
    expect(address).not.toContain('Symbols');
    expect(readAddress(address)).toMatchObject({
      warning: undefined,
      config: { task: { sourceSymbols: [] } },
    });
  });

  test('may contain a key under its former name', () => {
    const config = assign(preset('reverse'), ['projection=5']);
    const address = toAddress({ config, engine: 'auto', paused: false });
    const former = readAddress(address.replace('model.projection', 'model.deeper'));
    expect(former).toMatchObject({ config, warning: undefined });
  });

  test('may be empty: the page may start with any run', () => {
    expect(readAddress('')).toBeUndefined();
    expect(readAddress('#')).toBeUndefined();
  });

  test('may be empty in browsers without URLSearchParams.size', () => {
    const size = Object.getOwnPropertyDescriptor(URLSearchParams.prototype, 'size')!;
    Reflect.deleteProperty(URLSearchParams.prototype, 'size');
    try {
      expect(readAddress('')).toBeUndefined();
      expect(readAddress('#v=1')).toBeDefined();
    } finally {
      Object.defineProperty(URLSearchParams.prototype, 'size', size);
    }
  });

  test.each([
    ['#preset=reverse', /must contain v=1/],
    ['#v=2', /version "2", this page reads version 1/],
    ['#v=1&model.hiden=3', /unknown setting in the link "model.hiden". Did you mean "model.hidden"\?/],
    ['#v=1&hidden=3', /unknown setting in the link "hidden"/],
    ['#v=1&model.hidden=3&model.hidden=4', /has model.hidden twice/],
    ['#v=1&model.hidden=', /model.hidden must be a whole number from 1 to 4096, got ""/],
    ['#v=1&train.rate=1e999', /train.rate must be a number/],
    ['#v=1&preset=%3Cscript%3E', /unknown preset "<script>"/],
    ['#v=1&engine=tpu', /unknown engine in the link "tpu"/],
    ['#v=1&task.minLength=17', /task.minLength \(17\) must not exceed task.maxLength \(16\)/],
  ])('%s is refused with a message', (hash, words) => {
    expect(() => readAddress(hash)).toThrow(words);
  });

  test('a preset that has changed since the link was made is detected', () => {
    expect(readAddress('#v=1&preset=reverse&check=00000000')?.warning).toMatch(/another version/);
    expect(readAddress('#v=1&preset=reverse')?.warning).toBeUndefined();
  });

  test('a change of a single number changes the checksum', () => {
    const base = preset('paper/copy/lstm1');
    const numbers = KEYS.filter(key => /^(int|number)$/.test(kindOf(key)) && !/Length/.test(key));
    const sums = numbers.map(key =>
      fingerprint(assign(base, [`${key}=${kindOf(key) === 'int' ? 7 : 0.375}`])),
    );
    expect(new Set([...sums, fingerprint(base)]).size).toBe(numbers.length + 1);
  });
});

const kindOf = (key: string): string => {
  const [group, name] = key.split('.');
  return FIELDS[group as keyof typeof FIELDS][name].kind;
};

describe('the labels of the settings', () => {
  test('every field of the configuration is in the form, once', () => {
    expect(unlabelledKeys()).toEqual([]);
    const shown = SECTIONS.flatMap(({ fields }) => Object.keys(fields));
    expect(new Set(shown).size).toBe(shown.length);
    for (const key of shown) expect(KEYS).toContain(key);
  });

  test('differences from the preset and from the run are described', () => {
    const config = assign(preset('small/copy/queue'), ['seed=3', 'hidden=64']);
    expect(nearestPreset(config)).toBe('small/copy/queue');
    expect(describeConfig(config)).toBe('small/copy/queue, seed 3, Hidden width H 64');
    expect(changesBetween(preset('small/copy/queue'), config)).toBe('Hidden width H 32 → 64, Seed 0 → 3');
    expect(differing(config, structuredClone(config))).toEqual([]);
  });
});

describe('settings in combination', () => {
  test('valid settings have sizes', () => {
    expect(check(preset('reverse')).sizes).toMatchObject({ parameters: 2547 });
  });

  test('the memory shown in advance includes evaluation, which takes most of it', () => {
    const { total, peak } = bytesOf(preset('reverse'));
    expect(peak).toBeGreaterThan(8 * total);
    expect(check(preset('reverse')).sizes?.bytes).toBe(peak);
  });

  test.each([
    [
      ['task.name=dyck', 'memory=none', 'growEvery=100'],
      'train.growEvery',
      /curriculum measures the absolute error/,
    ],
    [['task.name=nothing'], 'task.name', /unknown task "nothing"/],
    [['task.name=data'], 'task.name', /comes from a file/],
    [['batch=65536', 'maxLength=50000'], 'train.batch', /about 4.3 TiB .*: a batch of up to \d+ would fit/],
    [
      ['hidden=2000', 'layers=4', 'controller=lstm', 'maxLength=20000'],
      'model.hidden',
      /even with one sequence at a time/,
    ],
    [['hidden=4096', 'layers=8', 'controller=lstm'], 'model.hidden', /this model has 1\d{9} parameters/],
    [['evaluateFrom=40'], 'train.evaluateFrom', /must not exceed the longest length evaluated/],
  ])('%j: refused at %s', (sets, key, words) => {
    const { problem } = check(assign(preset('reverse'), sets));
    expect(problem?.key).toBe(key);
    expect(problem?.message).toMatch(words);
  });

  test('your own data is checked with its file; a file that cannot be parsed is refused', () => {
    const config = assign(preset('reverse'), [
      'task.name=data',
      'minLength=1',
      'maxLength=2',
      'evaluateLength=2',
      'heldOut=0',
    ]);
    const text = 'a b\tb a\nc\tc\n';
    expect(check(config, { file: 'my.tsv', text }).sizes?.parameters).toBeGreaterThan(1000);
    expect(check(config, { file: 'my.tsv', text: 'a b' }).problem?.message).toMatch(/my.tsv line 1/);
  });
});
