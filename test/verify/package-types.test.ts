import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messageOf } from '../../src/base/errors.ts';
import {
  type Compiler,
  installCompiler,
  installPackage,
  settingsFor,
  typeErrors,
} from '../support/consumer.ts';

/** The declarations of the built package compile with older and newer versions of TypeScript, which npm installs. */

const VERSIONS = ['5.4', '5.8', '5.9', '6.0', 'latest'];
let project: string;

beforeAll(async () => {
  project = await installPackage();
});
afterAll(() => rm(project, { recursive: true, force: true }));

describe.each(VERSIONS)('TypeScript %s', version => {
  let compiler: Compiler;
  beforeAll(async () => {
    compiler = await installCompiler(version).catch(error => {
      throw new Error(
        `npm cannot install typescript@${version}; this test needs a registry: ${messageOf(error)}`,
      );
    });
  }, 200_000);
  afterAll(async () => {
    if (compiler) await rm(dirname(dirname(compiler.folder)), { recursive: true, force: true });
  });

  // Settings depend only on the major version; 'latest' is 7 or newer.
  test.each(settingsFor(version === 'latest' ? '7' : version))('$name', async setting => {
    expect(await typeErrors(project, compiler, setting)).toBe('');
  });
});
