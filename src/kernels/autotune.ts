import { evenly } from '../../shaders/lib/text.ts';
import { productCode } from '../../shaders/product.wgsl.ts';
import { bind, dispatch, type Gpu, split, UNIFORM } from '../gpu/device.ts';
import type { StepTiles, Tuning } from '../gpu/profile.ts';
import type { TuningStore } from './tuning-store.ts';

/** The matrix product of one time step: [B, inner4] · [inner4, gates · columns4], in vec4s. */
export interface StepProduct {
  B: number;
  inner4: number;
  columns4: number;
  gates: number;
}

/** With fewer multiplications than this, launch overhead dominates a step, and the choice of tiles does not matter. */
const MIN_WORK = 2 ** 20;
/** Approximate duration of one sample, in ms. */
const SAMPLE_MS = 10;
const SAMPLES = 3;

/**
 * Measures the candidate tiles for the product of one time step on this device, and returns the fastest. Tiles do not
 * change the order of any sum, but a compiler may fuse multiplications and additions (FMA) differently in two kernels.
 * A run therefore records its choice and repeats it.
 * @param earlier the choices of this run (`choices`), which take precedence, and those of this adapter (`store`)
 * @returns the tiles, and under `choices` the entry to record; no entry if the product is too small to measure
 * @throws DeviceError if a candidate does not compile or the device fails
 */
export async function tunedStep(
  gpu: Gpu,
  work: StepProduct,
  { step, stepsToTry }: Tuning,
  { choices = {}, store }: { choices?: Readonly<Record<string, string>>; store?: TuningStore } = {},
): Promise<{ tiles: StepTiles; choices?: Record<string, string> }> {
  const { B, inner4, columns4, gates } = work;
  if (B * inner4 * columns4 * gates * 16 < MIN_WORK) return { tiles: step };
  const key = `step ${B}×${4 * inner4}×${gates}·${4 * columns4}`;
  const named = (name: string | undefined) => stepsToTry.find(tiles => nameOf(tiles) === name);
  let tiles = named(choices[key]) ?? named(store?.get(key));
  if (!tiles) {
    tiles = await fastest(gpu, work, stepsToTry);
    store?.set(key, nameOf(tiles));
  }
  return { tiles, choices: { [key]: nameOf(tiles) } };
}

const nameOf = ({ rows, size }: StepTiles): string => `${rows} rows, ${size} invocations`;

async function fastest(
  gpu: Gpu,
  { B, inner4, columns4, gates }: StepProduct,
  candidates: readonly StepTiles[],
): Promise<StepTiles> {
  const width4 = gates * columns4;
  const buffers = [
    gpu.buffer('tuning: sizes', 16, UNIFORM),
    gpu.buffer('tuning: x', B * inner4 * 16),
    gpu.buffer('tuning: w', 4 * inner4 * width4 * 16),
    gpu.buffer('tuning: y', B * width4 * 16),
  ];
  gpu.device.queue.writeBuffer(buffers[0], 0, new Uint32Array([B]));
  try {
    const runs = [];
    for (const tiles of candidates) {
      const rows = evenly(B, tiles.rows);
      const { size } = tiles;
      const kernel = await gpu.kernel(
        `tuning: product, ${nameOf({ rows, size })}`,
        productCode({ inner4, columns4, gates, rows, size }),
        ['uniform', 'read-only-storage', 'read-only-storage', 'storage'],
      );
      const bound = bind(gpu, kernel, buffers);
      const groups = split(Math.ceil((Math.ceil(B / rows) * columns4) / size));
      const run = async (count: number): Promise<number> => {
        const start = performance.now();
        gpu.submit('tuning', encoder => {
          const pass = encoder.beginComputePass({ label: 'tuning' });
          for (let k = 0; k < count; k++) dispatch(pass, bound, groups);
          pass.end();
        });
        await gpu.read([{ buffer: buffers[3], bytes: 4 }]);
        return (performance.now() - start) / count;
      };
      await run(1);
      const count = Math.max(1, Math.min(256, Math.round(SAMPLE_MS / (await run(1)))));
      runs.push({ tiles, ms: Infinity, sample: () => run(count) });
    }
    // Sample the candidates in turn, because an idle GPU raises its clock only after a while. Take the minimum of
    // several samples, because other load on the machine can only add time.
    for (let k = 0; k < SAMPLES; k++) {
      for (const candidate of runs) candidate.ms = Math.min(candidate.ms, await candidate.sample());
    }
    return runs.reduce((best, candidate) => (candidate.ms < best.ms ? candidate : best)).tiles;
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}
