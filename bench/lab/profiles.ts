/**
 * Times training steps and memory layers under variants of the device profile. The GPU values of src/gpu/profile.ts come
 * from it. Prints ms per pass, the median of five samples, and the ratio to the first variant.
 *
 *   node bench/run.mjs bench/lab/profiles.ts [plans] [sizes] [tiles] [memory]
 *
 * 2026-11-26, NVIDIA H200, T = 130, ms per training step. Plans and sizes were measured with gradient tiles of 1 × 1:
 *
 *                          B = 10: fused  stepwise   B = 128: fused  stepwise   B = 1024: fused  stepwise
 *   LSTM 32, stack 32               1.48      13.1             2.78      23.8              18.9      31.5
 *   LSTM 128, stack 128             3.16      39.2             5.31      32.3              34.2      64.4
 *   LSTM 256, stack 256             8.05      66.4             16.3      57.1              99.0       146
 *   LSTM 2 × 256, stack 256         16.2       138             33.9       166
 *   LSTM 8 × 256, stack 256         56.3       631             94.3
 *
 *   fused, B = 10, invocations:    32     64    128    256    512   1024     (more than 256 need a raised limit)
 *     LSTM 32, stack 32          1.68   1.48   1.46   1.58
 *     LSTM 64, stack 64                 2.49   2.02   1.99   2.19
 *     LSTM 256, stack 256                      9.77   7.81   6.62   6.99
 *
 *   gradients, down × across, LSTM 256, B = 128:   1 × 1 16.3   2 × 2 12.2   4 × 2 11.5
 *
 * Stack as a layer, M = 32, push strengths near 1, ms per forward and backward pass:
 *
 *                      step by step  over time                        step by step  over time
 *   B = 1, T = 16             0.130      0.090   B = 128, T = 64             0.321      0.181
 *   B = 128, T = 16           0.126      0.102   B = 128, T = 1024            5.14      0.354
 *   B = 1, T = 4096            17.1      0.318   B = 1024, T = 1024           26.3       7.27
 */
import type { AdapterDescription } from '../../src/engine/engine.ts';
import { gpuEngineOn } from '../../src/engine/gpu.ts';
import type { LayerForm } from '../../src/engine/gpu-memory.ts';
import { Gpu, requestDevice } from '../../src/gpu/device.ts';
import type { DeviceProfile, MemoryForm, Tuning } from '../../src/gpu/profile.ts';
import { openGpu } from '../../src/kernels/open.ts';
import { openMemoryWork } from '../cases/memory.ts';
import { openTraining } from '../cases/training.ts';
import { figure, sample, spread } from '../measure.ts';
import { needAdapter } from '../node.ts';
import { type MemoryProblem, trainingProblem } from '../problems.ts';
import { passesFor, sampleWork, type Workload } from '../work.ts';

const SAMPLES = 5;

interface Opened {
  gpu: Gpu;
  description: AdapterDescription;
}

async function msOf(work: Workload): Promise<number> {
  await sampleWork(work, 1);
  const passes = await passesFor(async count => (await sampleWork(work, count)).ms * count, work.maxPasses);

  const [samples] = await sample(SAMPLES, [() => sampleWork(work, passes)]);
  work.destroy();
  return spread(samples.map(({ ms }) => ms)).median;
}

/** Measures variants of the same work, a line each. A variant that cannot run shows the reason. */
async function compare(
  name: string,
  variants: readonly (readonly [string, () => Promise<Workload>])[],
): Promise<void> {
  console.log(name);
  let first: number | undefined;
  for (const [variant, open] of variants) {
    try {
      const work = await open();
      const ms = await msOf(work);
      first ??= ms;
      console.log(
        `  ${variant.padEnd(40)} ${figure(ms).padStart(9)} ms  × ${(ms / first).toFixed(2)}  ${work.how}`,
      );
    } catch (error) {
      console.log(`  ${variant.padEnd(40)} ${(error as Error).message.split('\n')[0]}`);
    }
  }
}

/** The fused and the stepwise plan, by size of the model and the batch. */
async function plans({ gpu, description }: Opened): Promise<void> {
  for (const [layers, H, batches] of [
    [1, 32, [10, 128, 1024]],
    [1, 128, [10, 128, 1024]],
    [1, 256, [10, 128, 1024]],
    [2, 256, [10, 128]],
    [8, 256, [10, 128]],
    [1, 512, [10, 128]],
  ] as const) {
    for (const B of batches) {
      const problem = trainingProblem('paper-130', B, [`hidden=${H}`, `width=${H}`, `layers=${layers}`]);
      await compare(
        `LSTM ${layers} × ${H}, stack of ${H}, T=130, B=${B}`,
        (['fused', 'stepwise'] as const).map(plan => [
          plan,
          () => openTraining(gpuEngineOn(gpu, description, { plan }), problem),
        ]),
      );
    }
  }
}

/** Invocations per workgroup of the fused plan's block form. */
async function sizes({ gpu, description }: Opened): Promise<void> {
  const { subgroups } = gpu.profile;
  for (const [name, B, sets, sizes] of [
    ['tutorial', 128, [], [32, 64, 128]],
    ['page', 32, [], [32, 64, 128]],
    ['paper-130', 10, ['hidden=32', 'width=32'], [32, 64, 128, 256]],
    ['paper-130', 10, ['hidden=64', 'width=64'], [64, 128, 256]],
    ['paper-130', 10, [], [64, 128, 256]],
    ['paper-130', 128, [], [128, 256]],
  ] as const) {
    const problem = trainingProblem(name, B, [...sets]);
    await compare(
      `${[name, ...sets].join(' ')}, B=${B}, fused plan`,
      sizes.map(size => {
        const form: MemoryForm = { form: 'block', size, subgroups };
        return [
          `${size} invocations`,
          () => openTraining(gpuEngineOn(gpu, description, { plan: 'fused', form }), problem),
        ];
      }),
    );
  }
}

/** Tiles of products, gradients and sums: one change at a time. */
async function tiles({ gpu, description }: Opened): Promise<void> {
  const { profile } = gpu;
  const { linear, gradients, sums } = profile.tuning;
  const change = <Name extends 'linear' | 'gradients' | 'sums'>(
    name: Name,
    value: Partial<Tuning[Name]>,
  ): [string, DeviceProfile] => [
    `${name}: ${Object.entries(value)
      .map(([key, number]) => `${key} ${number}`)
      .join(', ')}`,
    { ...profile, tuning: { ...profile.tuning, [name]: { ...profile.tuning[name], ...value } } },
  ];
  const variants: [string, DeviceProfile][] = [
    [`as it is: ${JSON.stringify({ linear, gradients, sums })}`, profile],
    ...[1, 2, 8].map(rows => change('linear', { rows })),
    change('linear', { rows: 2, columns: 2 }),
    ...[32, 128].map(size => change('linear', { size })),
    ...[
      [2, 1],
      [1, 2],
      [2, 2],
      [4, 2],
    ].map(([down, across]) => change('gradients', { down, across })),
    ...[16_384, 262_144].map(invocations => change('gradients', { invocations })),
    ...[32, 128].map(size => change('gradients', { size })),
    ...[64, 1024].map(max => change('sums', { max })),
  ];
  for (const B of [10, 128]) {
    const problem = trainingProblem('paper-130', B);
    await compare(
      `paper-130, B=${B}, fused plan`,
      variants.map(([name, changed]) => [
        name,
        () =>
          openTraining(gpuEngineOn(new Gpu(gpu.device, changed), description, { plan: 'fused' }), problem),
      ]),
    );
  }
}

/** Forms of memory layers. */
async function memory({ gpu }: Opened): Promise<void> {
  const { memory, subgroups } = gpu.profile;
  const forms: [string, LayerForm][] = [
    ['step by step', memory],
    ['step by step, without subgroups', { ...memory, subgroups: false }],
    ['step by step, 64 invocations', { form: 'block', size: 64, subgroups }],
    ['over time', 'time'],
  ];
  for (const strengths of ['near 1', 'near 0'] as const) {
    for (const [kind, B, T, M] of [
      ['stack', 1, 16, 32],
      ['stack', 128, 16, 32],
      ['stack', 1, 64, 32],
      ['stack', 128, 64, 32],
      ['stack', 1024, 64, 32],
      ['stack', 1024, 64, 256],
      ['stack', 128, 1024, 32],
      ['stack', 1024, 1024, 32],
      ['stack', 1, 4096, 32],
      ['queue', 128, 64, 32],
      ['queue', 1024, 1024, 32],
    ] as const) {
      const problem: MemoryProblem = { kind, B, T, M, strengths };
      await compare(
        `${kind}, B=${B}, T=${T}, M=${M}, strengths ${strengths}`,
        forms.map(([name, form]) => [name, () => openMemoryWork(gpu, problem, form)]),
      );
    }
  }
}

export async function main(args: string[]): Promise<number> {
  const { adapter, description } = await needAdapter();
  const { gpu } = await openGpu(await requestDevice(adapter), description.kind);
  console.log(`${description.name} (${description.kind}), profile ${gpu.profile.name}`);
  const parts = { plans, sizes, tiles, memory };
  for (const [name, part] of Object.entries(parts)) {
    if (args.length === 0 || args.includes(name)) await part({ gpu, description });
  }
  return 0;
}
