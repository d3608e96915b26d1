import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { countParameters } from '../../src/base/parameters.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/platform/node/engine.ts';
import { preset } from '../../src/train/all-presets.ts';
import { decodeCheckpoint } from '../../src/train/checkpoint.ts';
import { evaluateLengths } from '../../src/train/evaluate.ts';
import type { Card } from '../../src/train/gallery.ts';
import { setup } from '../../src/train/setup.ts';

/**
 * Every model of the gallery has exactly the accuracy on its card: WebAssembly computes the same numbers everywhere.
 */

const folder = join(import.meta.dirname, '../../gallery');
const cards: Card[] = JSON.parse(readFileSync(join(folder, 'cards.json'), 'utf8'));

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine('cpu');
});
afterAll(() => engine?.destroy());

test('every card has a file, and every file has a card', () => {
  const files = readdirSync(folder).filter(name => name.endsWith('.safetensors'));
  expect(files.sort()).toEqual(cards.map(({ name }) => `${name}.safetensors`).sort());
});

describe.each(cards)('$name', card => {
  test('has the configuration that its command gives today', () => {
    const [name, ...options] = card.command.replace('pushdown train ', '').split(/ --(?:set )?/);
    const sets = options.map(option => option.replace(' ', '='));
    const { config } = decodeCheckpoint(readFileSync(join(folder, `${card.name}.safetensors`)));
    expect(config).toEqual(assign(preset(name), sets));
  });

  test('has the size, the steps and the accuracy on its card', async () => {
    const bytes = readFileSync(join(folder, `${card.name}.safetensors`));
    expect(bytes.length).toBe(card.bytes);
    const { config, state } = decodeCheckpoint(bytes);
    const { task, spec } = setup(config);
    expect(countParameters(spec)).toBe(card.parameters);
    expect(state.step).toBe(card.steps);
    const model = await engine.model(spec, config.train, state);
    const { sequences, seed } = card;
    const lengths = card.accuracy.map(({ length }) => length);
    const measured = await evaluateLengths(model, task, lengths, { sequences, seed });
    expect(measured.map(({ length, coarse }) => ({ length, coarse }))).toEqual(card.accuracy);
    model.destroy();
  });
});
