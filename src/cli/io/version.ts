import { createRequire } from 'node:module';

/** The version of the installed package. */
export function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('pushdown/package.json') as { version: string };
  return version;
}
