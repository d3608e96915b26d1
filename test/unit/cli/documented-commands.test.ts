import { expect, test } from 'vitest';
import { assign } from '../../../src/base/config.ts';
import { parse } from '../../../src/cli/arguments/command.ts';
import { cards } from '../../../src/cli/files/gallery.ts';
import { COMMANDS } from '../../../src/cli/program.ts';
import { engineName } from '../../../src/platform/names.ts';
import { preset, presetsIn } from '../../../src/train/all-presets.ts';
import { commandsIn, shellWords } from '../../support/documented-commands.ts';
import { MANUAL, readDocument } from '../../support/documents.ts';

/** Every `npx pushdown …` in the documents is valid: its command, options, presets, settings and models exist. */

const GALLERY = (await cards()).map(({ name }) => `gallery/${name}`);
const commandNamed = (name: string) => {
  const found = COMMANDS.find(command => command.name === name);
  expect(found, `a command named ${name}`).toBeDefined();
  return found!;
};

/** Checks the names in a complete command. */
function checkCommand([name, ...words]: readonly string[]): void {
  const { operands, options } = parse(commandNamed(name), words);
  const [first] = operands;
  if (options['engine'] !== undefined) engineName(options['engine'] as string);
  if (name === 'train') {
    const known =
      first === undefined || first === 'data' || first.endsWith('.json') ? undefined : preset(first);
    const config = known ?? preset('reverse');
    if (first === 'data') config.task.name = 'data';
    assign(config, (options['set'] ?? []) as string[]);
  }
  if (name === 'presets' && first !== undefined) expect(presetsIn(first), first).not.toHaveLength(0);
  if (first?.startsWith('gallery/')) expect(GALLERY).toContain(first);
}

/** Checks the options in a usage pattern. */
function checkPattern([names, ...words]: readonly string[]): void {
  if (names?.startsWith('<')) return;
  const [name] = names.split('|');
  const options = { ...commandNamed(name).options, help: {} };
  const used = words.join(' ').matchAll(/(?<![\w-])--([a-z-]+)/g);
  for (const [, option] of used) expect(Object.keys(options), `${name} --${option}`).toContain(option);
}

const documented = MANUAL.flatMap(document =>
  commandsIn(readDocument(document)).map(command => ({ document, ...command })),
);

test.each(documented)('$document: the command is valid: $text', ({ words, pattern }) => {
  if (words.length > 0) (pattern ? checkPattern : checkCommand)(words);
});

test('the documents contain commands, and an invalid command is detected', () => {
  expect(documented.filter(({ pattern }) => !pattern).length).toBeGreaterThan(10);
  const wrong = (text: string) => () => {
    for (const { words, pattern } of commandsIn(text)) (pattern ? checkPattern : checkCommand)(words);
  };
  expect(wrong('`npx pushdown train reverse --stpes 3`')).toThrow(/Did you mean "--steps"/);
  expect(wrong('`npx pushdown train revers`')).toThrow(/Did you mean "reverse"/);
  expect(wrong('```sh\nnpx pushdown train reverse \\\n  --set hiden=3 | head\n```')).toThrow(/hiden/);
  expect(wrong('`npx pushdown trace gallery/nothing "a b"`')).toThrow(/gallery/);
  expect(wrong('`npx pushdown trian reverse`')).toThrow(/trian/);
  expect(wrong('`npx pushdown train <preset> --stpes N`')).toThrow(/--stpes/);
  expect(wrong('`npx pushdown eval`')).toThrow(/eval needs <checkpoint>/);
  expect(wrong('`npx pushdown train reverse --seed 1` and `npx pushdown gallery`')).not.toThrow();
});

test('a command line ends where a shell would end it', () => {
  expect(shellWords(` trace runs/a 'a b' "c d" --json > out.txt`)).toEqual([
    'trace',
    'runs/a',
    'a b',
    'c d',
    '--json',
  ]);
  expect(shellWords(' train reverse # learns')).toEqual(['train', 'reverse']);
  expect(shellWords(' train <preset|data> [--seed N | --seeds 10]').slice(0, 3)).toEqual([
    'train',
    '<preset|data>',
    '[--seed',
  ]);
  expect(shellWords(' memory < ops.json')).toEqual(['memory']);
});
