import { parseSource } from '../../tasks/task.ts';
import { trace as traceSource } from '../../train/evaluate.ts';
import { openModel, readCheckpoint } from '../checkpoint.ts';
import { command, ENGINE_OPTION, engineName, JSON_OPTION, table } from '../command.ts';
import { engineLine } from '../engine.ts';
import { bar, fixed, strengthBars } from '../format.ts';

export const trace = command({
  name: 'trace',
  operands: ['<checkpoint>', '[symbols …]'],
  summary: 'Show what a trained model does with its memory, step by step: trace <checkpoint> "a b c"',
  notes: 'With --json: one object per step, with the numbers behind the bars.',
  options: { engine: ENGINE_OPTION, json: JSON_OPTION },
  async run([path, ...symbols], options, io) {
    const name = engineName(options.engine);
    const { checkpoint } = await readCheckpoint(path);
    const { engine, model, task } = await openModel(checkpoint, name);
    const source = parseSource(task, symbols.length > 0 ? symbols.join(' ') : task.example);
    io.stderr.write(`${engineLine(engine)}\n`);
    const steps = await traceSource(model, task, source);
    if (options.json) {
      steps.forEach((step, t) => {
        io.stdout.write(`${JSON.stringify({ t: t + 1, ...step })}\n`);
      });
    } else {
      const head = ['step', 'input', 'push', 'pop', 'strengths', 'read', 'output', '', 'right'];
      const rows = steps.map((step, t) => [
        String(t + 1),
        step.input,
        fixed(step.push, 2),
        fixed(step.pop, 2),
        strengthBars(step.strengths),
        step.read.map(value => bar(value, -1, 1)).join(''),
        step.output,
        fixed(step.probability, 2),
        step.target,
      ]);
      io.stdout.write(`${table([head, ...rows])}\n\n`);
      io.stdout.write('strengths: a mark per row, oldest first, from · (0) to █ (1)\n');
      io.stdout.write('read: a mark per number, from ▁ (-1) to █ (1) · right: · where none is asked for\n');
    }
    model.destroy();
    engine.destroy();
    return 0;
  },
});
