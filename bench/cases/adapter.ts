/**
 * The peak performance of this adapter in plain kernels: a
 * copy, and a matrix product. Other cases are compared with it.
 */
import { bind, dispatch, type Gpu, split } from '../../src/gpu/device.ts';
import { runWorkCase } from '../compare.ts';
import { MAX_PASSES, type Workload } from '../work.ts';
import type { Bench, Case, Outcome } from './case.ts';
import { productOfRegisters, productOfTiles, TILE } from './matmul.ts';

/** Several kernels for each; the fastest gives the adapter's peak. */
export const adapterCases = (): Case[] => [
  copyCase(1),
  copyCase(8),
  copyCase(64),
  copyCase(512),
  productCase('tiles in workgroup memory', productOfTiles),
  productCase('tiles in registers', productOfRegisters),
];

const MIB = 2 ** 20;
const GROUP = 64;

function copyCase(each: number): Case {
  return {
    name: `adapter: copy, ${each} vec4f per invocation`,
    run: bench => {
      const bytes = copyBytes(bench.gpu);
      return runWorkCase(
        {
          open: ({ gpu }) => openCopy(gpu, bytes, each),
          // Every byte is read once and written once.
          floor: () => ({ bytes: 2 * bytes, flops: 0 }),
          done: (outcome, { peak }) => raise(peak, 'copy', outcome.rate!.gbs),
        },
        bench,
      );
    },
  };
}

/** Size of the copied buffer: larger than a cache, if the buffer limit allows it. */
export const copyBytes = ({ device, profile }: Gpu): number =>
  Math.min(
    device.limits.maxStorageBufferBindingSize,
    device.limits.maxBufferSize,
    (profile.name === 'software' ? 64 : 256) * MIB,
  );

/** @param each vec4f copied by each invocation */
export async function openCopy(gpu: Gpu, bytes: number, each: number): Promise<Workload> {
  const groups = split(Math.ceil(bytes / 16 / each / GROUP));
  const code = /* wgsl */ `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * ${groups[0]}u + group.x) * ${GROUP * each}u + lane;
  for (var k = 0u; k < ${each}u; k++) {
    let i = first + k * ${GROUP}u;
    if (i < arrayLength(&source)) {
      copied[i] = source[i];
    }
  }
}`;
  const kernel = await gpu.kernel(`copy, ${each} each`, code, ['read-only-storage', 'storage']);
  return plainWork(gpu, `${(bytes / MIB).toFixed(0)} MiB`, [bytes, bytes], buffers => {
    const bound = bind(gpu, kernel, buffers);
    return pass => dispatch(pass, bound, groups);
  });
}

/** Matrix size n: large enough to keep a GPU busy, and small enough for a software adapter. */
const sideOf = ({ profile }: Gpu): number => (profile.name === 'software' ? 256 : 2048);

function productCase(how: string, code: (n: number) => ProductCode): Case {
  return {
    name: `adapter: matrix product, ${how}`,
    run: bench => {
      const n = sideOf(bench.gpu);
      return runWorkCase(
        {
          open: ({ gpu }) => openProduct(gpu, n, code),
          // n² sums of n products; each of three matrices is transferred once.
          floor: () => ({ bytes: 12 * n * n, flops: 2 * n ** 3 }),
          done: (outcome, { peak }) => raise(peak, 'matmul', outcome.rate!.gflops),
        },
        bench,
      );
    },
  };
}

interface ProductCode {
  code: string;
  groups: [x: number, y: number];
}

/** The product of two n × n matrices of small integers. n must be a multiple of TILE. */
async function openProduct(gpu: Gpu, n: number, make: (n: number) => ProductCode): Promise<Workload> {
  if (n % TILE) throw new Error(`n must be a multiple of ${TILE}, got ${n}.`);
  const { code, groups } = make(n);
  const kernel = await gpu.kernel('matrix product', code, [
    'read-only-storage',
    'read-only-storage',
    'storage',
  ]);
  const bytes = 4 * n * n;
  return plainWork(gpu, `${n} x ${n}`, [bytes, bytes, bytes], buffers => {
    const numbers = Float32Array.from({ length: n * n }, (_, i) => ((i * 7919) % 11) - 5);
    for (const buffer of buffers.slice(0, 2)) gpu.device.queue.writeBuffer(buffer, 0, numbers);
    const bound = bind(gpu, kernel, buffers);
    return pass => dispatch(pass, bound, groups);
  });
}

/**
 * A workload of one dispatch per pass.
 * @param make binds the buffers, of which the last receives the result; returns the function that records a pass
 */
function plainWork(
  gpu: Gpu,
  how: string,
  sizes: number[],
  make: (buffers: GPUBuffer[]) => (pass: GPUComputePassEncoder) => void,
): Workload {
  const buffers: GPUBuffer[] = [];
  try {
    for (const bytes of sizes) buffers.push(gpu.buffer(how, bytes));
  } catch (error) {
    for (const buffer of buffers) buffer.destroy();
    throw error;
  }
  const record = make(buffers);
  const last = buffers[buffers.length - 1];
  const enqueue = (count: number): undefined => {
    gpu.submit(how, encoder => {
      for (let k = 0; k < count; k++) {
        const pass = encoder.beginComputePass({ label: how });
        record(pass);
        pass.end();
      }
    });
  };
  return {
    how,
    maxPasses: MAX_PASSES,
    bytes: buffers.reduce((sum, { size }) => sum + size, 0),
    enqueue,
    settle: async () => void (await gpu.read([{ buffer: last, bytes: 4 }])),
    outputs: async () => {
      enqueue(1);
      const [bytes] = await gpu.read([{ buffer: last, bytes: last.size }]);
      return new Map([['result', new Float32Array(bytes)]]);
    },
    destroy: () => {
      for (const buffer of buffers) buffer.destroy();
    },
  };
}

/** Records a rate if it is the highest so far. */
const raise = (
  peak: Bench['peak'],
  what: keyof Bench['peak'],
  rate: NonNullable<Outcome['rate']>['gbs'],
): void => {
  peak[what] = Math.max(peak[what] ?? 0, rate);
};
