import { afterEach, describe, expect, test } from 'vitest';
import { nameOf, setProgramName, withProgramName } from '../../../src/cli/io/program-name.ts';
import { pushdown } from '../../support/terminal.ts';

/** Commands in messages can be typed as shown: with `npx pushdown` if the program was started that way. */

afterEach(() => setProgramName('pushdown'));

const BIN = '/home/me/project/node_modules/.bin/pushdown';
const BUILT = '/home/me/pushdown/dist/src/cli/main.js';

test.each([
  ['npx', { npm_command: 'exec', npm_config_user_agent: 'npm/10.8.2 node/v22' }, BIN, 'npx pushdown'],
  [
    'npx, from its cache',
    { npm_command: 'exec' },
    '/home/me/.npm/_npx/1a/node_modules/.bin/pushdown',
    'npx pushdown',
  ],
  [
    'npx on Windows',
    { npm_command: 'exec' },
    'C:\\p\\node_modules\\pushdown\\dist\\src\\cli\\main.js',
    'npx pushdown',
  ],
  [
    'an npm script',
    { npm_command: 'run-script', npm_lifecycle_script: 'node dist/src/cli/main.js train' },
    BUILT,
    'npx pushdown',
  ],
  ['the link in node_modules/.bin, by path', {}, BIN, 'npx pushdown'],
  ['pnpm', { npm_config_user_agent: 'pnpm/9.1.0 npm/? node/v22' }, BIN, 'pnpm exec pushdown'],
  ['yarn', { npm_config_user_agent: 'yarn/1.22.22 npm/? node/v22' }, BIN, 'yarn pushdown'],
  ['a command on the PATH', {}, '/usr/local/bin/pushdown', 'pushdown'],
  [
    'a command on the PATH of Windows',
    {},
    'C:\\npm\\node_modules\\pushdown\\dist\\src\\cli\\main.js',
    'pushdown',
  ],
  ['node', {}, BUILT, 'pushdown'],
  // Variables inherited from another program are ignored.
  ['node, from a test', { npm_command: 'exec', npm_lifecycle_script: 'vitest run' }, BUILT, 'pushdown'],
])('started with %s', (_, env, script, name) => {
  expect(nameOf(env, script)).toBe(name);
});

describe('commands in messages', () => {
  test('errors, help and the list of commands use the name that the program was started with', async () => {
    setProgramName('npx pushdown');
    expect((await pushdown(['train'])).err).toMatch(/Try: npx pushdown train reverse\n$/);
    expect((await pushdown(['eval'])).err).toMatch(/^pushdown: .* Usage: npx pushdown eval <checkpoint>/);
    const { out: help } = await pushdown(['predict', '--help']);
    expect(help).toMatch(/^npx pushdown predict <checkpoint>/);
    expect(help).toMatch(/\| npx pushdown predict runs/);
    expect((await pushdown(['--help'])).out).toMatch(
      /npx pushdown <command> --help. Start with: npx pushdown train/,
    );
    for (const command of (await pushdown(['--help'])).out.matchAll(/^ {2}(\w+)/gm)) {
      const line = `pushdown ${command[1]} x`;
      expect(withProgramName(line)).toBe(`npx ${line}`);
    }
  });

  test('text that is not a command is unchanged', () => {
    setProgramName('npx pushdown');
    const text = 'runs/pushdown train, pushdown trains, pushdown 0.1.0, npm i pushdown';
    expect(withProgramName(text)).toBe(text);
  });
});
