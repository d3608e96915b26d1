import { describe, expect, test } from 'vitest';
import { assign, FIELDS, KEYS, makeConfig } from '../../src/base/config.ts';
import { InputError, suggest } from '../../src/base/errors.ts';
import { FIELD_HELP } from '../../src/base/field-help.ts';
import { renamedKeys } from '../../src/base/renamed-keys.ts';
import { PRESETS, preset } from '../../src/train/all-presets.ts';
import { bytesOf } from '../../src/train/estimate.ts';
import { configOf, evaluatedLengths, type Grid } from '../../src/train/presets/grid.ts';
import { setup } from '../../src/train/setup.ts';
import { countLikePaper } from '../support/paper-count.ts';

const plain = makeConfig({});

test('every key has a line of help', () => {
  expect(Object.keys(FIELD_HELP)).toEqual(KEYS);
  for (const [key, help] of Object.entries(FIELD_HELP)) expect(help, key).not.toBe('');
});

test('the default values are within their limits', () => {
  expect(makeConfig(plain)).toEqual(plain);
  expect(Object.keys(plain)).toEqual(Object.keys(FIELDS));
});

test('suggestions are similar words, for short words too', () => {
  expect(suggest('a', ['b', 'c'])).toBe(' Known: b, c.');
  expect(suggest('é', ['a'])).toBe(' Known: a.');
  expect(suggest('A', ['b', 'a'])).toBe(' Did you mean "a"?');
  expect(suggest('lr', ['rate', 'seed'])).toBe(' Known: rate, seed.');
  expect(suggest('gpuu', ['gpu', 'cpu'])).toBe(' Did you mean "gpu"?');
  expect(suggest('stpes', ['steps'])).toBe(' Did you mean "steps"?');
});

test('given settings override the base', () => {
  const base = makeConfig({ model: { hidden: 64 }, train: { rate: 0.5 } });
  const over = makeConfig({ train: { rate: 0.25 } }, base);
  expect([over.model.hidden, over.train.rate]).toEqual([64, 0.25]);
});

test.each([
  [null, 'a configuration is a JSON object'],
  [{ modle: {} }, 'unknown configuration group "modle". Did you mean "model"?'],
  [{ model: { hiden: 1 } }, 'unknown configuration key "model.hiden". Did you mean "model.hidden"?'],
  [{ model: 3 }, 'model must be a JSON object, got 3.'],
  [{ model: { hidden: 1.5 } }, 'model.hidden must be a whole number from 1 to 4096, got 1.5.'],
  [{ model: { hidden: '8' } }, 'model.hidden must be a whole number from 1 to 4096, got "8".'],
  [{ train: { rate: -1 } }, 'train.rate must be a number from 0 to 1000, got -1.'],
  [{ train: { rate: Number.NaN } }, 'train.rate must be a number from 0 to 1000'],
  [{ train: { optimiser: 'adma' } }, 'unknown train.optimiser "adma". Did you mean "adam"?'],
  [{ model: { autoencoder: 'yes' } }, 'model.autoencoder must be true or false, got "yes".'],
  [{ task: { minLength: 9, maxLength: 3 } }, 'task.minLength (9) must not exceed task.maxLength (3).'],
  [
    { model: { memory: 'tape', depth: 3, reads: 4 } },
    'model.reads (4) must not exceed model.depth (3), the cells of a tape.',
  ],
])('a bad configuration is refused: %o', (input, message) => {
  expect(() => makeConfig(input)).toThrow(InputError);
  expect(() => makeConfig(input)).toThrow(message);
});

describe('--set', () => {
  test('takes long and short keys of every kind', () => {
    const set = assign(plain, [
      'model.hidden=64',
      'rate = 1e-3',
      'autoencoder=true',
      'optimiser=sgd',
      'name=tutorial-part6',
    ]);
    expect(set.model).toMatchObject({ hidden: 64, autoencoder: true });
    expect(set.train).toMatchObject({ rate: 0.001, optimiser: 'sgd' });
    expect(set.task.name).toBe('tutorial-part6');
  });

  test.each([
    ['hidden', '--set takes key=value (for example model.hidden=64), got "hidden".'],
    ['model.hiden=3', 'unknown configuration key "model.hiden". Did you mean "model.hidden"?'],
    ['hidden=many', 'model.hidden must be a whole number from 1 to 4096, got "many".'],
    ['hidden=', 'model.hidden must be a whole number from 1 to 4096, got "".'],
    ['autoencoder=1', 'model.autoencoder must be true or false, got "1".'],
  ])('%s is refused', (assignment, message) => {
    expect(() => assign(plain, [assignment])).toThrow(message);
  });
});

describe('keys under their former names', () => {
  test('are read from configurations and --set, with a line of advice', () => {
    expect(makeConfig({ model: { deeper: 5 } })).toEqual(makeConfig({ model: { projection: 5 } }));
    expect(assign(makeConfig({}), ['deeper=5']).model.projection).toBe(5);
    expect(assign(makeConfig({}), ['model.deeper=5']).model.projection).toBe(5);
    const advice = ['model.deeper is now called model.projection'];
    expect(renamedKeys({ model: { deeper: 5 } })).toEqual(advice);
    expect(renamedKeys({}, ['deeper=5'])).toEqual(advice);
    expect(renamedKeys({ model: { projection: 5 } }, ['hidden=3'])).toEqual([]);
  });

  test('are refused if the current name is given too', () => {
    expect(() => makeConfig({ model: { deeper: 5, projection: 5 } })).toThrow(
      'model.deeper is the former name of model.projection: give one of the two.',
    );
  });
});

describe('presets', () => {
  test.each(PRESETS.map(({ name }) => name))('%s is a complete, consistent configuration', name => {
    const config = preset(name);
    expect(makeConfig(config)).toEqual(config);
    expect(setup(config).spec.inputs).toBeGreaterThan(0);
  });

  test('the presets of the paper have its sizes and its parameter counts', () => {
    const counts = ['lstm1', 'stack', 'queue', 'deque'].map(model =>
      countLikePaper(setup(preset(`paper/reverse/${model}`)).spec),
    );
    expect(counts).toEqual([328_704, 673_602, 673_602, 1_002_052]);
    const { task, train } = preset('paper/copy/stack');
    expect([task.symbols, task.minLength, task.maxLength]).toEqual([128, 8, 64]);
    expect([train.evaluateFrom, train.evaluateLength]).toEqual([65, 128]);
  });

  test("a cell's own settings override its model's, which override its task's, which override the base", () => {
    const grid: Grid = {
      name: 'g',
      tasks: ['reverse', 'copy'],
      models: ['stack', 'queue'],
      base: { model: { hidden: 5, width: 5 }, train: { rate: 0.5, steps: 5 } },
      ofTask: { reverse: { model: { hidden: 6 }, train: { rate: 0.6 } } },
      ofModel: { stack: { model: { hidden: 7 }, train: { steps: 7 } } },
      ofCell: { 'reverse/stack': { train: { steps: 8 } } },
    };
    const settingsOf = (task: string, modelName: string) => {
      const { model, train } = configOf(grid, task, modelName);
      return [model.hidden, model.width, train.rate, train.steps];
    };
    expect(settingsOf('reverse', 'stack')).toEqual([7, 5, 0.6, 8]);
    expect(settingsOf('copy', 'stack')).toEqual([7, 5, 0.5, 7]);
    expect(settingsOf('reverse', 'queue')).toEqual([6, 5, 0.6, 5]);
    expect(() => configOf(grid, 'reverse', 'stak')).toThrow(
      'unknown model of g "stak". Did you mean "stack"?',
    );
  });

  test('the memory estimate grows with the batch, the length and the moments', () => {
    const base = bytesOf(preset('small/reverse/stack'));
    const set = (assignment: string) => bytesOf(assign(preset('small/reverse/stack'), [assignment]));
    const twice = { parameters: base.parameters, activations: 2 * base.activations };
    expect(set('batch=20')).toMatchObject(twice);
    expect(set('maxLength=24').activations).toBeGreaterThan(1.8 * base.activations);
    expect(set('optimiser=sgd').parameters).toBeLessThan(0.7 * base.parameters);
    expect(bytesOf(preset('paper/copy/lstm8')).total).toBeGreaterThan(1e8);
  });

  test('are copies', () => {
    preset('reverse').train.steps = 1;
    expect(preset('reverse').train.steps).not.toBe(1);
  });

  test("the tutorial's presets have its step size, scaled to the batch, and at least its 750,000 sequences", () => {
    const [part5, part6] = [preset('tutorial-part5').train, preset('tutorial-part6').train];
    expect(part5).toMatchObject({ batch: 10, optimiser: 'sgd', clip: 'none', lossPer: 'source' });
    expect(part5.rate).toBeCloseTo(0.005 * part5.batch);
    expect(part6.rate).toBeCloseTo(0.05 * part6.batch);
    expect(part5.steps * part5.batch).toBe(750_000);
    expect(part6.steps * part6.batch).toBeGreaterThanOrEqual(750_000);
  });

  test('an unknown preset is refused', () => {
    expect(() => preset('revers')).toThrow('unknown preset "revers". Did you mean "reverse"?');
  });
});

test.each(['reverse', 'small/reverse/stack'])(
  '%s with a memory of cells has enough of them for the longest source of its evaluations',
  name => {
    for (const memory of ['superposition', 'tape'] as const) {
      const { model } = assign(preset(name), [`memory=${memory}`]);
      const [, longest] = evaluatedLengths(preset(name));
      expect(model.depth).toBeGreaterThan(longest);
    }
  },
);

test('settings that contradict each other are refused', () => {
  expect(() => setup(assign(preset('tutorial-part5'), ['output=softmax']))).toThrow(/zero vector/);
  expect(() => setup(assign(preset('reverse'), ['growEvery=100']))).toThrow(/softmax does not report/);
});
