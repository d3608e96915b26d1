/** The memory by itself: forward and backward pass over a grid of sizes. */
import { endsOf } from '../../src/base/memories.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { type LayerForm, openMemory } from '../../src/engine/gpu-memory.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { runWorkCase } from '../compare.ts';
import { type MemoryProblem, memoryInputs, STRENGTHS } from '../problems.ts';
import { MAX_PASSES, type Workload } from '../work.ts';
import type { Bench, Case, Floor } from './case.ts';

const BASE: MemoryProblem = { kind: 'stack', B: 128, T: 1024, M: 32, strengths: 'near 1' };
const GRID: { [K in keyof MemoryProblem]: readonly MemoryProblem[K][] } = {
  kind: ['stack', 'queue', 'deque'],
  B: [1, 32, 128, 1024],
  T: [64, 256, 1024, 4096],
  M: [8, 32, 256],
  strengths: STRENGTHS,
};
/**
 * A size at which all peers finish in reasonable time. Their
 * cost grows like T², so at larger T they are further behind.
 */
const SHORT: MemoryProblem = { ...BASE, T: 128 };
const LONG: MemoryProblem = { ...BASE, B: 1, T: 65_536 };
/**
 * Peers store the strengths of all rows at all steps, B·T² numbers. With more
 * than this, PyTorch is not measured. The peers on WebGPU need 10 GB for half as many.
 */
const MAX_STRENGTHS = BASE.B * BASE.T ** 2;
/** The corresponding limit for TensorFlow.js and jax-js. */
const MAX_IN_JAVASCRIPT = MAX_STRENGTHS / 4;

/** The grid. Without `--full`: the base case with its peers, and cases that differ from it along one axis. */
export function memoryCases(): Case[] {
  const problems: MemoryProblem[] = [];
  for (const kind of GRID.kind)
    for (const B of GRID.B)
      for (const T of GRID.T)
        for (const M of GRID.M)
          for (const strengths of GRID.strengths) problems.push({ kind, B, T, M, strengths });
  const differences = (problem: MemoryProblem): number =>
    Object.keys(BASE).filter(key => problem[key as keyof MemoryProblem] !== BASE[key as keyof MemoryProblem])
      .length;
  return [
    memoryCase(SHORT),
    ...problems
      .sort((a, b) => differences(a) - differences(b))
      .map(problem =>
        memoryCase(problem, { full: differences(problem) > 1, peers: differences(problem) !== 1 }),
      ),
    // One long sequence: step by step, and parallel over time.
    memoryCase(LONG, { full: true, peers: false }),
    memoryCase(LONG, { full: true, peers: false, form: 'time' }),
  ];
}

/** @param form form of the kernels; absent: the device's default */
function memoryCase(
  problem: MemoryProblem,
  { full = false, peers = true, form }: { full?: boolean; peers?: boolean; form?: LayerForm } = {},
): Case {
  const { kind, B, T, M, strengths } = problem;
  const name = `memory: ${kind} B=${B} T=${T} M=${M}, ${strengths}${form ? `, ${form === 'time' ? form : form.form} form` : ''}`;
  return {
    name,
    full,
    run: bench =>
      runWorkCase(
        {
          open: bench => openMemoryOn(bench, problem, form),
          floor: () => memoryFloor(problem),
          ...(peers &&
            kind === 'stack' && {
              peer: peer =>
                B * T * T > (peer.name.startsWith('PyTorch') ? MAX_STRENGTHS : MAX_IN_JAVASCRIPT)
                  ? `it would store ${((B * T * T * 4) / 2 ** 30).toFixed(1)} GiB of strengths, and as much for every gradient`
                  : peer.memory(problem, memoryInputs(problem)),
            }),
        },
        bench,
      ),
  };
}

/** A memory with its inputs on the device. A pass is a forward and a backward pass. */
export async function openMemoryWork(gpu: Gpu, problem: MemoryProblem, form?: LayerForm): Promise<Workload> {
  const { kind, B, T, M } = problem;
  const memory = await openMemory(gpu, problem, form);
  const { io } = memory;
  const inputs = memoryInputs(problem);
  for (const name of ['push', 'pop', 'value', 'dRead'] as const) {
    gpu.device.queue.writeBuffer(io[name].buffer, io[name].offset, inputs[name] as Float32Array<ArrayBuffer>);
  }
  const enqueue = (count: number): undefined => {
    gpu.submit('memory', encoder => {
      for (let k = 0; k < count; k++) {
        for (const record of [...memory.forward(), ...memory.backward()]) record(encoder);
      }
    });
  };
  const N = B * T * endsOf(kind);
  const results = { read: N * M, dPush: N, dPop: N, dValue: N * M };
  const names = Object.keys(results) as (keyof typeof results)[];
  return {
    how: `${memory.form} form`,
    maxPasses: MAX_PASSES,
    bytes: memory.bytes,
    enqueue,
    settle: async () => void (await gpu.read([{ ...io.dPush, bytes: 4 }])),
    outputs: async () => {
      enqueue(1);
      const read = await gpu.read(names.map(name => ({ ...io[name], bytes: 4 * results[name] })));
      return new Map(names.map((name, k) => [name, new Float32Array(read[k])]));
    },
    destroy: () => memory.destroy(),
  };
}

/** The same memory as a layer of an engine: each pass copies its arrays into the engine's memory and out again. */
export async function openMemoryLayer(engine: Engine, problem: MemoryProblem): Promise<Workload> {
  const { push, pop, value, dRead } = memoryInputs(problem);
  const memory = await engine.memory(problem);
  const pass = async () => {
    const results: Record<string, Float32Array> = { read: await memory.forward(push, pop, value) };
    return Object.assign(results, await memory.backward(dRead));
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    how: 'with its transfers',
    maxPasses: MAX_PASSES,
    bytes: memory.bytes,
    enqueue(passes): undefined {
      for (let k = 0; k < passes; k++) last = last.then(pass);
    },
    settle: async () => void (await last),
    async outputs() {
      const results = await pass();
      const names = ['read', 'dPush', 'dPop', 'dValue'] as const;
      return new Map(names.map(name => [name, results[name]]));
    },
    destroy: () => memory.destroy(),
  };
}

/** Opens a memory on the engine of the bench. */
export const openMemoryOn = (
  { gpu, engine }: Bench,
  problem: MemoryProblem,
  form?: LayerForm,
): Promise<Workload> =>
  engine.name === 'gpu' ? openMemoryWork(gpu, problem, form) : openMemoryLayer(engine, problem);

/**
 * Per step and end, the 4-byte numbers that must be transferred between buffers and processor:
 *   forward: push, pop, value in, read out                                   2 + 2M
 *   backward: push, pop, value, dRead in, dPush, dPop, dValue out            4 + 3M
 * and the multiplications and additions, with k rows per read on average (computed from the strengths):
 *   r = Σ w·V, dV += w·dr, dw = V·dr                                         3 · 2kM
 */
function memoryFloor(problem: MemoryProblem): Floor {
  const { kind, B, T, M } = problem;
  const N = B * T * endsOf(kind);
  return { bytes: 4 * N * (6 + 5 * M), flops: 6 * N * M * rowsRead(problem) };
}

/** The number of rows that contribute to a read, averaged over the steps and ends of one sequence. */
export function rowsRead(problem: MemoryProblem): number {
  const { kind, T } = problem;
  const E = endsOf(kind);
  // One sequence with M = 1 is enough: strengths do not depend on M, and have the same distribution in all sequences.
  const { push, pop } = memoryInputs({ ...problem, B: 1, M: 1 });
  const rows: number[] = [];
  // A queue is popped and read at the end opposite to the one that is pushed to.
  const popSide = (end: number): 'top' | 'bottom' => (end === 1 || kind === 'queue' ? 'bottom' : 'top');
  const at = (side: 'top' | 'bottom', k: number): number => (side === 'top' ? rows.length - 1 - k : k);
  let taken = 0;
  for (let t = 0; t < T; t++) {
    for (let end = 0; end < E; end++) {
      const side = popSide(end);
      let left = pop[t * E + end];
      while (left > 0 && rows.length > 0) {
        const k = at(side, 0);
        const part = Math.min(left, rows[k]);
        left -= part;
        rows[k] -= part;
        if (rows[k] > 0) break;
        if (side === 'top') rows.pop();
        else rows.shift();
      }
    }
    for (let end = 0; end < E; end++) {
      const d = push[t * E + end];
      if (d > 0 && end === 1) rows.unshift(d);
      else if (d > 0) rows.push(d);
    }
    for (let end = 0; end < E; end++) {
      for (let k = 0, room = 1; k < rows.length && room > 0; k++, taken++) room -= rows[at(popSide(end), k)];
    }
  }
  return taken / (T * E);
}
