import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { DeviceLost } from '../../src/base/errors.ts';
import { FolderTaken, RunFolder } from '../../src/cli/run/folder.ts';
import { decodeCheckpoint } from '../../src/train/checkpoint.ts';
import { preset } from '../../src/train/presets.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { fakeEngine } from '../support/fake-engine.ts';
import { jsonLines } from '../support/terminal.ts';
import { temporaryFolder } from '../support/tiny-run.ts';

/** The lifecycle of a run's folder: claim, log, checkpoints, salvage, release. */

const root = temporaryFolder();
const config = assign(preset('reverse'), ['steps=20', 'batch=2', 'hidden=3', 'width=2', 'reportEvery=5']);
const start = () => Trainer.start(fakeEngine(), config);
const stepIn = (folder: RunFolder): number =>
  decodeCheckpoint(new Uint8Array(readFileSync(folder.checkpoint))).state.step;

async function claimed(name: string, keep?: number): Promise<RunFolder> {
  const folder = await RunFolder.claim(join(root, name), keep);
  if ('by' in folder) throw new Error(`claimed by ${folder.by}`);
  return folder;
}
/** A folder whose claim is lost when `take` is called. */
function takeable(name: string) {
  const path = join(root, name);
  mkdirSync(path);
  const listeners: (() => void)[] = [];
  let held = true;
  const folder = new RunFolder(path, {
    held: async () => held,
    onLost: listener => listeners.push(listener),
    release: async () => {},
  });
  const take = () => {
    held = false;
    for (const listener of listeners) listener();
  };
  return { folder, take };
}
const quietLog = (folder: RunFolder) => folder.log(undefined, () => false);
const EVERY_MINUTE = { saveEvery: 60_000, follow: () => () => {} };

test('a folder is claimed by one process, cleared of temporary checkpoints of killed runs, and released', async () => {
  const path = join(root, 'claimed');
  mkdirSync(path);
  writeFileSync(join(path, '.checkpoint.safetensors.99999999.00c0ffee.tmp'), 'half');
  writeFileSync(join(path, '.other.99999999.tmp'), '');
  const folder = await claimed('claimed');
  expect(readdirSync(path).sort()).toEqual(['.other.99999999.tmp', 'claim']);
  expect(await RunFolder.claim(path)).toEqual({ by: expect.stringContaining(String(process.pid)) });
  await folder.release();
  await (await claimed('claimed')).release();
});

test('a folder has a log, a configuration, the last checkpoints and a result', async () => {
  const folder = await claimed('whole', 2);
  const trainer = await start();
  const log = quietLog(folder);
  log.record({ kind: 'start' });
  await folder.writeConfig(config);
  await folder.save(await trainer.snapshot());
  expect(await folder.train(trainer, log, EVERY_MINUTE)).toBe('done');
  await folder.writeResult({ kind: 'cell' });
  await folder.release();
  expect([folder.savedStep, stepIn(folder)]).toEqual([20, 20]);
  const names = ['checkpoint.safetensors', 'config.json', 'earlier', 'log.jsonl', 'result.json'];
  expect(readdirSync(folder.path).sort()).toEqual(names);
  expect(readdirSync(join(folder.path, 'earlier')).sort()).toEqual([
    'checkpoint-step0.safetensors',
    'checkpoint-step20.safetensors',
  ]);
  expect(jsonLines(readFileSync(join(folder.path, 'log.jsonl'), 'utf8'))).toEqual([{ kind: 'start' }]);
  expect(JSON.parse(readFileSync(join(folder.path, 'config.json'), 'utf8'))).toEqual(config);
});

test('a checkpoint is saved at intervals during the run', async () => {
  const { folder } = takeable('clock');
  const trainer = await Trainer.start(fakeEngine(), assign(config, ['steps=1000000']));
  let followed = 0;
  const follow = () => {
    followed++;
    return () => followed--;
  };
  const running = folder.train(trainer, quietLog(folder), { saveEvery: 1, follow });
  while (folder.savedStep === 0) await new Promise(resolve => setTimeout(resolve, 5));
  expect(followed).toBe(1);
  trainer.stop();
  expect(await running).toBe('stopped');
  expect([followed, stepIn(folder)]).toEqual([0, trainer.step]);
});

describe('a folder that another process took over', () => {
  test('ends the run, and nothing more is written', async () => {
    const { folder, take } = takeable('taken');
    const trainer = await Trainer.start(fakeEngine(), assign(config, ['steps=1000000']));
    const running = folder.train(trainer, quietLog(folder), EVERY_MINUTE);
    setTimeout(take, 20);
    await expect(running).rejects.toThrow(FolderTaken);
    await expect(folder.writeResult({})).rejects.toThrow(/another run has taken over/);
    await expect(folder.salvage(trainer, new Error('any'))).rejects.toThrow(FolderTaken);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

describe('after a failure', () => {
  test('the last state is saved; after the loss of a device, this is the last snapshot', async () => {
    const { folder } = takeable('failed');
    const trainer = await start();
    for (let step = 0; step < 3; step++) await trainer.singleStep();
    await folder.salvage(trainer, new DeviceLost('gone'));
    expect(stepIn(folder)).toBe(0);
    await folder.salvage(trainer, new Error('else'));
    expect(stepIn(folder)).toBe(3);
  });
});
