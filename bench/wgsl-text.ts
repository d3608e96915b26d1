import { InputError, show } from '../src/base/errors.ts';
import type { Launch, Size, WorkUnit } from '../src/kernels/launch.ts';
import { formatWgsl } from './wgsl-format.ts';

/** Formats kernels for `npm run wgsl`. */

/** What to print: a title, and the dispatches in their order, in named groups. */
export interface Shown {
  title: string;
  size: Size;
  groups: { name: string; work: readonly WorkUnit<string>[] }[];
}

/** One dispatch, or one per time step. */
interface Line {
  group: string;
  launch: Launch<string>;
  loop?: 'forward' | 'backward';
}

const RULE = `// ${'─'.repeat(107)}`;

/** Every kernel below a comment that describes it. For code that was shown before, there is only a reference to it. */
export function kernelText(shown: Shown, only: readonly string[]): string {
  const seen = new Map<string, string>();
  const parts = chosen(shown, only).map(line => {
    const { label, code } = line.launch;
    const before = seen.get(code);
    const head = headOf(line, shown.size);
    if (before) return `${head}\n// The code is that of "${before}" above.\n`;
    seen.set(code, label);
    return `${head}\n\n${formatWgsl(code)}`;
  });
  return [summary(shown), ...parts].join('\n').trimEnd();
}

/** The same without code, one line per kernel. */
export function listText(shown: Shown, only: readonly string[]): string {
  const rows = chosen(shown, only).map(({ group, launch, loop }) => [
    `${group}: ${launch.label}`,
    `${workgroups(launch, shown.size)}${loop ? ' per time step' : ''}`,
    launch.buffers.map(([name, type]) => `${name}${type === 'storage' ? ' (written)' : ''}`).join(', '),
  ]);
  return `${summary(shown)}\n${leftTable([['kernel', 'workgroups of invocations', 'buffers'], ...rows])}`;
}

const leftTable = (rows: readonly string[][]): string => {
  const widths = rows[0].map((_, c) => Math.max(...rows.map(row => row[c].length)));
  return rows
    .map(row =>
      row
        .map((cell, c) => cell.padEnd(widths[c]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

function summary({ title, size: { B, T }, groups }: Shown): string {
  const counts = groups.map(({ name, work }) => `${name} ${dispatches(work)}`);
  return `// ${title}\n// B = ${B} sequences of T = ${T} time steps. Dispatches: ${counts.join(', ')}.\n`;
}

/** `7, and 4 per time step` */
function dispatches(work: readonly WorkUnit<string>[]): string {
  const inLoops = work.flatMap(item => ('loop' in item ? item.launches : [])).length;
  const others = work.filter(item => !('loop' in item)).length;
  return inLoops ? `${others}, and ${inLoops} per time step` : String(others);
}

/** Filters kernels by name. @throws InputError for a text that no kernel's name contains */
function chosen({ groups }: Shown, only: readonly string[]): Line[] {
  const lines = groups.flatMap(({ name, work }) =>
    work.flatMap((item): Line[] =>
      'loop' in item
        ? item.launches.map(launch => ({ group: name, launch, loop: item.loop }))
        : [{ group: name, launch: item }],
    ),
  );
  const has = (text: string, { launch }: Line): boolean =>
    launch.label.toLowerCase().includes(text.toLowerCase());
  for (const text of only) {
    if (lines.some(line => has(text, line))) continue;
    const labels = [...new Set(lines.map(({ launch }) => launch.label))].join('; ');
    throw new InputError(`no kernel has ${show(text)} in its name. Kernels: ${labels}.`);
  }
  // Kernels that an evaluation shares with a training step are shown once.
  const distinct = lines.filter(
    (line, k) =>
      !lines.slice(0, k).some(({ group, launch }) => group !== line.group && same(launch, line.launch)),
  );
  return only.length === 0 ? distinct : distinct.filter(line => only.some(text => has(text, line)));
}

const same = (a: Launch<string>, b: Launch<string>): boolean => a.label === b.label && a.code === b.code;

function workgroups({ code, groups }: Launch<string>, size: Size): string {
  const [x, y] = groups(size);
  const invocations = /@workgroup_size\((\d+)\)/.exec(code)?.[1];
  return `${y > 1 ? `${x} × ${y}` : x} of ${invocations}`;
}

const ORDER = { forward: 'first to last', backward: 'last to first' } as const;
const ACCESS = { 'read-only-storage': 'read', storage: 'read and write', uniform: 'uniform' } as const;

function headOf({ group, launch, loop }: Line, size: Size): string {
  const { label, code, buffers, over, clears = [], step } = launch;
  const when = loop
    ? `one dispatch per time step, ${ORDER[loop]}`
    : over
      ? `all time steps in one dispatch, ${ORDER[over.pass]}`
      : 'one dispatch';
  const facts = [
    `${group}: ${label}`,
    `${when}: ${workgroups(launch, size).replace(' of ', ' workgroups of ')} invocations`,
    ...(step !== undefined
      ? [`@group(1) @binding(0): ${loop ? 'the time step' : `the number ${step}`}`]
      : []),
    ...(clears.length > 0 ? [`set to 0 before it: ${clears.join(', ')}`] : []),
  ];
  const names = new Map(
    [...code.matchAll(/@group\(0\)\s*@binding\((\d+)\)\s*var(?:<[^>]*>)?\s*(\w+)/g)].map(([, at, name]) => [
      Number(at),
      name,
    ]),
  );
  const rows = [
    ['binding', 'variable', 'buffer', 'access'],
    ...buffers.map(([name, type], k) => [
      String(k),
      names.get(k) ?? '',
      name,
      ACCESS[type as keyof typeof ACCESS],
    ]),
  ];
  return [RULE, ...[...facts, ...leftTable(rows).split('\n')].map(line => `// ${line}`)].join('\n');
}
