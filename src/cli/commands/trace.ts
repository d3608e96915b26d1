import { memoryKind } from '../../base/memories.ts';
import type { ModelSpec } from '../../base/parameters.ts';
import { engineLine } from '../../platform/names.ts';
import { parseSource } from '../../tasks/task.ts';
import { predict, type TraceStep, trace as traceSource } from '../../train/evaluate.ts';
import { command, JSON_OPTION } from '../arguments/command.ts';
import { ENGINE_OPTIONS, engineOf } from '../arguments/engine.ts';
import { cutOffText, MAX_LENGTH_OPTION, maxLength } from '../arguments/max-length.ts';
import { openModel, readCheckpoint } from '../run/checkpoint.ts';
import { table } from '../show/columns.ts';
import { bar, fixed, strengthBars } from '../show/format.ts';

/** One row per step, then a legend. A model without a memory has no memory columns. */
function tableOf(
  steps: readonly TraceStep[],
  { memory, memories, width: M }: ModelSpec,
  zeroTargets: boolean,
): string {
  const { ends, controls, rows: hasRows } = memoryKind(memory);
  const names = controls.map(({ name }) => name);
  const numbers = (values: readonly number[]) => values.map(value => fixed(value, 2)).join(' ');
  const readOf = (read: readonly number[]) =>
    Array.from({ length: read.length / M }, (_, e) =>
      read
        .slice(e * M, (e + 1) * M)
        .map(value => bar(value, -1, 1))
        .join(''),
    ).join(' ');
  const ofMemory = ends ? [...names, ...(hasRows ? ['strengths'] : []), 'read'] : [];
  const rows = steps.map((step, t) => [
    String(t + 1),
    step.input,
    ...(ends
      ? [
          ...names.map(name => numbers(step.controls[name])),
          ...(hasRows ? [step.strengths.map(strengthBars).join(' | ')] : []),
          readOf(step.read),
        ]
      : []),
    step.output,
    fixed(step.probability, 2),
    step.target,
  ]);
  const lines = [`${table([['step', 'input', ...ofMemory, 'output', '', 'target'], ...rows])}\n`];
  const order = ends === 2 ? 'from bottom to top' : 'oldest first';
  if (hasRows) lines.push(`strengths: one mark per row, ${order}, from · (0) to █ (1)`);
  if (ends) lines.push('read: one mark per number, from ▁ (-1) to █ (1)');
  if (ends === 2) lines.push(`${names.join(', ')}, read: at the top, then at the bottom`);
  if (ends && memories > 1) lines.push(`${memories} memories, one after the other`);
  lines.push(
    `output: the most likely symbol and its probability (without softmax: the value of that output)${ends ? ', computed from the read of the step before' : ''}`,
  );
  const zero = zeroTargets ? '; 0: the zero vector' : '';
  return [...lines, `target: · if the step has no target, or the target is not known${zero}`].join('\n');
}

export const trace = command({
  name: 'trace',
  operands: ['<checkpoint>', '[symbols …]'],
  summary: 'Show what a trained model does with its memory, step by step: trace <checkpoint> "a b c"',
  notes:
    'Without symbols, an example of the task is traced. With --json: one object per step, with the numbers that the bars show.',
  options: { ...ENGINE_OPTIONS, 'max-length': MAX_LENGTH_OPTION, json: JSON_OPTION },
  async run([path, ...symbols], options, io) {
    const request = engineOf(options);
    const max = maxLength(options);
    const { checkpoint } = await readCheckpoint(path);
    const { engine, model, task } = await openModel(checkpoint, request);
    const source = parseSource(task, symbols.length > 0 ? symbols.join(' ') : task.example);
    io.stderr.write(`${engineLine(engine)}\n`);
    const [{ outputs, ended, limit }] = await predict(model, task, [source], max);
    if (!ended) io.stderr.write(`${cutOffText(limit)}\n`);
    const steps = await traceSource(model, task, source, outputs);
    if (options.json) {
      steps.forEach((step, t) => {
        const { controls, input, target, phase, ...rest } = step;
        io.stdout.write(`${JSON.stringify({ t: t + 1, input, target, phase, ...controls, ...rest })}\n`);
      });
    } else {
      io.stdout.write(steps.length > 0 ? `${tableOf(steps, model.spec, task.zeroTargets)}\n` : '');
    }
    model.destroy();
    engine.destroy();
    return 0;
  },
});
