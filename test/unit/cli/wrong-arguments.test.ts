import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pushdown } from '../../support/terminal.ts';
import { temporaryFolder } from '../../support/tiny-run.ts';

/** A wrong command line gives one line that names the mistake, and exit code 2. */

const folder = temporaryFolder();
const train = (...argv: string[]) => ({
  argv: ['train', 'reverse', '--engine', 'reference', ...argv],
  stdin: '',
});
const plain = (...argv: string[]) => ({ argv, stdin: '' });

const table: [string, { argv: string[]; stdin: string }, RegExp][] = [
  ['command', plain('memroy'), /unknown command "memroy"\. Did you mean "memory"\?/],
  ['option', train('--stpes', '3'), /unknown option "--stpes"\. Did you mean "--steps"\?/],
  ['option value', train('--out'), /--out needs a value/],
  ['option instead of a value', train('--out', '--steps', '3'), /--out needs a value/],
  ['value that looks like an option', train('--seed', '-1'), /--seed needs a value.*--seed=<n>/],
  ['flag with a value', plain('presets', '--json=3'), /'--json' does not take an argument/],
  ['extra operand', plain('presets', 'paper', 'reverse'), /presets got an unexpected argument "reverse"/],
  ['missing operand', plain('eval'), /eval needs <checkpoint>\. Usage: pushdown eval/],
  ['no preset', plain('train'), /train needs a preset \(reverse,/],
  ['preset of a group', plain('train', 'small/revers/stack'), /Did you mean "small\/reverse\/stack"\?/],
  [
    'preset similar to no other',
    plain('train', 'x'),
    /unknown preset "x"\. Known: reverse, .*, small\/<task>\/<model>/,
  ],
  [
    'group of presets',
    plain('presets', 'papr'),
    /no preset or group is called "papr"\. Did you mean "paper"\?/,
  ],
  ['plan', train('--plan', 'fusd'), /unknown plan "fusd"\. Did you mean "fused"\?/],
  ['seeds', train('--seeds', 'ten'), /--seeds takes a number of seeds or a range, .* got "ten"/],
  ['seeds backwards', train('--seeds', '9-0'), /the range "9-0" goes backwards, write 0-9/],
  ['no seeds', train('--seeds', '0'), /--seeds must be at least 1, got 0/],
  ['seeds with an exponent', train('--seeds', '1e9'), /--seeds takes/],
  ['too many seeds', train('--seeds', '1000000'), /--seeds must be at most 10000 seeds/],
  ['a seed beyond 2^53', train('--seeds', '0-9007199254740993'), /--seeds must end below 2\^53/],
  [
    'keep and seeds',
    train('--seeds', '3', '--keep', '3'),
    /with --seeds, runs are saved by fixed rules: leave out --keep/,
  ],
  ['seed and seeds', train('--seeds', '3', '--seed', '3'), /--seeds sets the seeds: leave out --seed/],
  [
    'seeds and resume',
    train('--seeds', '3', '--resume'),
    /--seeds resumes unfinished seeds anyway: leave out --resume/,
  ],
  ['table', plain('table', 'papre'), /unknown table "papre"\. Did you mean "paper"\?/],
  [
    'table scale',
    plain('table', 'paper', '--scale', 'smal'),
    /unknown scale "smal"\. Did you mean "small"\?/,
  ],
  [
    'table shard',
    plain('table', 'paper', '--shard', '9/8'),
    /--shard takes i\/n with i from 1 to n.*got "9\/8"/,
  ],
  [
    'table cell',
    plain('table', 'paper', '--only', 'reverse/stak'),
    /got "reverse\/stak"\. Did you mean "reverse\/stack"/,
  ],
  ['table task', plain('table', 'paper', '--only', 'copi'), /a task, a model or .* Did you mean "copy"/],
  ['preset', plain('train', 'revrese'), /unknown preset "revrese"\. Did you mean "reverse"\?/],
  ['engine', plain('train', 'reverse', '--engine', 'gpuu'), /unknown engine "gpuu"\. Did you mean "gpu"\?/],
  ['key', train('--set', 'model.hiden=3'), /"model\.hiden"\. Did you mean "model\.hidden"\?/],
  [
    'key that resembles another word',
    train('--set', 'size=3'),
    /unknown configuration key "size"\.(?! Did you mean)/,
  ],
  ['set without value', train('--set', 'hidden'), /--set takes key=value/],
  ['size much too large', train('--set', 'hidden=1e9'), /model\.hidden must be .* got 1000000000/],
  ['size 0', train('--set', 'batch=0'), /train\.batch must be a whole number from 1 to 65536, got 0/],
  ['size not a number', train('--set', 'width=wide'), /model\.width must be a whole number/],
  ['steps', train('--steps', '1e99'), /--steps must be a whole number from 0 to .*got "1e99"/],
  ['seed', train('--seed=-1'), /--seed must be a whole number from 0/],
  ['infinite rate', train('--set', 'rate=1e400'), /train\.rate must be .*, got "1e400"/],
  ['long word', plain('x'.repeat(1e5)), /^.{0,300}$/m],
  ['several lines', plain('a\nb\x1b[31m\u2028'), /unknown command "a\\nb\\u001b\[31m\\u2028"/],
  ['seed fraction', train('--seed', '1.5'), /--seed must be a whole number/],
  [
    'resume from a missing file',
    train('--resume', join(folder, 'none')),
    /cannot read the checkpoint .*no such file/,
  ],
  ['missing configuration', plain('train', join(folder, 'none.json')), /cannot read the configuration/],
  [
    'train: parameters',
    {
      argv: 'train reverse --engine reference --set hidden=4096 --set layers=8 --set controller=lstm'.split(
        ' ',
      ),
      stdin: '',
    },
    /this model has \d+ parameters, but at most 134217728 can be trained: reduce model\.hidden,/,
  ],
];
test.each(table)('a wrong command line is refused: %s', async (_, { argv, stdin }, message) => {
  const { code, out, err } = await pushdown(argv, stdin);
  expect(err).toMatch(message);
  expect(err).toMatch(/^pushdown: [^\n]+\n$/);
  expect(out).toBe('');
  expect(code).toBe(2);
});
