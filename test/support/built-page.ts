import { rm } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { buildPage } from './server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder returned by buildPage(). */
    builtPage: string;
  }
}

/** Builds the page once for all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await buildPage();
  project.provide('builtPage', folder);
  return () => rm(folder, { recursive: true, force: true });
}
