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
import { type Gpu, split, UNIFORM } from '../gpu/device.ts';
import type { DeviceProfile, OverTimeProfile } from '../gpu/profile.ts';
import { type Launch, read as reading, write as writing } from './launch.ts';
import { type MemoryBuffers, placesOf, rowElements, type SequenceMemory, withBuffers } from './memory.ts';
import { whole } from './pieces.ts';
import { prefixSumLaunch, sumSizes } from './prefix-sum.ts';
import { Program, type Recording } from './program.ts';

/**
 * The total push strength of a sequence must be less than this: the fixed-point arithmetic assumes heights below 2^24
 * (shaders/lib/fixed.wgsl.ts).
 */
export const MAX_PUSHED = 2 ** 24;

/**
 * Number of chunks per sequence: enough to fill the device, but at most √T, so that a chunk has about as many steps as
 * there are chunks.
 */
const chunksOf = ({ chunks }: OverTimeProfile, B: number, T: number): number =>
  Math.max(1, Math.min(Math.ceil(chunks / B), Math.ceil(Math.sqrt(T))));

/**
 * Buffers of the kernels (described in shaders/time-*.wgsl.ts). Two depend on the kind: `topsOrParts` has a stack's
 * tops or a queue's parts, `sumsOrCarries` a stack's sums or a queue's carries.
 */
type Name =
  | 'push'
  | 'pop'
  | 'value'
  | 'read'
  | 'dRead'
  | 'dPush'
  | 'dPop'
  | 'dValue'
  | 'dims'
  | 'sumSizes'
  | 'chunk'
  | 'lows'
  | 'highs'
  | 'links'
  | 'keys'
  | 'heightGradients'
  | 'topsOrParts'
  | 'sumsOrCarries';

/**
 * A stack or a queue computed in parallel over time: see shaders/time-heights.wgsl.ts. The caller must check that
 * the push strengths of each sequence add up to less than MAX_PUSHED.
 * @param B sequences @param T time steps @param M numbers per row
 * @throws DeviceError if a kernel does not compile
 * @throws InputError if a buffer is too large for the device
 */
export const timeMemory = (
  gpu: Gpu,
  kind: 'stack' | 'queue',
  B: number,
  T: number,
  M: number,
): Promise<SequenceMemory> =>
  withBuffers(gpu, `time-parallel memory (B=${B}, T=${T}, M=${M})`, buffers =>
    openOn(buffers, gpu, kind, B, T, M),
  );

async function openOn(
  buffers: MemoryBuffers,
  gpu: Gpu,
  kind: 'stack' | 'queue',
  B: number,
  T: number,
  M: number,
): Promise<SequenceMemory> {
  const N = B * T;
  const chunks = chunksOf(gpu.profile.overTime, B, T);
  const { entries, words } = dimsOf(B, T, chunks);
  const stack = kind === 'stack';
  const all: Record<Name, GPUBuffer> = {
    dims: buffers.make('sizes', words.byteLength, UNIFORM),
    sumSizes: buffers.make('sizes of sums', 16, UNIFORM),
    push: buffers.make('push', N * 4),
    pop: buffers.make('pop', N * 4),
    value: buffers.make('value', N * M * 4),
    read: buffers.make('read', N * M * 4),
    dRead: buffers.make('dRead', N * M * 4),
    dPush: buffers.make('dPush', N * 4),
    dPop: buffers.make('dPop', N * 4),
    dValue: buffers.make('dValue', N * M * 4),
    chunk: buffers.make('chunks', B * chunks * 24),
    lows: buffers.make('lows', entries * 8),
    highs: buffers.make('highs', N * 8),
    links: buffers.make('links', N * 4),
    keys: buffers.make('keys', entries * 4),
    heightGradients: buffers.make('gradients of heights', N * 4),
    topsOrParts: buffers.make('tops or parts', N * 4),
    sumsOrCarries: stack ? buffers.make('sums', N * 4) : buffers.make('carries', B * chunks * 8),
  };
  gpu.device.queue.writeBuffer(all.dims, 0, words);
  gpu.device.queue.writeBuffer(all.sumSizes, 0, sumSizes(B, T));

  const { forward, backward } = timeLaunches(gpu.profile, kind, B, T, M);
  const program = await Program.compile(gpu, [...forward, ...backward]);
  program.bind(name => all[name]);
  // Every dispatch covers all time steps, so long work can only be cut between dispatches.
  const recordings = (work: readonly Launch<Name>[], steps = T): Recording[] =>
    (steps < T ? work.map(launch => whole([launch])) : [whole(work)]).map(pieces =>
      program.recording('memory over time', pieces, { B, T, rowSplits: 1 }),
    );
  return {
    form: 'time',
    io: placesOf(all),
    rewinds: false,
    bytes: buffers.bytes,
    forward: steps => recordings(forward, steps),
    backward: steps => recordings(backward, steps),
    async strengths(): Promise<Float32Array[][]> {
      const [low, high] = await gpu.read([
        { buffer: all.lows, bytes: N * 8 },
        { buffer: all.highs, bytes: N * 8 },
      ]);
      return strengthsOf(kind, B, T, heights(low), heights(high));
    },
    destroy: () => buffers.destroy(),
  };
}

/** The launches of timeMemory(), in order. Plain data, without a device. */
export function timeLaunches(
  { overTime, prefixSum }: Pick<DeviceProfile, 'overTime' | 'prefixSum'>,
  kind: 'stack' | 'queue',
  B: number,
  T: number,
  M: number,
): Record<'forward' | 'backward', Launch<Name>[]> {
  const N = B * T;
  const { size } = overTime;
  const o: TimeOptions = { kind, size, ...rowElements(M) };
  const chunks = chunksOf(overTime, B, T);
  const { levels } = dimsOf(B, T, chunks);
  const stack = kind === 'stack';
  const launch = (
    label: string,
    code: string,
    count: number,
    inputs: readonly Name[],
    outputs: readonly Name[],
    level?: number,
  ): Launch<Name> => ({
    label: `memory over time, ${label}`,
    code,
    buffers: [['dims', 'uniform'], ...inputs.map(reading), ...outputs.map(writing)],
    groups: () => split(Math.ceil(count / size)),
    step: level,
  });
  const tree = (type: 'vec2u' | 'u32', buffer: Name): Launch<Name>[] =>
    levels
      .slice(1)
      .map((count, k) => launch(`minima of ${type}`, timeMinima(o, type), B * count, [], [buffer], k + 1));

  const perInvocation = Math.min(o.elements, overTime.elements);
  const shares = Math.ceil(o.elements / perInvocation);
  const forward = [
    ...(chunks === 1
      ? []
      : [
          launch('compose', timeCompose(o), B * chunks, ['push', 'pop'], ['chunk']),
          launch('starts', timeStarts(o), B, [], ['chunk']),
        ]),
    launch('heights', timeHeights(o), B * chunks, ['push', 'pop', 'chunk'], ['lows', 'highs']),
    ...(stack ? tree('vec2u', 'lows') : []),
    stack
      ? launch('links', stackLinks(o), N, ['lows'], ['links', 'keys'])
      : launch('links', queueLinks(o), N, ['lows', 'highs'], ['links', 'keys']),
    ...(stack ? tree('u32', 'keys') : []),
    launch(
      'reads',
      stack ? stackReads(o, perInvocation) : queueReads(o, perInvocation),
      N * shares,
      ['value', 'lows', 'highs', 'links'],
      ['read'],
    ),
  ];
  const gradientInputs = ['value', 'dRead', 'lows', 'highs'] as const;
  const backward = stack
    ? [
        launch(
          'rows',
          stackRows(o),
          N,
          [...gradientInputs, 'links'],
          ['heightGradients', 'topsOrParts', 'dValue'],
        ),
        prefixSumLaunch<Name>(prefixSum, B, T, 'forward', ['sumSizes', 'heightGradients', 'sumsOrCarries']),
        launch(
          'strengths',
          stackStrengths(o),
          N,
          ['lows', 'highs', 'keys', 'sumsOrCarries', 'topsOrParts'],
          ['dPush', 'dPop'],
        ),
      ]
    : [
        launch('fronts', queueFronts(o), N, [...gradientInputs, 'links'], ['heightGradients', 'topsOrParts']),
        launch('compose fronts', queueCompose(o), B * chunks, ['heightGradients', 'keys'], ['sumsOrCarries']),
        launch('front starts', queueStarts(o), B, [], ['sumsOrCarries']),
        launch(
          'pops',
          queuePops(o),
          B * chunks,
          ['heightGradients', 'keys', 'sumsOrCarries', 'pop'],
          ['dPop'],
        ),
        launch('rows', queueRows(o), N, [...gradientInputs, 'topsOrParts', 'dPop'], ['dPush', 'dValue']),
      ];
  return { forward, backward };
}

/**
 * The struct Dims of the shaders: sizes, and for every level of a tree its number of entries per sequence and the
 * offset of its first entry.
 */
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

/** Strengths [B][T][t + 1] of all rows after each step: the remaining length of row i's interval. */
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
