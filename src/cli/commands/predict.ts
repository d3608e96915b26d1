import { InputError, messageOf } from '../../base/errors.ts';
import { engineLine } from '../../platform/names.ts';
import { parseSource } from '../../tasks/task.ts';
import { predict as predictAll } from '../../train/evaluate.ts';
import { command, JSON_OPTION } from '../arguments/command.ts';
import { ENGINE_OPTIONS, engineOf } from '../arguments/engine.ts';
import { cutOffText, MAX_LENGTH_OPTION, maxLength } from '../arguments/max-length.ts';
import { readLines } from '../io/input.ts';
import { openModel, readCheckpoint } from '../run/checkpoint.ts';

export const predict = command({
  name: 'predict',
  operands: ['<checkpoint>'],
  summary:
    'Predict targets with a trained model: one source per line on stdin, one prediction per line on stdout',
  notes: `Without --max-length, an answer is cut off at twice the length of its source plus 8 symbols, or later if the task has
longer targets for such a source. With --json: {"source", "output", "ended"}; if an answer was cut off, "ended" is false
and "limit" is its length.

  echo "a b c" | pushdown predict runs/reverse-seed0`,
  options: { ...ENGINE_OPTIONS, 'max-length': MAX_LENGTH_OPTION, json: JSON_OPTION },
  async run([path], options, io) {
    const request = engineOf(options);
    const max = maxLength(options);
    const { checkpoint } = await readCheckpoint(path);
    const { engine, model, task } = await openModel(checkpoint, request);
    io.stderr.write(`${engineLine(engine)}\n`);
    let line = 0;
    for await (const lines of readLines(io.stdin)) {
      const sources: number[][] = [];
      let parseError: InputError | undefined;
      for (const text of lines) {
        try {
          sources.push(parseSource(task, text));
        } catch (error) {
          // Reported after the lines before it are answered.
          parseError = new InputError(`line ${line + sources.length + 1}: ${messageOf(error)}`);
          break;
        }
      }
      const predictions = await predictAll(model, task, sources, max);
      for (const [i, { text, ended, limit }] of predictions.entries()) {
        line++;
        const source = task.characters ? lines[i] : lines[i].trim();
        const answer = { source, output: text, ended, ...(!ended && { limit }) };
        if (options.json) io.stdout.write(`${JSON.stringify(answer)}\n`);
        else io.stdout.write(`${text}\n`);
        if (!ended && !options.json) io.stderr.write(`line ${line}: ${cutOffText(limit)}\n`);
      }
      if (parseError) throw parseError;
    }
    model.destroy();
    engine.destroy();
    return 0;
  },
});
