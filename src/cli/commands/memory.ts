import { InputError, show, unknown } from '../../base/errors.ts';
import { endsOf, gradientName, MEMORY_NAMES, type MemoryName, memoryKind } from '../../base/memories.ts';
import { isPlain, type Plain } from '../../base/plain.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from '../../engine/engine.ts';
import { openEngineWith } from '../../platform/node/engine.ts';
import { command } from '../arguments/command.ts';
import { ENGINE_OPTIONS, engineOf } from '../arguments/engine.ts';
import { parseJson, readAll } from '../io/input.ts';
import type { Io } from '../io/io.ts';
import { endOf, flatten, interleave, nonEmptyLength, shortest, unflatten } from '../io/nested.ts';

/** The inputs of one end of a memory: its controls, then the values. */
const inputsOf = (kind: MemoryName): string[] => [
  ...memoryKind(kind).controls.map(({ name }) => name),
  'value',
];
/** The inputs of one end, and the optional dRead. */
const endKeysOf = (kind: MemoryName): string[] => [...inputsOf(kind), 'dRead'];
/** The ends of a deque, in the engines' order. */
const ENDS = ['top', 'bottom'] as const;
const HELP = 'See pushdown memory --help.';

export const memory = command({
  name: 'memory',
  operands: [],
  summary:
    'Run a memory without a controller: operations in, reads and gradients out (JSON on stdin and stdout)',
  notes: `In:  {"kind": "stack" or "queue", "push": [B][T], "pop": [B][T], "value": [B][T][M],
      "dRead": [B][T][M], "strengths": true}        "dRead" and "strengths" are optional
Out: {"engine", "adapter", "read": [B][T][M], "dPush", "dPop", "dValue", "strengths"}

A deque has two ends, each with the keys of a stack:
In:  {"kind": "deque", "top": {"push", "pop", "value", "dRead"}, "bottom": {the same}, "strengths": true}
Out: {"engine", "adapter", "top": {"read", "dPush", "dPop", "dValue"}, "bottom": {the same}, "strengths"}

The controls of a superposition stack or a tape must sum to 1 at every step; this is not checked:
In:  {"kind": "superposition", "push": [B][T], "pop": [B][T], "stay": [B][T], "value": [B][T][M], "dRead": [B][T][M]}
A tape has "left", "right" and "stay" instead. Both kinds may have "depth", the number of cells (default 40).

A stack, queue or deque pops, then pushes, then reads in every step; a deque does each first at the top, then at the bottom. The gradients are those of
the sum of dRead·read. The strengths are those after every step, oldest row first; for a deque, from bottom to top.

  echo '{"kind":"stack","push":[[0.8,0.5,0.9]],"pop":[[0,0.1,0.9]],"value":[[[1],[2],[3]]]}' | pushdown memory`,
  options: {
    engine: ENGINE_OPTIONS.engine,
    threads: ENGINE_OPTIONS.threads,
    unsafe: ENGINE_OPTIONS.unsafe,
    // A memory by itself has no plans to choose from.
    'compile-seconds': {
      ...ENGINE_OPTIONS['compile-seconds'],
      help: ENGINE_OPTIONS['compile-seconds'].help.replace('plan or engine', 'engine'),
    },
  },
  async run(_operands, options, io) {
    const request = engineOf(options);
    const operations = check(await readJson(io));
    const { shape, inputs, dRead } = operations;
    if (operations.strengths) checkStrengths(shape);
    const { engine, result: layer } = await openEngineWith(request.name, request.options, engine =>
      engine.memory(shape),
    );
    const read = await layer.forward(...inputs);
    const gradients = dRead ? await layer.backward(dRead) : undefined;
    const answer: Record<string, unknown> = { engine: engine.name, adapter: engine.adapter.name };
    if (shape.kind === 'deque') {
      ENDS.forEach((end, e) => {
        answer[end] = answerOf(`${end}.`, shape, read, gradients, e, ENDS.length);
      });
    } else {
      Object.assign(answer, answerOf('', shape, read, gradients, 0, 1));
    }
    if (operations.strengths) answer['strengths'] = await strengthsOf(layer);
    layer.destroy();
    engine.destroy();
    io.stdout.write(`${JSON.stringify(answer)}\n`);
    return 0;
  },
});

/** A parsed request. Its arrays are [B,T,E] and [B,T,E,M], as the engines take them. */
interface Operations extends End {
  shape: MemoryShape;
  strengths: boolean;
}

interface End {
  /** The controls, then the values. */
  inputs: Float32Array[];
  dRead?: Float32Array;
}

async function readJson(io: Io): Promise<unknown> {
  const text = await readAll(io.stdin);
  if (text.trim() === '') throw new InputError(`stdin is empty, expected JSON. ${HELP}`);
  return parseJson(text, 'stdin', ` ${HELP}`);
}

/** Checks and flattens a request. @throws InputError naming the exact place: `push[1][3] must be …` */
function check(input: unknown): Operations {
  if (!isPlain(input)) {
    throw new InputError(
      `stdin must be a JSON object with kind, push, pop and value (for a deque: kind, top and bottom), got ${show(input)}.`,
    );
  }
  const { kind: given, strengths = false } = input;
  if (given === undefined) throw new InputError(`the key "kind" is missing. ${HELP}`);
  const kind = MEMORY_NAMES.find(name => name === given);
  if (!kind) unknown('kind of memory', typeof given === 'string' ? given : show(given), MEMORY_NAMES);
  const deque = kind === 'deque';
  const endKeys = endKeysOf(kind);
  const depths = memoryKind(kind).rows ? [] : ['depth'];
  const keys = ['kind', ...(deque ? ENDS : endKeys), ...depths, 'strengths'];
  for (const key of Object.keys(input)) {
    if (deque && endKeys.includes(key)) {
      throw new InputError(`a deque has two ends: put "${key}" into both "top" and "bottom". ${HELP}`);
    }
    if (!keys.includes(key)) unknown('key', key, keys);
  }
  if (typeof strengths !== 'boolean')
    throw new InputError(`strengths must be true or false, got ${show(strengths)}.`);
  if (!deque) {
    checkKeys('', kind, input);
    const { B, T, M } = sizesOf('', kind, input);
    // engine.memory() checks the value of depth.
    const depth = input['depth'] as number | undefined;
    const shape = { kind, B, T, M, ...(depth !== undefined && { depth }) };
    return { shape, ...readEnd('', shape, input), strengths };
  }

  const ends = ENDS.map((name, e) => {
    const end = input[name];
    if (end === undefined) {
      throw new InputError(
        `a deque has two ends, but "${name}" is missing: give it like "${ENDS[1 - e]}", or use kind "stack" or "queue". ${HELP}`,
      );
    }
    if (!isPlain(end))
      throw new InputError(`${name} must be an object with push, pop and value, got ${show(end)}.`);
    for (const key of Object.keys(end)) {
      if (!endKeys.includes(key)) {
        unknown(
          'key',
          `${name}.${key}`,
          endKeys.map(key => `${name}.${key}`),
        );
      }
    }
    checkKeys(`${name}.`, kind, end);
    return { name, end };
  });
  const withGradient = ends.filter(({ end }) => end['dRead'] !== undefined);
  if (withGradient.length === 1) {
    const without = ends.find(({ end }) => end['dRead'] === undefined)!.name;
    throw new InputError(
      `"${withGradient[0].name}.dRead" is given, but "${without}.dRead" is missing: give both (zeros for an end that is not read) or neither.`,
    );
  }
  // Both ends have the same sizes.
  const { B, T, M } = sizesOf('top.', kind, ends[0].end);
  const shape = { kind, B, T, M };
  const [top, bottom] = ends.map(({ name, end }) => readEnd(`${name}.`, shape, end));
  return {
    shape,
    inputs: inputsOf(kind).map((name, k) =>
      interleave([top.inputs[k], bottom.inputs[k]], name === 'value' ? M : 1),
    ),
    ...(top.dRead && bottom.dRead ? { dRead: interleave([top.dRead, bottom.dRead], M) } : {}),
    strengths,
  };
}

function checkKeys(prefix: string, kind: MemoryName, end: Plain): void {
  for (const key of inputsOf(kind)) {
    if (end[key] === undefined) throw new InputError(`the key "${prefix}${key}" is missing. ${HELP}`);
  }
}

/** Takes the sizes from the first row of each array; flatten() checks the other rows against them. */
function sizesOf(prefix: string, kind: MemoryName, end: Plain): { B: number; T: number; M: number } {
  const [first] = inputsOf(kind);
  const { [first]: control, value } = end;
  const B = nonEmptyLength(`${prefix}${first}`, control);
  const T = nonEmptyLength(`${prefix}${first}[0]`, (control as unknown[])[0]);
  nonEmptyLength(`${prefix}value`, value);
  nonEmptyLength(`${prefix}value[0]`, (value as unknown[])[0]);
  const M = nonEmptyLength(`${prefix}value[0][0]`, ((value as unknown[])[0] as unknown[])[0]);
  return { B, T, M };
}

const readEnd = (prefix: string, { kind, B, T, M }: MemoryShape, end: Plain): End => ({
  inputs: inputsOf(kind).map(name =>
    name === 'value'
      ? flatten(`${prefix}value`, end['value'], [B, T, M])
      : flatten(`${prefix}${name}`, end[name], [B, T], true),
  ),
  ...(end['dRead'] === undefined ? {} : { dRead: flatten(`${prefix}dRead`, end['dRead'], [B, T, M]) }),
});

/** The results at end e of E. */
function answerOf(
  prefix: string,
  { kind, B, T, M }: MemoryShape,
  read: Float32Array,
  gradients: MemoryGradients | undefined,
  e: number,
  E: number,
): Plain {
  const numbers = (key: string, all: Float32Array, rest: number[]) =>
    unflatten(`${prefix}${key}`, endOf(all, e, E, rest[0] ?? 1), [B, T, ...rest]);
  const answer: Plain = { read: numbers('read', read, [M]) };
  if (gradients) {
    for (const { name } of memoryKind(kind).controls) {
      const gradient = gradientName(name);
      answer[gradient] = numbers(gradient, gradients[gradient], []);
    }
    answer['dValue'] = numbers('dValue', gradients.dValue, [M]);
  }
  return answer;
}

/** Maximum number of strengths in the answer, which is one line of JSON. */
const MAX_STRENGTHS = 1e7;

function checkStrengths({ kind, B, T }: MemoryShape): void {
  // Memories with cells have no rows, and return no strengths.
  if (!memoryKind(kind).rows) return;
  const numbers = (endsOf(kind) * B * T * (T + 1)) / 2;
  if (numbers <= MAX_STRENGTHS) return;
  throw new InputError(
    `the strengths of all rows after each of ${T} steps are ${numbers} numbers, but at most ${MAX_STRENGTHS} can be written: leave "strengths" out, or give fewer or shorter sequences.`,
  );
}

async function strengthsOf(layer: MemoryLayer): Promise<number[][][]> {
  const all = await layer.strengths();
  return all.map((steps, b) =>
    steps.map((rows, t) => Array.from(rows, (s, i) => shortest(`strengths[${b}][${t}][${i}]`, s))),
  );
}
