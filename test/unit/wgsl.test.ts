import { describe, expect, test } from 'vitest';
import { textOf } from '../../bench/wgsl.ts';
import { formatWgsl } from '../../bench/wgsl-format.ts';
import { MEMORY_NAMES } from '../../src/base/memories.ts';
import { PROFILE_NAMES, profileOf } from '../../src/gpu/profile.ts';
import { launchesOf } from '../../src/kernels/launch.ts';
import { layerLaunches } from '../../src/kernels/memory.ts';
import { choosePlan, planOf } from '../../src/kernels/plan.ts';
import { timeLaunches } from '../../src/kernels/time-memory.ts';
import { layoutOf } from '../../src/layout/layout.ts';
import { preset } from '../../src/train/presets.ts';
import { setup } from '../../src/train/setup.ts';

/** The output of `npm run wgsl`. */

/** Presets that together cover both plans, RNNs and LSTMs, and memories with one and two ends. */
const NAMES = ['reverse', 'tutorial-part6', 'small/reverse/deque', 'paper/reverse/lstm2', 'paper/copy/queue'];

const launchesOfPreset = (name: string, profileName: (typeof PROFILE_NAMES)[number]) => {
  const config = preset(name);
  const profile = profileOf(profileName);
  const layout = layoutOf(setup(config).spec);
  const { step, forward } = planOf(profile, layout, config.train, choosePlan(profile, layout));
  return launchesOf([...step, ...forward]);
};

const memoryCodes = PROFILE_NAMES.flatMap(name => {
  const profile = profileOf(name);
  const layers = MEMORY_NAMES.flatMap(kind =>
    [3, 32].flatMap(M =>
      Object.values(layerLaunches({ kind, B: 7, M }, profile.memory, M === 3 ? 'steps' : 'sequences')),
    ),
  );
  const overTime = (['stack', 'queue'] as const).flatMap(kind =>
    Object.values(timeLaunches(profile, kind, 2, 5000, 6)).flat(),
  );
  return [...layers, ...overTime];
});
const codes = [
  ...new Map(
    [
      ...PROFILE_NAMES.flatMap(name => NAMES.flatMap(preset => launchesOfPreset(preset, name))),
      ...memoryCodes,
    ].map(({ label, code }) => [code, label]),
  ),
];

/** Firefox and other browsers on wgpu refuse a function that ends with an infinite loop, although it always returns. */
test('functions with a result end with a return statement', () => {
  const loops: string[] = [];
  for (const [code, label] of codes) {
    for (const [text, name] of formatWgsl(code).matchAll(/^fn (\w+)\([^{]*->[^{]*\{\n[\s\S]*?^\}/gm)) {
      if (/\n {2}loop \{(?:\n {4}.*)*\n {2}\}\n\}$/.test(text)) loops.push(`${label}: ${name}`);
    }
  }
  expect(loops).toEqual([]);
});

describe('formatted kernels', () => {
  const withoutSpace = (code: string): string => code.replace(/\s/g, '');

  test('differ from the originals only in white space', () => {
    expect(codes.length).toBeGreaterThan(100);
    for (const [code, label] of codes) expect(withoutSpace(formatWgsl(code)), label).toBe(withoutSpace(code));
  });

  test('are indented by their braces and parentheses, without empty lines within functions', () => {
    // There are tens of thousands of lines, so faults are collected in a list, which must be empty.
    const faults: string[] = [];
    for (const [code, label] of codes) {
      let depth = 0;
      const lines = formatWgsl(code).trimEnd().split('\n');
      for (const [k, line] of lines.entries()) {
        const words = line.replace(/\/\/.*/, '');
        const closing = /^\s*[})]+/.exec(words)?.[0].trim().length ?? 0;
        const indent = line.length - line.trimStart().length;
        const right =
          line === ''
            ? depth === 0 && lines[k + 1] !== ''
            : line === line.trimEnd() && indent === 2 * (depth - closing);
        const statements = words.replace(/\(.*\)/, '').split(';').length - 1;
        if (!right || statements > 2) faults.push(`${label}, line ${k + 1}: ${line}`);
        depth += (words.match(/[{(]/g) ?? []).length - (words.match(/[})]/g) ?? []).length;
      }
      if (depth !== 0) faults.push(`${label}: ends at depth ${depth}`);
    }
    expect(faults).toEqual([]);
  });

  test('do not change when formatted again', () => {
    for (const [code, label] of codes) {
      const once = formatWgsl(code);
      expect(formatWgsl(once), label).toBe(once);
    }
  });

  test('an example is formatted as written here', () => {
    const code = `

struct S { a: u32,
  b: array<u32, 2> }
fn f( x : u32,y: u32 )->u32 {   // why
  if (x<y) { return 1u; } else {

return 2u; }
  for (var i=0u; i<3u; i++) { g(i); { h(); } }
}
fn g(i: u32) { }
fn h() { let a = long(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, array<u32, 2>(cc, ddddddddddddddd)); }`;
    expect(formatWgsl(code)).toBe(`struct S { a: u32, b: array<u32, 2> }

fn f(x : u32,y: u32)->u32 {
  // why
  if (x<y) { return 1u; } else { return 2u; }
  for (var i=0u; i<3u; i++) {
    g(i);
    { h(); }
  }
}

fn g(i: u32) { }

fn h() {
  let a = long(
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,
    bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,
    array<u32, 2>(cc, ddddddddddddddd)
  );
}
`);
  });
});

describe('the kernels of a preset', () => {
  test.each(PROFILE_NAMES)('are all printed, on %s', profile => {
    for (const name of NAMES) {
      const text = textOf([name, '--profile', profile]);
      expect(text).toContain(`preset ${name}: plan `);
      for (const { label, code } of launchesOfPreset(name, profile)) {
        expect(text, label).toMatch(new RegExp(`^// .*: ${label.replace(/[()]/g, '\\$&')}$`, 'm'));
        expect(text, label).toContain(formatWgsl(code).trimEnd());
      }
    }
  });

  test('are printed with names, workgroups and buffers', () => {
    expect(textOf(['reverse', '--profile', 'gpu', '--only', 'fused forward', '--list'])).toBe(
      `// preset reverse: plan fused, one sequence per workgroup (block 64), profile gpu
// B = 32 sequences of T = 34 time steps. Dispatches: training step 10, evaluation 4.

kernel                              workgroups of invocations  buffers
training step: fused forward block  32 of 64                   batch, params, acts (written), slots (written), undoLog (written)`,
    );
    const head = textOf(['reverse', '--only', 'fused backward']).split('\n\n')[1];
    expect(head.split('\n').slice(1)).toEqual([
      '// training step: fused backward block',
      '// all time steps in one dispatch, last to first: 32 workgroups of 64 invocations',
      '// binding  variable   buffer      access',
      '// 0        batch      batch       read',
      '// 1        w          transposed  read',
      '// 2        acts       acts        read',
      '// 3        grads      grads       read and write',
      '// 4        slots      slots       read and write',
      '// 5        undoLog    undoLog     read and write',
      '// 6        dStrength  dStrength   read and write',
    ]);
  });

  test('are those of the requested plan and settings', () => {
    const of = (...more: string[]): string => textOf(['reverse', '--list', ...more]);
    expect(of('--plan', 'stepwise')).toMatch(
      /plan stepwise.*\n.*Dispatches: training step \d+, and 6 per time step/,
    );
    expect(of('--profile', 'gpu with subgroups')).toContain('block 64, subgroups');
    expect(of('--set', 'hidden=2000')).toContain('reverse hidden=2000: plan stepwise');
    expect(of('--set', 'batch=7')).toContain('B = 7 sequences');
  });
});

describe('a memory by itself', () => {
  test.each(MEMORY_NAMES)('both passes of a %s are printed', kind => {
    const text = textOf(['memory', kind, '--form', 'block']);
    expect(text).toContain(`forward pass: memory forward, ${kind} block, M=32`);
    expect(text).toContain(`backward pass: memory backward, ${kind} block, M=32`);
    expect(text.match(/^fn main\(/gm)).toHaveLength(2);
  });

  test('the form follows from the profile and the sizes, or is the requested one', () => {
    const titleOf = (...more: string[]): string =>
      textOf(['memory', 'stack', '--list', ...more]).split('\n')[0];
    expect(titleOf('--T', '63')).toContain('one sequence per workgroup (block 32)');
    expect(titleOf('--profile', 'software')).toContain('one sequence per invocation (lane 8)');
    expect(titleOf('--T', '64')).toContain('parallel over time');
    expect(titleOf('--form', 'lane')).toContain('lane 8');
    expect(titleOf('--form', 'time')).toContain('parallel over time');
  });

  test('code that several dispatches share is shown once', () => {
    const minima = textOf(['memory', 'stack', '--form', 'time', '--T', '40000', '--only', 'vec2u']);
    expect(minima.match(/^fn main\(/gm)).toHaveLength(1);
    expect(minima.match(/The code is that of "memory over time, minima of vec2u" above/g)).toHaveLength(2);
  });
});

test('mistakes give one error line', () => {
  const cases: [args: string[], message: string | RegExp][] = [
    [[], 'which kernels? Name a preset, or memory <kind>. See npm run wgsl -- --help.'],
    [['revrse'], 'unknown preset "revrse". Did you mean "reverse"?'],
    [['memry', 'stack'], 'unknown preset "memry". Did you mean "memory <kind>"?'],
    [['stack'], 'stack is not a preset: use npm run wgsl -- memory stack, or name a preset.'],
    [['reverse', 'heads'], 'unexpected argument "heads": choose kernels with --only "heads".'],
    [['reverse', '--only', 'heads'], /^no kernel has "heads" in its name\. Kernels: fused forward block; /],
    [['reverse', '--plam', 'x'], 'unknown option "--plam". Did you mean "--plan"?'],
    [['reverse', '--plan', 'fuse'], 'unknown plan "fuse". Did you mean "fused"?'],
    [['reverse', '--profile', 'gpus'], 'unknown profile "gpus". Did you mean "gpu"?'],
    [['reverse', '--set', 'hiden=3'], /Did you mean "hidden"/],
    [['reverse', '--plan'], "Option '--plan <value>' argument missing. See npm run wgsl -- --help."],
    [['reverse', '--T', '3'], '--T is for a memory alone: npm run wgsl -- memory <kind>.'],
    [['memory'], 'memory needs its kind: stack, queue, deque, superposition, tape.'],
    [['memory', 'stak'], 'unknown kind of memory "stak". Did you mean "stack"?'],
    [['memory', 'stack', '--form', 'blok'], 'unknown form "blok". Did you mean "block"?'],
    [['memory', 'deque', '--form', 'time'], '--form time is for stack and queue, not for deque.'],
    [['memory', 'stack', '--T', 'x'], '--T must be a whole number from 1 to 16777216, got "x".'],
    [['memory', 'stack', '--plan', 'fused'], /^--plan is for a preset/],
    [['memory', 'stack', '--set', 'batch=3'], /^--set is for a preset/],
  ];
  for (const [args, message] of cases) {
    let thrown = '';
    try {
      textOf(args);
    } catch (error) {
      thrown = `${(error as Error).name}: ${(error as Error).message}`;
    }
    if (typeof message === 'string') expect(thrown, args.join(' ')).toBe(`InputError: ${message}`);
    else expect(thrown.replace('InputError: ', ''), args.join(' ')).toMatch(message);
  }
  expect(textOf(['--help'])).toContain('npm run wgsl -- memory <kind>');
});
