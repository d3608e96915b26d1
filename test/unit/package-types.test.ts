import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  checkoutCompiler,
  declarationsRead,
  installPackage,
  settingsFor,
  typeErrors,
} from '../support/consumer.ts';

/**
 * Checks every declaration of the built package, in a project that uses it. Other versions of TypeScript are tested in
 * test/verify/package-types.test.ts.
 */

const compiler = await checkoutCompiler();
let project: string;

beforeAll(async () => {
  project = await installPackage();
});
afterAll(() => rm(project, { recursive: true, force: true }));

test.each(settingsFor(compiler.version))(
  `declarations compile with TypeScript ${compiler.version}, $name`,
  async setting => {
    expect(await typeErrors(project, compiler, setting)).toBe('');
  },
);

test('declarations use no Float32Array<ArrayBuffer>, which TypeScript before 5.7 does not have', async () => {
  const files = await declarationsRead(project, compiler, settingsFor(compiler.version)[0]);
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    expect(await readFile(file, 'utf8'), file).not.toMatch(/\b(Array|DataView)<\w*ArrayBuffer|\dArray</);
  }
});
