import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { parameters } from '../../src/base/parameters.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { preset } from '../../src/train/presets.ts';
import { startRun } from '../../src/train/run-state.ts';
import { initialState, setup } from '../../src/train/setup.ts';

/** The reader of docs/checkpoints.md, as it stands there, on every tensor of a model that has nearly all of them. */

const doc = readFileSync(new URL('../../docs/checkpoints.md', import.meta.url), 'utf8');
const reader = /<!-- reader -->\n```py\n([\s\S]*?)```/.exec(doc)![1];

const config = assign(preset('reverse'), [
  'controller=lstm',
  'layers=2',
  'memory=deque',
  'memories=2',
  'embedding=5',
  'readout=6',
  'deeper=7',
  'hidden=8',
  'width=3',
]);
const { spec } = setup(config);

it('names every tensor of the model', () => {
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

// The tool is not for Python: a machine without it has nothing to read checkpoints with.
it.runIf(python)('reads every tensor by its name, and the metadata', () => {
  const state = initialState(spec, config.train);
  const folder = mkdtempSync(join(tmpdir(), 'pushdown-'));
  try {
    const file = join(folder, 'checkpoint.safetensors');
    writeFileSync(file, encodeCheckpoint({ config, engine: 'reference', state, run: startRun(config) }));
    writeFileSync(
      join(folder, 'read.py'),
      `${reader}
tensors, metadata = load(sys.argv[1])
print(json.dumps({"metadata": metadata, "tensors": {n: [s, list(v)] for n, (s, v) in tensors.items()}}))`,
    );
    const output = execFileSync(python!, [join(folder, 'read.py'), file], { maxBuffer: 2 ** 28 });
    const { metadata, tensors } = JSON.parse(output.toString());
    expect(metadata.format).toBe('pushdown');
    expect(JSON.parse(metadata.config)).toEqual(config);
    for (const { name, shape } of parameters(spec)) {
      expect(tensors[name], name).toEqual([shape, [...state.parameters.get(name)!]]);
    }
    expect(Object.keys(tensors)).toHaveLength(3 * parameters(spec).length);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
