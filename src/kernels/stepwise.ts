import { evenly } from '../../shaders/lib/text.ts';
import {
  type StepOptions,
  stepCell,
  stepCellBackward,
  stepDeeper,
  stepDeeperBackward,
  stepHeads,
  stepReadsBackward,
  stepStart,
  stepStartBackward,
  stepTiles,
} from '../../shaders/stepwise.wgsl.ts';
import { stepMemory, stepMemoryBackward } from '../../shaders/stepwise-memory.wgsl.ts';
import { isRecurrent } from '../base/parameters.ts';
import { split } from '../gpu/device.ts';
import type { Layout } from '../layout/layout.ts';
import { type BufferName, type Launch, type Launcher, read, type Work, write } from './launch.ts';
import type { MemoryForm } from './memory.ts';
import type { Tuning } from './tuning.ts';

export interface StepwiseLaunches {
  forward: Work[];
  backward: Work[];
}

/**
 * The dispatches of the stepwise plan between what is done before and after all time steps.
 * @param sequences of the batches trained with, which the tiles are made to divide well; others are right, too
 */
export async function stepwiseLaunches(
  launcher: Launcher,
  { rows, size }: Tuning['step'],
  sequences: number,
  layout: Layout,
  batch: string,
  form: MemoryForm,
): Promise<StepwiseLaunches> {
  const { spec, layers, H4, P4, R4, S4, E } = layout;
  const o: StepOptions = { layout, batch, rows: evenly(sequences, rows), size };
  const memory = { layout, batch, uniform: false, memory: form };
  const tiles =
    (columns4: number, rows = o.rows): Launch['groups'] =>
    ({ B }) =>
      split(stepTiles({ ...o, rows }, columns4, B));
  const perSequence: Launch['groups'] = ({ B }) => split(form.form === 'lane' ? Math.ceil(B / form.size) : B);
  const step = (
    label: string,
    code: string,
    buffers: Parameters<Launcher['launch']>[2],
    groups: Launch['groups'],
  ): Promise<Launch> => launcher.launch(`step ${label}`, code, buffers, groups, true);
  const onActs = [read('batch'), read('params'), write('acts')];
  const onGrads = [read('batch'), read('params'), write('grads')];
  const back = [read('batch'), read('params'), read('acts'), write('grads')];
  const states = (...names: BufferName[]) => names.map(write);

  const [start, forward, backward, end] = await Promise.all([
    step('start', stepStart(o), onActs, tiles(Math.max(H4, R4), 1)),
    Promise.all([
      ...layers.map((_, l) => step(`cell ${l + 1}`, stepCell(o, l), onActs, tiles(H4))),
      ...(spec.deeper ? [step('deeper', stepDeeper(o), onActs, tiles(P4))] : []),
      ...(E
        ? [
            step('heads', stepHeads(o), onActs, tiles(S4)),
            step(
              `memory ${form.form}`,
              stepMemory(memory),
              [read('batch'), ...states('acts', 'slots', 'undo', 'grads')],
              perSequence,
            ),
          ]
        : []),
    ]),
    Promise.all([
      ...(E
        ? [
            step('reads backward', stepReadsBackward(o), onGrads, tiles(R4)),
            step(
              `memory backward ${form.form}`,
              stepMemoryBackward(memory),
              [read('batch'), read('acts'), ...states('grads', 'slots', 'undo', 'dStrength')],
              perSequence,
            ),
          ]
        : []),
      ...(spec.deeper ? [step('deeper backward', stepDeeperBackward(o), back, tiles(P4))] : []),
      ...layers
        .map((_, l) => step(`cell ${l + 1} backward`, stepCellBackward(o, l), back, tiles(H4)))
        .reverse(),
    ]),
    Promise.all(
      spec.start === 'trained' && isRecurrent(spec)
        ? layers.map((_, l) => step(`start ${l + 1} backward`, stepStartBackward(o, l), onGrads, tiles(H4)))
        : [],
    ),
  ]);
  return {
    forward: [start, { loop: 'forward', launches: forward }],
    backward: [{ loop: 'backward', launches: backward }, ...end],
  };
}
