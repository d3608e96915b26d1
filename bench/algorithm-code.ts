import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The results of a forward pass that the backward pass needs. */
interface State {
  slots: unknown[];
  undo: unknown;
}
type Numbers = number[];
type Rows = number[][];

/** The programs of docs/algorithm.md: push, pop [T] and value, dRead [T][M], except in the functions for all kinds. */
export interface AlgorithmCode {
  stackForward(push: Numbers, pop: Numbers, value: Rows): StackState;
  stackBackward(push: Numbers, pop: Numbers, value: Rows, state: State, dRead: Rows): Gradients<number>;
  /** push, pop: [T][E]; value, read: [T][E][M]. E is 2 for a deque, else 1. */
  memoryForward(kind: string, push: Rows, pop: Rows, value: Rows[]): State & { read: Rows[] };
  memoryBackward(
    kind: string,
    push: Rows,
    pop: Rows,
    value: Rows[],
    state: State,
    dRead: Rows[],
  ): Gradients<Numbers>;
  prefixSums(numbers: Numbers): Numbers;
  popByBlocks(s: Numbers, u: number, n: number): { removed: number; taken: number };
  stackHeights(push: Numbers, pop: Numbers, chunk: number): { low: Numbers; high: Numbers };
  stackLinks(low: Numbers): Links;
  stackReads(value: Rows, low: Numbers, high: Numbers, link: Numbers): Rows;
  stackGradients(value: Rows, low: Numbers, high: Numbers, links: Links, dRead: Rows): Gradients<number>;
  queueHeights(push: Numbers, pop: Numbers): { front: Numbers; end: Numbers };
  queueReads(value: Rows, front: Numbers, end: Numbers): Rows;
  queueGradients(pop: Numbers, value: Rows, front: Numbers, end: Numbers, dRead: Rows): Gradients<number>;
}

export interface StackState extends State {
  read: Rows;
  slots: { s: number; row: number }[];
  undo: {
    edge: number;
    reached: boolean;
    before: number;
    overwritten?: { s: number; row: number };
  }[];
}

interface Links {
  link: Numbers;
  key: Numbers;
}

interface Gradients<Control> {
  dPush: Control[];
  dPop: Control[];
  dValue: (Control extends number ? Numbers : Rows)[];
}

export const DOCUMENT = join('docs', 'algorithm.md');

/** All JavaScript blocks of the document, as one program. */
export const codeOf = (document: string): string =>
  [...document.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code).join('\n');

/** Imports the programs of the document as one module. @param root the folder of the repository */
export async function loadAlgorithm(root = '.'): Promise<AlgorithmCode> {
  const code = codeOf(readFileSync(join(root, DOCUMENT), 'utf8'));
  const names = [...code.matchAll(/^(?:function|const) (\w+)/gm)].map(([, name]) => name);
  const module = `${code}\nexport { ${names.join(', ')} };\n`;
  return import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(module)}`);
}
