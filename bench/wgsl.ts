/**
 * Prints the kernels of a preset or of a memory by itself:
 * `npm run wgsl -- reverse`. It needs no device, because a plan is data.
 *
 * It is a script of the repository and not a command of `pushdown`, because people who read kernels have a checkout,
 * and because its output changes with every kernel, whereas the output of published commands should be stable.
 */
import type { ParseArgsConfig } from 'node:util';
import { assign } from '../src/base/config.ts';
import { InputError, show, suggest, unknown } from '../src/base/errors.ts';
import { MEMORY_NAMES, type MemoryName } from '../src/base/memories.ts';
import { wholeNumber } from '../src/cli/arguments/number.ts';
import { formFor, hasTimeKernels } from '../src/engine/gpu-memory.ts';
import { type MemoryForm, PROFILE_NAMES, type ProfileName, profileOf } from '../src/gpu/profile.ts';
import type { WorkUnit } from '../src/kernels/launch.ts';
import { layerLaunches } from '../src/kernels/memory.ts';
import { choosePlan, planOf } from '../src/kernels/plan.ts';
import { timeLaunches } from '../src/kernels/time-memory.ts';
import { layoutOf } from '../src/layout/layout.ts';
import { planName } from '../src/platform/engines.ts';
import { preset } from '../src/train/all-presets.ts';
import { trainingBatch } from '../src/train/model.ts';
import { setup } from '../src/train/setup.ts';
import { parseOptions } from './options.ts';
import { kernelText, listText, type Shown } from './wgsl-text.ts';

const HELP = `npm run wgsl -- <preset> [options]              the kernels of a training step, and of an evaluation
npm run wgsl -- memory <kind> [options]         the kernels of a memory by itself: ${MEMORY_NAMES.join(', ')}

Prints every kernel with its name, buffers and number of workgroups, in the order of the dispatches. The output is WGSL.
  --profile <name>  the kind of device: ${PROFILE_NAMES.map(name => (name.includes(' ') ? `"${name}"` : name)).join(', ')} (default gpu)
  --only <text>     only kernels whose names contain this; may be repeated
  --list            only names, buffers and workgroups, without the code
For a preset:
  --plan <name>     auto (default), fused or stepwise
  --set key=value   changes a setting; may be repeated (npx pushdown presets --keys lists them)
For a memory:
  --form <name>     block: one workgroup per sequence; lane: one invocation per sequence; time: parallel over time, for
                    stack and queue. Default: the form that the profile chooses
  --B <n> --T <n> --M <n>  sequences, time steps, width of a row (default 32, 128, 32)`;

const OPTIONS = {
  profile: { type: 'string', default: 'gpu' },
  only: { type: 'string', multiple: true, default: [] as string[] },
  list: { type: 'boolean', default: false },
  plan: { type: 'string' },
  set: { type: 'string', multiple: true, default: [] as string[] },
  form: { type: 'string' },
  B: { type: 'string' },
  T: { type: 'string' },
  M: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} satisfies ParseArgsConfig['options'];

/** Maximum of B, T and M. */
const MAX_SIZE = 2 ** 24;

type Options = ReturnType<typeof parse>['values'];
const parse = (args: string[]) => parseOptions(args, OPTIONS, 'npm run wgsl -- --help');

export async function main(args: string[]): Promise<number> {
  console.log(textOf(args));
  return 0;
}

/** The output of `npm run wgsl -- …args`. @throws InputError for an unknown name */
export function textOf(args: string[]): string {
  const { values, positionals } = parse(args);
  if (values.help) return HELP;
  const [name, kind, ...rest] = positionals;
  if (name === undefined)
    throw new InputError('which kernels? Name a preset, or memory <kind>. See npm run wgsl -- --help.');
  const memory = name === 'memory';
  if (!memory) presetNamed(name);
  const unexpected = memory ? rest[0] : kind;
  if (unexpected !== undefined)
    throw new InputError(
      `unexpected argument ${show(unexpected)}: choose kernels with --only ${show(unexpected)}.`,
    );
  const shown = memory ? shownMemory(kind, values) : shownPreset(name, values);
  return values.list ? listText(shown, values.only) : kernelText(shown, values.only);
}

const profileNamed = ({ profile }: Options) => {
  const name = PROFILE_NAMES.find(known => known === profile) ?? unknown('profile', profile, PROFILE_NAMES);
  return profileOf(name satisfies ProfileName);
};

/** Refuses options that do not apply. @throws InputError */
function forbid(
  options: Options,
  names: readonly ('plan' | 'form' | 'B' | 'T' | 'M')[],
  advice: string,
): void {
  const used = names.find(name => options[name] !== undefined);
  if (used) throw new InputError(`--${used} ${advice}.`);
}

function shownPreset(name: string, options: Options): Shown {
  forbid(options, ['form', 'B', 'T', 'M'], 'is for a memory alone: npm run wgsl -- memory <kind>');
  const profile = profileNamed(options);
  const requested = planName(options.plan ?? 'auto');
  const config = assign(presetNamed(name), options.set);
  const { task, spec } = setup(config);
  const layout = layoutOf(spec);
  const plan = planOf(profile, layout, config.train, choosePlan(profile, layout, requested));
  const { B, T } = trainingBatch(task, config, 0, config.task.maxLength);
  const { kind, form } = plan;
  return {
    title: `preset ${[name, ...options.set].join(' ')}: plan ${kind}, ${wordsOf(form)}, profile ${profile.name}`,
    size: { B, T, rowSplits: plan.rowSplits(B, T) },
    groups: [
      { name: 'training step', work: plan.step },
      { name: 'evaluation', work: plan.forward },
    ],
  };
}

/** The preset with this name. @throws InputError for an unknown name, also for the name of a memory */
function presetNamed(name: string) {
  const kind = MEMORY_NAMES.find(known => known === name);
  if (kind)
    throw new InputError(`${kind} is not a preset: use npm run wgsl -- memory ${kind}, or name a preset.`);
  if (suggest(name, ['memory']).startsWith(' Did'))
    throw new InputError(`unknown preset ${show(name)}. Did you mean "memory <kind>"?`);
  return preset(name);
}

function shownMemory(name: string | undefined, options: Options): Shown {
  forbid(options, ['plan'], 'is for a preset; a memory alone has --form block, lane or time');
  if (options.set.length > 0)
    throw new InputError('--set is for a preset; a memory alone has --B, --T and --M.');
  if (name === undefined) throw new InputError(`memory needs its kind: ${MEMORY_NAMES.join(', ')}.`);
  const kind = MEMORY_NAMES.find(known => known === name) ?? unknown('kind of memory', name, MEMORY_NAMES);
  const profile = profileNamed(options);
  const count = (name: 'B' | 'T' | 'M', defaultValue: number): number =>
    options[name] === undefined ? defaultValue : wholeNumber(`--${name}`, options[name], 1, MAX_SIZE);
  const shape = { kind, B: count('B', 32), T: count('T', 128), M: count('M', 32) };
  const form = formNamed(options.form, kind, profile.memory) ?? formFor(profile, shape);
  const { B, T, M } = shape;
  const title = `memory ${kind}, B=${B}, T=${T}, M=${M}: ${wordsOf(form)}, profile ${profile.name}`;
  const size = { B, T, rowSplits: 1 };
  const { forward, backward }: Record<'forward' | 'backward', readonly WorkUnit<string>[]> =
    form === 'time' && hasTimeKernels(kind)
      ? timeLaunches(profile, kind, B, T, M)
      : asLists(layerLaunches(shape, form as MemoryForm, 'sequences'));
  const groups = [
    { name: 'forward pass', work: forward },
    { name: 'backward pass', work: backward },
  ];
  return { title, size, groups };
}

const asLists = <T>({ forward, backward }: Record<'forward' | 'backward', T>) => ({
  forward: [forward],
  backward: [backward],
});

const FORMS = ['lane', 'block', 'time'] as const;

/** The requested form; if it is the form of the profile, with the sizes of the profile. */
function formNamed(
  requested: string | undefined,
  kind: MemoryName,
  ofProfile: MemoryForm,
): MemoryForm | 'time' | undefined {
  if (requested === undefined || requested === ofProfile.form) return requested && ofProfile;
  const form = FORMS.find(known => known === requested) ?? unknown('form', requested, FORMS);
  if (form !== 'time') return { form, size: form === 'lane' ? 8 : 32, subgroups: false };
  if (!hasTimeKernels(kind)) throw new InputError(`--form time is for stack and queue, not for ${kind}.`);
  return 'time';
}

const wordsOf = (form: MemoryForm | 'time'): string =>
  form === 'time'
    ? 'parallel over time'
    : `one sequence per ${form.form === 'lane' ? 'invocation' : 'workgroup'} (${form.form} ${form.size}${form.subgroups ? ', subgroups' : ''})`;
