import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { tuningFile } from '../../src/platform/node/tunings.ts';

const folder = mkdtempSync(join(tmpdir(), 'pushdown-tunings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = (): string => join(folder, String(files++), 'below', 'tuning.json');

test('measurements are stored per adapter', () => {
  const file = newFile();
  tuningFile('one', file).set('step', '4 rows');
  tuningFile('two', file).set('step', '8 rows');
  expect(tuningFile('one', file).get('step')).toBe('4 rows');
  expect(tuningFile('two', file).get('step')).toBe('8 rows');
  expect(tuningFile('one', file).get('other')).toBeUndefined();
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    one: { step: '4 rows' },
    two: { step: '8 rows' },
  });
});

test.each(['', '{', '[]', 'null', '{"one": 3}', '{"one": {"step": 3}}'])(
  'a file with the content %s is ignored',
  text => {
    const file = newFile();
    tuningFile('one', file).set('step', '4 rows');
    writeFileSync(file, text);
    const store = tuningFile('one', file);
    expect(store.get('step')).toBeUndefined();
    store.set('step', '5 rows');
    expect(store.get('step')).toBe('5 rows');
  },
);

test('if nothing can be written, nothing is stored', () => {
  const store = tuningFile('one', '/dev/null/tuning.json');
  store.set('step', '4 rows');
  expect(store.get('step')).toBeUndefined();
});
