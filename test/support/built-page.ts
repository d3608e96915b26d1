import { rm } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { buildPage } from './server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of buildPage(). */
    builtPage: string;
  }
}

/** The page is built once for all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await buildPage();
  project.provide('builtPage', folder);
  return () => rm(folder, { recursive: true, force: true });
}
