/**
 * Cost of the memory kernel alone, forward and backward, against T: it should grow like T, not like T². Push
 * strengths U(0.5, 1), pop strengths U(0, 1), so that the memory gets deeper all the time.
 */
import { parseArgs } from 'node:util';
import { DeviceError } from '../src/base/errors.ts';
import { Rng } from '../src/base/rng.ts';
import { findAdapter } from '../src/cli/adapter.ts';
import { Gpu, requestDevice } from '../src/gpu/device.ts';
import {
  bindMemory,
  chooseForm,
  type MemoryForm,
  memoryBuffers,
  memoryKernels,
  recordMemoryBackward,
  recordMemoryForward,
} from '../src/kernels/memory.ts';
import {
  countOption,
  exponent,
  figure,
  figures,
  machine,
  sample,
  save,
  spread,
  table,
  timed,
} from './harness.ts';

const TIMES = [64, 256, 1024, 4096];
const M = 8;
/** Fitted exponents above it are a failure. */
const LIMIT = 1.1;
/** The batch is doubled from 32 until a forward pass at the smallest T takes this long … */
const LEAST_MS = 5;
/** … or the largest buffer takes this much. */
const LARGEST_BYTES = 64 * 2 ** 20;
/** A sample is as many passes in one submission as take this long, or this many. */
const SAMPLE_MS = 40;
const MOST_PASSES = 256;
const LEAST_SAMPLES = 7;

const HELP = `node bench/run.mjs bench/growth.ts [options]
  --batch <B>           sequences (default: enough for ${LEAST_MS} ms a pass at T=${TIMES[0]}, as far as memory allows)
  --form <lane|block>   form of the kernel (default: the device's)
  --samples <n>         samples of each (default ${LEAST_SAMPLES}, at least ${LEAST_SAMPLES})
  --json                write bench/results/growth-<adapter>-<date>.json`;

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      batch: { type: 'string' },
      form: { type: 'string' },
      samples: { type: 'string', default: String(LEAST_SAMPLES) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const rounds = countOption('samples', values.samples, LEAST_SAMPLES);
  const { found, tried } = await findAdapter();
  if (!found) {
    throw new DeviceError(`no WebGPU adapter: ${tried.map(t => `${t.what}: ${t.outcome}`).join('; ')}`);
  }
  const adapter = found.description;
  const gpu = new Gpu(await requestDevice(found.adapter), adapter.kind === 'software');
  const form = formOf(gpu, values.form);
  const B = values.batch ? countOption('batch', values.batch, 1) : await chooseBatch(gpu, form);
  const before = machine();
  console.log(
    `memory kernel alone: stack, ${form.form} form, B = ${B}, M = ${M}; ${rounds} samples each, in turn`,
  );
  console.log(`${adapter.name} (${adapter.kind}) · ${adapter.reason}`);
  console.log(`on ${before.cores} cores of ${before.processor}, load ${before.load}, Node ${before.node}`);

  // T = 1 is nothing but launches.
  const cases: MemoryCase[] = [];
  for (const T of [1, ...TIMES]) cases.push(await memoryCase(gpu, form, B, T));
  const samples = await sample(
    rounds,
    cases.flatMap(one => [one.forward, one.backward]),
  );
  const all = cases.map(({ T, bytes }, k) => ({
    T,
    bytes,
    forward: spread(samples[2 * k]),
    backward: spread(samples[2 * k + 1]),
  }));
  const [launch, ...rows] = all;
  const perStep = (ms: number, T: number): string => figure((ms * 1e6) / (B * T));
  console.log(
    `a launch (T = 1): forward ${figure(launch.forward.median)} ms, backward ${figure(launch.backward.median)} ms\n`,
  );
  console.log(
    table([
      ['T', 'forward ms', 'ns a step', 'backward ms', 'ns a step', 'MiB', 'bytes a step'],
      ...rows.map(({ T, bytes, forward, backward }) => [
        String(T),
        figures(forward),
        perStep(forward.median, T),
        figures(backward),
        perStep(backward.median, T),
        figure(bytes / 2 ** 20),
        figure(bytes / (B * T)),
      ]),
    ]),
  );
  const fitted = (of: (row: (typeof rows)[number]) => number): number => exponent(TIMES, rows.map(of));
  const exponents = {
    forward: fitted(row => row.forward.median),
    backward: fitted(row => row.backward.median),
    bytes: fitted(row => row.bytes),
  };
  const told = Object.entries(exponents).map(([what, x]) => `${what} ${x.toFixed(3)}`);
  console.log(`\nexponent ${told.join(' · ')} (1 is linear in T, 2 is quadratic; at most ${LIMIT})`);
  if (values.json) {
    const path = save('growth', adapter, { machine: before, form, B, M, exponents, launch, rows });
    console.log(`written to ${path}`);
  }
  const over = Object.entries(exponents).filter(([, x]) => !(x <= LIMIT));
  if (over.length === 0) return 0;
  console.error(
    `grows faster than T^${LIMIT}: ${over.map(([what]) => what).join(', ')}. On a busy machine, try again.`,
  );
  return 1;
}

function formOf(gpu: Gpu, form: string | undefined): MemoryForm {
  const own = chooseForm(gpu);
  if (form === undefined || form === own.form) return own;
  if (form === 'lane') return { form, size: 8, subgroups: false };
  if (form === 'block') return { form, size: 32, subgroups: gpu.subgroups };
  throw new DeviceError(`--form must be lane or block, got "${form}".`);
}

async function chooseBatch(gpu: Gpu, form: MemoryForm): Promise<number> {
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize, LARGEST_BYTES);
  const longest = TIMES[TIMES.length - 1];
  for (let B = 32; ; B *= 2) {
    if (2 * B * longest * M * 4 > limit) return B;
    const one = await memoryCase(gpu, form, B, TIMES[0]);
    const ms = Math.min(await one.forward(), await one.forward());
    one.destroy();
    if (ms >= LEAST_MS) return B;
  }
}

interface MemoryCase {
  T: number;
  /** Of all buffers of the memory. */
  bytes: number;
  /** One sample: ms a pass. */
  forward(): Promise<number>;
  backward(): Promise<number>;
  destroy(): void;
}

/** A memory with its inputs on the device, warmed up. */
async function memoryCase(gpu: Gpu, form: MemoryForm, B: number, T: number): Promise<MemoryCase> {
  const { queue } = gpu.device;
  const kernels = await memoryKernels(gpu, 'stack', M, form);
  const buffers = memoryBuffers(gpu, 'stack', B, T, M);
  const passes = bindMemory(gpu, kernels, buffers, B);
  const rng = new Rng(1, 0, T);
  queue.writeBuffer(
    buffers.push,
    0,
    Float32Array.from({ length: B * T }, () => 0.5 + rng.uniform() / 2),
  );
  queue.writeBuffer(
    buffers.pop,
    0,
    Float32Array.from({ length: B * T }, () => rng.uniform()),
  );
  // No branch of the kernel depends on these, so that one sequence's will do for all.
  const vectors = Float32Array.from({ length: T * M }, () => 2 * rng.uniform() - 1);
  for (const buffer of [buffers.value, buffers.dRead]) {
    for (let b = 0; b < B; b++) queue.writeBuffer(buffer, b * T * M * 4, vectors);
  }
  // The backward pass rewinds the slots: each gets them back by a copy (8 bytes a step) that counts as its own.
  const slots = gpu.buffer('slots after the forward pass', B * T * 8);

  const run = (record: (encoder: GPUCommandEncoder) => void, passes: number): Promise<number> =>
    timed(async () => {
      gpu.submit('growth', encoder => {
        for (let k = 0; k < passes; k++) record(encoder);
      });
      await gpu.read([{ buffer: buffers.dims, bytes: 4 }]);
    });
  const forward = (encoder: GPUCommandEncoder): void => recordMemoryForward(encoder, passes, buffers);
  const backward = (encoder: GPUCommandEncoder): void => {
    encoder.copyBufferToBuffer(slots, 0, buffers.slots, 0, buffers.slots.size);
    recordMemoryBackward(encoder, passes, buffers);
  };
  const sampler = async (record: (encoder: GPUCommandEncoder) => void): Promise<() => Promise<number>> => {
    await run(record, 1);
    const once = await run(record, 1);
    const passes = Math.max(1, Math.min(MOST_PASSES, Math.round(SAMPLE_MS / once)));
    await run(record, passes);
    return async () => (await run(record, passes)) / passes;
  };
  const forwardSample = await sampler(forward);
  gpu.submit('keep slots', encoder => {
    encoder.copyBufferToBuffer(buffers.slots, 0, slots, 0, slots.size);
  });
  const backwardSample = await sampler(backward);
  const own = Object.values(buffers) as GPUBuffer[];
  return {
    T,
    bytes: own.reduce((sum, { size }) => sum + size, 0),
    forward: forwardSample,
    backward: backwardSample,
    destroy: () => {
      for (const buffer of [...own, slots]) buffer.destroy();
    },
  };
}
