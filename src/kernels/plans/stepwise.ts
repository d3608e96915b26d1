import { evenly } from '../../../shaders/lib/text.ts';
import {
  stepCellBackward,
  stepProjectionBackward,
  stepReadsBackward,
  stepStartBackward,
} from '../../../shaders/stepwise/backward.wgsl.ts';
import { stepCell, stepHeads, stepProjection, stepStart } from '../../../shaders/stepwise/forward.wgsl.ts';
import { stepMemory, stepMemoryBackward } from '../../../shaders/stepwise/memory.wgsl.ts';
import { type StepOptions, stepWorkgroups } from '../../../shaders/stepwise/step.wgsl.ts';
import { isRecurrent } from '../../base/cells.ts';
import { split } from '../../gpu/device.ts';
import { type Launch, read, write } from '../launch.ts';
import { rowSplitsOf, weightGradients } from './gradients.ts';
import { outputsBackward, outputsForward } from './outputs.ts';
import { type Passes, type PlanContext, perSequence } from './passes.ts';

/** The stepwise plan: dispatches per layer and time step. Most are matrix products over the whole batch. */
export function stepwisePasses(context: PlanContext): Passes {
  const { layout, batch, form, tiles, sequences } = context;
  const { spec, layers, H4, P4, R4, S4, E } = layout;
  const o: StepOptions = { layout, batch, rows: evenly(sequences, tiles.rows), size: tiles.size };
  const memoryOptions = { layout, batch, memory: form };
  const groupsFor =
    (columns4: number, rows = o.rows): Launch['groups'] =>
    ({ B }) =>
      split(stepWorkgroups({ ...o, rows }, columns4, B));
  const step = (
    label: string,
    code: string,
    buffers: Launch['buffers'],
    groups: Launch['groups'],
  ): Launch => ({ label: `step ${label}`, code, buffers, groups, step: 0 });
  const onActs = [read('batch'), read('params'), write('acts')];
  const onGrads = [read('batch'), read('params'), write('grads')];
  const onBoth = [read('batch'), read('params'), read('acts'), write('grads')];

  const forward = [
    ...layers.map((_, l) => step(`cell ${l + 1}`, stepCell(o, l), onActs, groupsFor(H4))),
    ...(spec.projection ? [step('projection', stepProjection(o), onActs, groupsFor(P4))] : []),
    ...(E
      ? [
          step('heads', stepHeads(o), onActs, groupsFor(S4)),
          step(
            `memory ${form.form}`,
            stepMemory(memoryOptions),
            [read('batch'), write('acts'), write('slots'), write('undoLog'), write('grads')],
            perSequence(form),
          ),
        ]
      : []),
  ];
  const backward = [
    ...(E
      ? [
          step('reads backward', stepReadsBackward(o), onGrads, groupsFor(R4)),
          step(
            `memory backward ${form.form}`,
            stepMemoryBackward(memoryOptions),
            [
              read('batch'),
              read('acts'),
              write('grads'),
              write('slots'),
              write('undoLog'),
              write('dStrength'),
            ],
            perSequence(form),
          ),
        ]
      : []),
    ...(spec.projection
      ? [step('projection backward', stepProjectionBackward(o), onBoth, groupsFor(P4))]
      : []),
    ...layers
      .map((_, l) => step(`cell ${l + 1} backward`, stepCellBackward(o, l), onBoth, groupsFor(H4)))
      .reverse(),
  ];
  const starts =
    spec.start === 'trained' && isRecurrent(spec)
      ? layers.map((_, l) => step(`start ${l + 1} backward`, stepStartBackward(o, l), onGrads, groupsFor(H4)))
      : [];
  return {
    forward: [
      step('start', stepStart(o), onActs, groupsFor(Math.max(H4, R4), 1)),
      { loop: 'forward', launches: forward },
      ...outputsForward(context),
    ],
    backward: [
      ...outputsBackward(context),
      { loop: 'backward', launches: backward },
      ...starts,
      weightGradients(context),
    ],
    rowSplits: rowSplitsOf(context),
  };
}
