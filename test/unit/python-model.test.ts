import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { NO_INPUT } from '../../src/base/dims.ts';
import { Rng } from '../../src/base/rng.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { openEngine } from '../../src/platform/node/engine.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { predict } from '../../src/train/evaluate.ts';
import { preset } from '../../src/train/presets.ts';
import { startRun } from '../../src/train/run-state.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { randomBatch } from '../support/batches.ts';
import { ROOT } from '../support/documents.ts';

/** The models printed in docs/python.md, compared with the reference. */

const doc = readFileSync(new URL('../../docs/python.md', import.meta.url), 'utf8');
const block = (name: string): string =>
  new RegExp(`<!-- ${name} -->\n\`\`\`py\n([\\s\\S]*?)\`\`\``).exec(doc)![1];

const MODELS = [
  [],
  ['controller=lstm', 'layers=2', 'memory=deque', 'memories=2', 'embedding=5', 'readout=6', 'projection=7'],
  ['controller=lstm-coupled', 'memory=queue', 'start=zero'],
  ['controller=gru', 'layers=2', 'memory=deque', 'output=sigmoid', 'start=one-hot'],
  [
    'controller=feedforward',
    'memory=stack',
    'memories=3',
    'output=tanh',
    'autoencoder=true',
    'start=one-hot',
  ],
  ['controller=lstm', 'memory=none', 'layers=3'],
  ['controller=lstm', 'memory=superposition', 'memories=2', 'depth=7', 'reads=2'],
  ['controller=gru', 'memory=tape', 'depth=5', 'start=one-hot'],
];

const folder = mkdtempSync(join(tmpdir(), 'pushdown-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * A Python that has the package, if there is one. PUSHDOWN_PYTHON is tried first: it can name a Python with torch if
 * python3 has none.
 */
function pythonWith(packageName: string): string | undefined {
  const preferred = process.env['PUSHDOWN_PYTHON'];
  return [...(preferred ? [preferred] : []), 'python3', 'python'].find(name => {
    try {
      return execFileSync(name, ['-c', `import ${packageName}`], { stdio: 'pipe' }).length >= 0;
    } catch {
      return false;
    }
  });
}

/** Random models with their inputs, and the outputs of the reference. */
async function cases() {
  const engine = createReferenceEngine('a test');
  return Promise.all(
    MODELS.map(async (sets, n) => {
      const config = assign(preset('reverse'), ['hidden=9', 'width=3', 'symbols=4', ...sets]);
      const { spec } = setup(config);
      const state = initialState(spec, config.train);
      // With noise, strengths vary from 0 to 1, and every tensor differs from its initial value.
      const rng = new Rng(n, 7);
      for (const values of state.parameters.values())
        for (let i = 0; i < values.length; i++) values[i] = Math.fround(values[i] + rng.normal());
      const path = join(folder, `model${n}.safetensors`);
      writeFileSync(path, encodeCheckpoint({ config, engine: 'reference', state, run: startRun(config) }));
      const batch = randomBatch(new Rng(n, 1), spec, [12, 12, 12], 2);
      const model = await engine.model(spec, config.train, state);
      const { trace } = await model.forward(batch, true);
      const ids = Array.from(batch.ids, id => (id === NO_INPUT ? -1 : id));
      return { path, ids, T: batch.T, B: batch.B, K: batch.K, expected: trace!.output };
    }),
  );
}

/**
 * Compares a printed model with the reference.
 * @param call Python code that appends the outputs of one case to `results`
 */
async function check(package_: string, blocks: string[], call: string): Promise<void> {
  const all = await cases();
  const script = join(folder, `with_${package_}.py`);
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(all.map(({ expected: _, ...inputs }) => inputs)));
  writeFileSync(
    script,
    `${blocks.map(block).join('\n')}
import json, sys
results = []
for case in json.load(open(sys.argv[1])):
    T, B, K = case["T"], case["B"], case["K"]
${call}
print(json.dumps(results))
`,
  );
  const python = pythonWith(package_)!;
  const output = execFileSync(python, [script, join(folder, 'cases.json')], { maxBuffer: 2 ** 28 });
  const results: number[][] = JSON.parse(output.toString());
  all.forEach(({ expected }, n) => {
    expect(results[n]).toHaveLength(expected.length);
    const difference = Math.max(...results[n].map((value, i) => Math.abs(value - expected[i])));
    // Rounding errors of float32 over 12 steps.
    expect(difference, `model ${n}: ${MODELS[n]}`).toBeLessThan(1e-5);
  });
}

/**
 * A source and the answer of the engine `cpu` for each of three trained models. The two grammars have different symbols
 * in sources and targets.
 */
async function answers() {
  const engine = await openEngine('cpu', { threads: 1 });
  const all = [];
  for (const name of ['reverse-rnn', 'gender-queue', 'svo-sov-queue']) {
    const path = join(ROOT, 'gallery', `${name}.safetensors`);
    const { config, state } = decodeCheckpoint(readFileSync(path));
    const { task, spec } = setup(config);
    const model = await engine.model(spec, config.train, state);
    const { source } = task.pair(new Rng(1, 2), 6, 8);
    const [{ outputs }] = await predict(model, task, [source]);
    all.push({ path, source: [...source], expected: outputs.filter(output => output !== task.end) });
  }
  engine.destroy();
  return all;
}

/**
 * Compares the answers of a printed model with those of the engine `cpu`.
 * @param call Python expression for the answer to one case
 */
async function checkAnswers(package_: string, blocks: string[], call: string): Promise<void> {
  const all = await answers();
  const script = join(folder, `answers_with_${package_}.py`);
  const lines = ['import json, sys', `print(json.dumps([${call} for case in json.load(open(sys.argv[1]))]))`];
  writeFileSync(script, [...blocks.map(block), ...lines].join('\n'));
  writeFileSync(join(folder, 'answers.json'), JSON.stringify(all));
  const output = execFileSync(pythonWith(package_)!, [script, join(folder, 'answers.json')]);
  expect(JSON.parse(output.toString())).toEqual(all.map(({ expected }) => expected));
}

// pushdown does not need Python: a machine without it, or without these packages, skips these tests.
test.runIf(pythonWith('numpy'))(
  'the NumPy model gives the answers of the engine cpu',
  () => checkAnswers('numpy', ['reader', 'numpy'], 'answer(case["path"], case["source"], 40)'),
  60_000,
);

test.runIf(pythonWith('torch'))(
  'the PyTorch model gives the answers of the engine cpu',
  () =>
    checkAnswers(
      'torch',
      ['reader', 'torch', 'torch-model'],
      'Pushdown(case["path"]).answer(case["source"], 40)',
    ),
  120_000,
);

test.runIf(pythonWith('numpy'))(
  'the NumPy model gives the outputs of the reference',
  async () => {
    await check(
      'numpy',
      ['reader', 'numpy'],
      `    ids = np.reshape(case["ids"], (T, B, K))
    outputs = [run(case["path"], [[i for i in step[b] if i >= 0] for step in ids])[0] for b in range(B)]
    results.append(np.stack(outputs, 1).ravel().tolist())`,
    );
  },
  60_000,
);

test.runIf(pythonWith('torch'))(
  'the PyTorch model gives the outputs of the reference',
  async () => {
    await check(
      'torch',
      ['reader', 'torch', 'torch-model'],
      `    ids = torch.tensor(case["ids"]).reshape(T, B, K)
    results.append(Pushdown(case["path"])(ids).flatten().tolist())`,
    );
  },
  120_000,
);

test('the PyTorch memories and the PyTorch model have fewer than 100 lines each', () => {
  for (const name of ['torch', 'torch-model']) expect(block(name).split('\n').length).toBeLessThan(100);
});
