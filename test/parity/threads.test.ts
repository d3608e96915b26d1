import { Worker } from 'node:worker_threads';
import { assign, createCpuEngine, preset, Trainer } from 'pushdown';
import { openEngine } from 'pushdown/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MEMORY_NAMES, memoryKind } from '../../src/base/memories.ts';
import type { ModelSpec } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import type { Engine, Forward, Model, StepReport } from '../../src/engine/engine.ts';
import type { Spawn, ToThread } from '../../src/simd/pool.ts';
import { makeSpec, randomBatch } from '../support/batches.ts';
import { asControls } from '../support/memory-parity.ts';
import { configOf, startOf } from '../support/model-parity.ts';

/**
 * The threads of the engine `cpu`. Its workers are files of the built
 * package, so this file tests the build: `npm test` builds it first.
 */

const THREADS = [1, 2, 3];
const engines: Engine[] = [];

beforeAll(async () => {
  for (const threads of THREADS) engines.push(await openEngine('cpu', { threads }));
});
afterAll(() => {
  for (const engine of engines) engine.destroy();
});

/** The results for each number of threads. */
const onEach = <T>(use: (engine: Engine) => Promise<T>): Promise<T[]> => Promise.all(engines.map(use));

const lengthsOf = (rng: Rng, B: number, most: number): number[] =>
  Array.from({ length: B }, () => rng.int(1, most));

async function train(model: Model, spec: ModelSpec, B: number): Promise<[StepReport[], Forward, Forward]> {
  const rng = new Rng(11, B);
  for (let step = 0; step < 4; step++) await model.step(randomBatch(rng, spec, lengthsOf(rng, B, 9 + step)));
  const batch = randomBatch(rng, spec, lengthsOf(rng, B + 3, 14));
  return [await model.reports(), await model.forward(batch), await model.forward(batch, true)];
}

describe('a model gives exactly the same numbers on 1, 2 and 3 threads', () => {
  const small: [string, Partial<ModelSpec>][] = [
    ['RNN and stack', {}],
    ['LSTM of two layers and two queues', { controller: 'lstm', layers: 2, memory: 'queue', memories: 2 }],
    [
      'GRU and deque, embeddings and readout',
      { controller: 'gru', memory: 'deque', embedding: 5, readout: 6 },
    ],
    ['LSTM without a memory', { controller: 'lstm', memory: 'none' }],
  ];
  test.each(small)('%s', async (_, over) => {
    const spec = makeSpec(over);
    // 530 sequences form 34 groups: some of the 32 strands (src/simd/groups.ts) have two.
    for (const B of [1, 40, 530]) {
      const [one, ...others] = await onEach(async engine => {
        const model = await engine.model(spec, configOf({}), startOf(spec));
        const results = [...(await train(model, spec, B)), await model.gradients(), await model.state()];
        model.destroy();
        return results;
      });
      for (const other of others) expect(other).toEqual(one);
    }
  });

  test('a large model, whose ten sequences form two groups', async () => {
    const spec = makeSpec({ controller: 'lstm', hidden: 128, width: 16 });
    const [one, ...others] = await onEach(async engine => {
      const model = await engine.model(spec, configOf({ optimiser: 'adam' }), startOf(spec));
      return [...(await train(model, spec, 10)), await model.state()];
    });
    for (const other of others) expect(other).toEqual(one);
  });
});

test.each(MEMORY_NAMES)(
  'single steps of a %s give exactly the same numbers on 1, 2 and 3 threads',
  async kind => {
    // Large enough that threads share a step.
    const shape = { kind, B: 600, T: 3, M: 64 };
    const { ends, controls } = memoryKind(kind);
    const [one, ...others] = await onEach(async engine => {
      const rng = new Rng(6, 1);
      const numbers = (count: number): Float32Array =>
        Float32Array.from({ length: count }, () => rng.uniform());
      const memory = await engine.memory(shape);
      const results: unknown[] = [];
      const N = shape.B * ends;
      const inputs = (): Float32Array[] => [...controls.map(() => numbers(N)), numbers(N * shape.M)];
      for (let t = 0; t < shape.T; t++) results.push(await memory.step(...inputs()));
      for (let t = 0; t < shape.T; t++) results.push(await memory.stepBackward(numbers(N * shape.M)));
      // stepSync() computes on the calling thread alone.
      memory.reset();
      const now = inputs();
      const read = memory.stepSync(...now);
      memory.reset();
      expect(await memory.step(...now)).toEqual(read);
      memory.destroy();
      return results;
    });
    for (const other of others) expect(other).toEqual(one);
  },
);

test.each(MEMORY_NAMES)(
  'whole sequences of a %s give exactly the same numbers on 1, 2 and 3 threads',
  async kind => {
    const shape = { kind, B: 37, T: 50, M: 6 };
    const E = kind === 'deque' ? 2 : 1;
    const [one, ...others] = await onEach(async engine => {
      const rng = new Rng(5, 1);
      const numbers = (count: number): Float32Array =>
        Float32Array.from({ length: count }, () => rng.uniform());
      const N = shape.B * shape.T * E;
      const memory = await engine.memory(shape);
      const controls = asControls(
        kind,
        memoryKind(kind).controls.map(() => numbers(N)),
      );
      const read = await memory.forward(...controls, numbers(N * shape.M));
      const gradients = await memory.backward(numbers(N * shape.M));
      const results = [read, gradients, await memory.strengths()];
      memory.destroy();
      return results;
    });
    for (const other of others) expect(other).toEqual(one);
  },
);

describe('threads that die, or cannot be started', () => {
  const ENTRY = new URL('../../dist/src/platform/node/thread.js', import.meta.url);
  const large = makeSpec({ controller: 'lstm', hidden: 256, width: 64 });
  /** A batch that takes long enough for something to happen during its step. */
  const long = () => randomBatch(new Rng(1, 1), large, new Array(80).fill(100));

  /** Starts threads as real workers, and keeps them in a list, so that a test can terminate them. */
  function terminableWorkers() {
    const workers: Worker[] = [];
    const spawn: Spawn = ({ onMessage, onExit }) => {
      const worker = new Worker(ENTRY);
      workers.push(worker);
      worker.on('message', onMessage);
      worker.on('exit', code => onExit(`exit code ${code}`));
      return {
        post: message => worker.postMessage(message),
        hold: on => (on ? worker.ref() : worker.unref()),
        end: () => void worker.terminate(),
      };
    };
    return { spawn, workers };
  }

  test('if a thread dies during a step, this step and all later ones fail with an error that names the thread', async () => {
    // Threads that start, take an item of a job, and die before they finish it.
    const spawn: Spawn = ({ onMessage, onExit }) => ({
      post(message) {
        const request = message as ToThread;
        if (request.kind === 'thread') setTimeout(() => onMessage({ kind: 'ready' }));
        if (request.kind !== 'job') return;
        Atomics.add(request.next, 0, 1);
        setTimeout(() => onExit('exit code 1'));
      },
      hold: () => undefined,
      end: () => undefined,
    });
    const engine = await createCpuEngine('a test', { spawn, cores: 3 }, 3);
    const model = await engine.model(large, configOf({}), startOf(large));
    const name = /^thread [23] of 3 of the cpu engine ended: exit code 1$/;
    await expect(model.step(long())).rejects.toThrow(name);
    await expect((async () => model.step(long()))()).rejects.toThrow(name);
    engine.destroy();
  });

  test('training continues on new threads, with the numbers of an uninterrupted run', async () => {
    const config = assign(preset('reverse'), ['steps=60', 'reportEvery=20', 'evaluateEvery=0', 'stopAt=0']);
    const { spawn, workers } = terminableWorkers();
    const open = () => createCpuEngine('a test', { spawn, cores: 2 }, 2);
    const recovered: string[] = [];
    const run = async (losses: number) => {
      const trainer = await Trainer.start(await open(), config, {
        reopen: open,
        onProgress: ({ step }) => {
          if (step === 20 && recovered.length < losses) workers[workers.length - 1].terminate();
        },
        onRecovered: ({ reason }) => recovered.push(reason),
      });
      await trainer.run();
      const { state } = await trainer.snapshot();
      trainer.destroy();
      trainer.engine.destroy();
      return state;
    };
    const undisturbed = await run(0);
    expect(await run(1)).toEqual(undisturbed);
    expect(recovered).toEqual(['thread 2 of 2 of the cpu engine ended: exit code 1']);
  });

  test('destroying an engine ends its threads, and pending calls fail', async () => {
    const { spawn, workers } = terminableWorkers();
    const engine = await createCpuEngine('a test', { spawn, cores: 2 }, 2);
    const ended = new Promise(resolve => workers[0].on('exit', resolve));
    const model = await engine.model(large, configOf({}), startOf(large));
    const step = model.step(long());
    engine.destroy();
    await expect(step).rejects.toThrow('was destroyed');
    await ended;
  });

  test('if no thread can be started, the calling thread computes alone and the adapter gives the reason; with explicit threads it is an error', async () => {
    const refuse: Spawn = () => {
      throw new Error('workers are forbidden here');
    };
    const late: Spawn = ({ onExit }) => {
      setTimeout(() => onExit('blocked by a policy'), 10);
      return { post: () => undefined, hold: () => undefined, end: () => undefined };
    };
    for (const [spawn, reason] of [
      [refuse, 'workers are forbidden here'],
      [late, 'blocked by a policy'],
    ] as const) {
      const engine = await createCpuEngine('a test', { spawn, cores: 4 });
      const model = await engine.model(large, configOf({}), startOf(large));
      await model.step(randomBatch(new Rng(1, 1), large, new Array(10).fill(20)));
      await new Promise(resolve => setTimeout(resolve, 30));
      expect(engine.adapter).toMatchObject({ threads: 1, reason: `a test; one thread: ${reason}` });
      expect(await model.reports()).toHaveLength(1);
      await model.step(randomBatch(new Rng(1, 1), large, [3, 4]));
      engine.destroy();
      await expect(createCpuEngine('a test', { spawn, cores: 4 }, 2)).rejects.toThrow(
        `2 threads are not available: ${reason}. Request 1, or omit the number.`,
      );
    }
    await expect(createCpuEngine('a test', { cores: 1 }, 2)).rejects.toThrow('2 threads are not available');
    for (const threads of [0, -1, 1.5, 257, Number.NaN]) {
      await expect(openEngine('cpu', { threads })).rejects.toThrow(
        `threads must be a whole number from 1 to 256, got ${threads}.`,
      );
    }
  });
});
