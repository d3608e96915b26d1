import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { parameters } from '../../src/base/parameters.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { preset } from '../../src/train/presets.ts';
import { startRun } from '../../src/train/run-state.ts';
import { initialState, setup } from '../../src/train/setup.ts';

/**
 * The reader and the writer printed in docs/checkpoints.md, on
 * every tensor of a model that has nearly all kinds of tensors.
 */

const doc = readFileSync(new URL('../../docs/checkpoints.md', import.meta.url), 'utf8');
const code = (name: string): string =>
  new RegExp(`<!-- ${name} -->\n\`\`\`py\n([\\s\\S]*?)\`\`\``).exec(doc)![1];

const config = assign(preset('reverse'), [
  'controller=lstm',
  'layers=2',
  'memory=deque',
  'memories=2',
  'embedding=5',
  'readout=6',
  'projection=7',
  'hidden=8',
  'width=3',
]);
const { spec } = setup(config);

it('docs/checkpoints.md names every tensor of the model', () => {
  const documented = new Set([...doc.matchAll(/`([Wbhc]_\w+)`/g)].map(([, name]) => name));
  const names = parameters(spec).map(({ name }) =>
    name.replace(/_\d+$/, match => (match === '_0' ? match : '')),
  );
  expect(names.filter(name => !documented.has(name))).toEqual([]);
});

const python = ['python3', 'python'].find(name => {
  try {
    return execFileSync(name, ['--version'], { stdio: 'pipe' }).length >= 0;
  } catch {
    return false;
  }
});

// pushdown does not need Python: a machine without it skips these tests.
describe.runIf(python)('in Python', () => {
  const state = initialState(spec, config.train);
  const checkpoint = { config, engine: 'reference', state, run: startRun(config) };
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pushdown-'));
    file = join(folder, 'checkpoint.safetensors');
    writeFileSync(file, encodeCheckpoint(checkpoint));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (program: string, ...args: string[]): string => {
    writeFileSync(join(folder, 'program.py'), program);
    return execFileSync(python!, [join(folder, 'program.py'), ...args], { maxBuffer: 2 ** 28 }).toString();
  };

  it('reads every tensor by its name, and the metadata', () => {
    const output = run(
      `${code('reader')}
tensors, metadata = load(sys.argv[1])
print(json.dumps({"metadata": metadata, "tensors": {n: [s, list(v)] for n, (s, v) in tensors.items()}}))`,
      file,
    );
    const { metadata, tensors } = JSON.parse(output);
    expect(metadata.format).toBe('pushdown');
    expect(JSON.parse(metadata.config)).toEqual(config);
    for (const { name, shape } of parameters(spec)) {
      expect(tensors[name], name).toEqual([shape, [...state.parameters.get(name)!]]);
    }
    expect(Object.keys(tensors)).toHaveLength(3 * parameters(spec).length);
  });

  it('writes a file that pushdown reads, including its checksum', () => {
    const copy = join(folder, 'copy.safetensors');
    run(`${code('reader')}${code('writer')}\nsave(sys.argv[2], *load(sys.argv[1]))`, file, copy);
    const bytes = readFileSync(copy);
    expect(decodeCheckpoint(bytes)).toEqual(checkpoint);
    bytes[bytes.length - 3] ^= 1;
    expect(() => decodeCheckpoint(bytes)).toThrow('the stored checksum is');
  });
});
