import {
  BRANCH,
  LEVELS,
  type TimeOptions,
  timeCompose,
  timeHeights,
  timeMinima,
  timeStarts,
} from '../../shaders/time-heights.wgsl.ts';
import {
  queueCompose,
  queueFronts,
  queueLinks,
  queuePops,
  queueReads,
  queueRows,
  queueStarts,
} from '../../shaders/time-queue.wgsl.ts';
import { stackLinks, stackReads, stackRows, stackStrengths } from '../../shaders/time-stack.wgsl.ts';
import {
  type Bound,
  bind,
  dispatch,
  type Gpu,
  type Kernel,
  STEP_BYTES,
  split,
  UNIFORM,
} from '../gpu/device.ts';
import { cellsOf, type MemoryBuffers, type OpenMemory, type Recording, withBuffers } from './memory.ts';
import { prefixSum } from './prefix-sum.ts';

/** The most that may be pushed to one sequence: heights have 24 bits for whole units. */
export const MOST_PUSHED = 2 ** 24;

/** Chunks of a sequence's steps: enough to fill the device, and about as many as each has steps. */
function chunksOf(gpu: Gpu, B: number, T: number): number {
  const wanted = Math.ceil((gpu.software ? 32 : 16_384) / B);
  return Math.max(1, Math.min(wanted, Math.ceil(Math.sqrt(T))));
}

/** One dispatch, for every level of a tree where `levels` is given. */
interface Work {
  bound: Bound;
  groups: [x: number, y: number];
  level?: number;
}

/**
 * A stack or a queue parallel over time: see shaders/time-heights.wgsl.ts. Nothing that may be pushed to a sequence may
 * exceed MOST_PUSHED.
 */
export const timeMemory = (
  gpu: Gpu,
  kind: 'stack' | 'queue',
  B: number,
  T: number,
  M: number,
): Promise<OpenMemory> =>
  withBuffers(gpu, `memory over time (B=${B}, T=${T}, M=${M})`, buffers =>
    openOn(buffers, gpu, kind, B, T, M),
  );

async function openOn(
  buffers: MemoryBuffers,
  gpu: Gpu,
  kind: 'stack' | 'queue',
  B: number,
  T: number,
  M: number,
): Promise<OpenMemory> {
  const N = B * T;
  const size = gpu.software ? 8 : 64;
  const o: TimeOptions = { kind, size, ...cellsOf(M) };
  const chunks = chunksOf(gpu, B, T);
  const { levels, entries, words } = dimsOf(B, T, chunks);
  const dims = buffers.make('sizes', words.byteLength, UNIFORM);
  gpu.device.queue.writeBuffer(dims, 0, words);
  const io = buffers.io(N, M);
  const chunk = buffers.make('chunks', B * chunks * 24);
  const lows = buffers.make('lows', entries * 8);
  const highs = buffers.make('highs', N * 8);
  const links = buffers.make('links', N * 4);
  const keys = buffers.make('keys', entries * 4);
  const own = buffers.make('own gradients', N * 4);
  const other = buffers.make('tops or parts', N * 4);
  const last = kind === 'stack' ? buffers.make('sums', N * 4) : buffers.make('carries', B * chunks * 8);

  const work = async (
    label: string,
    code: string,
    count: number,
    inputs: GPUBuffer[],
    outputs: GPUBuffer[],
    level?: number,
  ): Promise<Work> => {
    const kernel: Kernel = await gpu.kernel(
      `memory over time, ${label}`,
      code,
      [
        'uniform',
        ...inputs.map(() => 'read-only-storage' as const),
        ...outputs.map(() => 'storage' as const),
      ],
      level !== undefined,
    );
    return {
      bound: bind(gpu, kernel, [dims, ...inputs, ...outputs]),
      groups: split(Math.ceil(count / size)),
      level,
    };
  };
  const tree = (of: 'vec2u' | 'u32', entries: GPUBuffer): Promise<Work>[] =>
    levels
      .slice(1)
      .map((count, k) => work(`minima of ${of}`, timeMinima(o, of), B * count, [], [entries], k + 1));

  const { push, pop, value, read, dRead, dPush, dPop, dValue } = io;
  const perInvocation = gpu.software ? o.cells : Math.min(o.cells, 4);
  const shares = Math.ceil(o.cells / perInvocation);
  const alone = chunks === 1;
  const stack = kind === 'stack';
  const forward = await Promise.all([
    ...(alone
      ? []
      : [
          work('compose', timeCompose(o), B * chunks, [push, pop], [chunk]),
          work('starts', timeStarts(o), B, [], [chunk]),
        ]),
    work('heights', timeHeights(o), B * chunks, [push, pop, chunk], [lows, highs]),
    ...(stack ? tree('vec2u', lows) : []),
    stack
      ? work('links', stackLinks(o), N, [lows], [links, keys])
      : work('links', queueLinks(o), N, [lows, highs], [links, keys]),
    ...(stack ? tree('u32', keys) : []),
    work(
      'reads',
      stack ? stackReads(o, perInvocation) : queueReads(o, perInvocation),
      N * shares,
      [value, lows, highs, links],
      [read],
    ),
  ]);
  const before = await Promise.all(
    stack
      ? [work('rows', stackRows(o), N, [value, dRead, lows, highs, links], [own, other, dValue])]
      : [work('fronts', queueFronts(o), N, [value, dRead, lows, highs, links], [own, other])],
  );
  const sums = stack ? await prefixSum(gpu, B, T, 'forward', { given: { x: own, y: last } }) : undefined;
  const after = await Promise.all(
    stack
      ? [work('strengths', stackStrengths(o), N, [lows, highs, keys, last, other], [dPush, dPop])]
      : [
          work('compose fronts', queueCompose(o), B * chunks, [own, keys], [last]),
          work('front starts', queueStarts(o), B, [], [last]),
          work('pops', queuePops(o), B * chunks, [own, keys, last, pop], [dPop]),
          work('rows', queueRows(o), N, [value, dRead, lows, highs, other, dPop], [dPush, dValue]),
        ],
  );

  const recording =
    (all: readonly Work[]): Recording =>
    encoder => {
      const pass = encoder.beginComputePass({ label: 'memory over time' });
      for (const { bound, groups, level } of all) {
        if (level !== undefined) pass.setBindGroup(1, gpu.steps(LEVELS), [level * STEP_BYTES]);
        dispatch(pass, bound, groups);
      }
      pass.end();
    };
  // All steps are worked on together: what is too long is cut between its dispatches.
  const each = (all: readonly Work[]): Recording[] => all.map(one => recording([one]));
  return {
    form: 'time',
    io,
    rewinds: false,
    bytes: buffers.bytes,
    forward: (steps = T) => (steps < T ? each(forward) : [recording(forward)]),
    backward: (steps = T) => {
      const summing = sums ? [sums.record] : [];
      if (steps < T) return [...each(before), ...summing, ...each(after)];
      const whole = [recording(before), ...summing, recording(after)];
      return [
        encoder => {
          for (const record of whole) record(encoder);
        },
      ];
    },
    async strengths(): Promise<Float32Array[][]> {
      const [low, high] = await gpu.read([
        { buffer: lows, bytes: N * 8 },
        { buffer: highs, bytes: N * 8 },
      ]);
      return strengthsOf(kind, B, T, heights(low), heights(high));
    },
    destroy(): void {
      sums?.destroy();
      buffers.destroy();
    },
  };
}

/** The struct Dims of the shaders: sizes, and for every level of a tree its entries a sequence and where they begin. */
function dimsOf(
  B: number,
  T: number,
  chunks: number,
): { levels: number[]; entries: number; words: Uint32Array<ArrayBuffer> } {
  const levels = [T];
  while (levels[levels.length - 1] > BRANCH) levels.push(Math.ceil(levels[levels.length - 1] / BRANCH));
  const words = new Uint32Array(8 + 4 * LEVELS);
  words.set([B, T, chunks, Math.ceil(T / chunks), levels.length - 1]);
  let entries = 0;
  levels.forEach((count, k) => {
    words.set([count, entries], 8 + 4 * k);
    entries += B * count;
  });
  return { levels, entries, words };
}

/** 64-bit fixed-point numbers as float64. */
function heights(bytes: ArrayBuffer): Float64Array {
  const words = new Uint32Array(bytes);
  return Float64Array.from({ length: words.length / 2 }, (_, i) => words[2 * i + 1] + words[2 * i] / 2 ** 32);
}

/** [B][T][t + 1] strengths of all rows: what is left of row i's interval. */
function strengthsOf(
  kind: 'stack' | 'queue',
  B: number,
  T: number,
  low: Float64Array,
  high: Float64Array,
): Float32Array[][] {
  return Array.from({ length: B }, (_, b) => {
    const [lows, highs] = [low, high].map(all => all.subarray(b * T, (b + 1) * T));
    return Array.from({ length: T }, (_, t) => {
      const strengths = new Float32Array(t + 1);
      let top = highs[t];
      for (let i = t; i >= 0; i--) {
        const base = kind === 'stack' ? lows[i] : Math.max(i > 0 ? highs[i - 1] : 0, lows[t]);
        if (kind === 'queue') top = highs[i];
        strengths[i] = Math.max(0, top - base);
        top = Math.min(top, base);
      }
      return strengths;
    });
  });
}
