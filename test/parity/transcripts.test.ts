import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/program.ts';
import { shellWords } from '../support/documented-commands.ts';
import { MANUAL, ROOT, readDocument } from '../support/documents.ts';

/**
 * A fenced block in language `console` is a transcript: `$ command`, with the output below it. This test runs
 * every command with the built package, on the engine `cpu`, and compares the output. After a change of
 * outputs, `npx vitest run --project parity test/parity/transcripts.test.ts -u` writes them into the documents.
 */

const TRANSCRIPT = /^```console\n\$ (.+)\n([\s\S]*?)^```$/gm;
const CLI = join(ROOT, 'node_modules/pushdown/dist/src/cli/main.js');

/** Returns the output of `npx pushdown …` or `node examples/…`, run in a folder. */
async function outputOf(command: string, cwd: string): Promise<string> {
  const [program, ...words] = shellWords(command);
  const [first, ...rest] = words;
  if (program === 'npx') {
    const takesEngine = COMMANDS.find(({ name }) => name === rest[0])?.options['engine'];
    const args = [CLI, ...rest, ...(takesEngine ? ['--engine', 'cpu'] : [])];
    // The environment that npx sets. With it, messages show commands that start with npx.
    const env = { ...process.env, npm_command: 'exec', npm_config_user_agent: 'npm/0' };
    return (await promisify(execFile)(process.execPath, args, { cwd, env })).stdout;
  }
  return (await promisify(execFile)(program, [join(ROOT, first), ...rest], { cwd })).stdout;
}

/**
 * The output as shown in a document: without progress, which depends
 * on the clock, and with an ellipsis for what depends on the machine.
 */
const shown = (output: string): string =>
  output
    .replaceAll(ROOT, '…')
    .replace(/^engine .*$/m, '…')
    .replace(/^step (?:\d+\/|\d+: at length ).*\n/gm, '')
    .replace(/[\d.]+ (?:ms|s|min) of training/g, '… of training');

describe.each(MANUAL.filter(path => readDocument(path).search(TRANSCRIPT) >= 0))('%s', path => {
  test('shows the output of its commands', async () => {
    const document = readDocument(path);
    // One after the other, because some commands use files that others leave in the folder.
    const cwd = mkdtempSync(join(tmpdir(), 'pushdown-'));
    const outputs: string[] = [];
    try {
      for (const [, command] of document.matchAll(TRANSCRIPT))
        outputs.push(shown(await outputOf(command, cwd)));
    } finally {
      rmSync(cwd, { recursive: true });
    }
    const updated = document.replace(
      TRANSCRIPT,
      (_, command) => `\`\`\`console\n$ ${command}\n${outputs.shift()?.trimEnd()}\n\`\`\``,
    );
    await expect(updated).toMatchFileSnapshot(join(ROOT, path));
  }, 240_000);
});
