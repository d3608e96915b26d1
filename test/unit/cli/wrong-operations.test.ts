import { expect, test } from 'vitest';
import { pushdown } from '../../support/terminal.ts';

/** Wrong memory operations on stdin: one line that names the place, exit code 2. */

const operations = {
  kind: 'stack',
  push: [[0.8, 0.5, 0.9]],
  pop: [[0, 0.1, 0.9]],
  value: [[[1], [2], [3]]],
};
/** One step at one end of a deque. */
const END = { push: [[1]], pop: [[0]], value: [[[1]]] };
const NO_END = { push: undefined, pop: undefined, value: undefined };
const operationsNested = `{"kind":"stack","push":${'['.repeat(9000)}${']'.repeat(9000)},"pop":[],"value":[[[1]]]}`;
const memory = (change: object) => ({
  argv: ['memory', '--engine', 'reference'],
  stdin: JSON.stringify({ ...operations, ...change }),
});
const text = (stdin: string) => ({ argv: ['memory', '--engine', 'reference'], stdin });
const table: [string, { argv: string[]; stdin: string }, RegExp][] = [
  ['memory: nothing', text(''), /stdin is empty/],
  ['memory: no JSON', text('{'), /stdin is not JSON/],
  ['memory: no JSON, lines', text('{"a":\n\nb\x1b}'), /stdin is not JSON/],
  ['memory: nested', text(operationsNested), /push\[0\]\[0\] must be a number, got \[\[\[/],
  [
    'memory: impossible sizes',
    memory({ push: Array(1e5).fill([1]), pop: Array(1e5).fill([1]), value: [[Array(1e5).fill(0)]] }),
    /value must have 100000 entries/,
  ],
  ['memory: not an object', text('[1]'), /stdin must be a JSON object .* got \[1\]/],
  ['memory: missing key', memory({ pop: undefined }), /the key "pop" is missing/],
  ['memory: unknown key', memory({ vale: 1 }), /unknown key "vale"\. Did you mean "value"\?/],
  ['memory: unknown kind', memory({ kind: 'stak' }), /unknown kind of memory "stak"\. Did you mean "stack"/],
  ['memory: kind a number', memory({ kind: 3 }), /unknown kind of memory "3"/],
  ['memory: B = 0', memory({ push: [] }), /push is empty/],
  ['memory: T = 0', memory({ push: [[]] }), /push\[0\] is empty/],
  ['memory: M = 0', memory({ value: [[[], [], []]] }), /value\[0\]\[0\] is empty/],
  ['memory: not an array', memory({ push: 3 }), /push must be an array, got 3/],
  ['memory: row not an array', memory({ value: [[1, 2, 3]] }), /value\[0\]\[0\] must be an array, got 1/],
  ['memory: ragged', memory({ pop: [[0, 0.1]] }), /pop\[0\] must have 3 entries to match .*, got 2/],
  [
    'memory: ragged value',
    memory({ value: [[[1], [2, 3], [3]]] }),
    /value\[0\]\[1\] must have 1 entry.*got 2/,
  ],
  ['memory: not a number', memory({ push: [[1, '2', 3]] }), /push\[0\]\[1\] must be a number, got "2"/],
  ['memory: null', memory({ push: [[1, null, 3]] }), /push\[0\]\[1\] must be a number, got null/],
  [
    'memory: negative',
    memory({ pop: [[0, 0, -0.5]] }),
    /pop\[0\]\[2\] must be a strength of at least 0, got -0\.5/,
  ],
  [
    'memory: infinite',
    text(JSON.stringify(operations).replace('0.8', '1e999')),
    /push\[0\]\[0\] must be finite/,
  ],
  ['memory: beyond float32', memory({ value: [[[1e39], [2], [3]]] }), /value\[0\]\[0\]\[0\] must be finite/],
  ['memory: dRead', memory({ dRead: [[[1], [2]]] }), /dRead\[0\] must have 3 entries.*got 2/],
  ['memory: flag', memory({ strengths: 1 }), /strengths must be true or false, got 1/],
  [
    'memory: strengths',
    memory({
      strengths: true,
      push: [Array(5000).fill(1)],
      pop: [Array(5000).fill(0)],
      value: [Array(5000).fill([1])],
    }),
    /the strengths of all rows after each of 5000 steps are 12502500 numbers, but at most/,
  ],
  [
    'memory: deque with one end',
    memory({ kind: 'deque', top: END, ...NO_END }),
    /a deque has two ends, but "bottom" is missing: give it like "top"/,
  ],
  ['memory: deque without ends', memory({ kind: 'deque', ...NO_END }), /"top" is missing/],
  ['memory: deque like a stack', memory({ kind: 'deque' }), /put "push" into both "top" and "bottom"/],
  [
    'memory: deque, one gradient',
    memory({ kind: 'deque', ...NO_END, top: { ...END, dRead: END.value }, bottom: END }),
    /"top\.dRead" is given, but "bottom\.dRead" is missing/,
  ],
  [
    'memory: deque, end incomplete',
    memory({ kind: 'deque', ...NO_END, top: END, bottom: { push: END.push } }),
    /the key "bottom\.pop" is missing/,
  ],
  [
    'memory: deque, unknown key',
    memory({ kind: 'deque', ...NO_END, top: { ...END, vale: 1 }, bottom: END }),
    /unknown key "top\.vale"\. Did you mean "top\.value"\?/,
  ],
  [
    'memory: deque, ends of different sizes',
    memory({ kind: 'deque', ...NO_END, top: END, bottom: { ...END, pop: [[1, 2]] } }),
    /bottom\.pop\[0\] must have 1 entry.*got 2/,
  ],
  [
    'memory: deque, end not an object',
    memory({ kind: 'deque', ...NO_END, top: END, bottom: [] }),
    /bottom must be an object with push, pop and value, got \[\]/,
  ],
  ['memory: stack with ends', memory({ top: END }), /unknown key "top"/],
  [
    'memory: overflow',
    memory({ value: [[[1e30], [1e30], [1e30]]], dRead: [[[1e30], [1e30], [1e30]]] }),
    /dPush\[0\]\[0\] overflows float32/,
  ],
];
test.each(table)('wrong operations are refused: %s', async (_, { argv, stdin }, message) => {
  const { code, out, err } = await pushdown(argv, stdin);
  expect(err).toMatch(message);
  expect(err).toMatch(/^pushdown: [^\n]+\n$/);
  expect(out).toBe('');
  expect(code).toBe(2);
});
