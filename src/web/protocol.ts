import type { AdapterDescription } from '../engine/engine.ts';
import type { Evaluation } from '../train/evaluate.ts';
import type { Progress, Restart } from '../train/trainer.ts';
import type { Look } from './look.ts';

/** What page and worker say to each other. One worker is one run: to reset, the page ends it and starts another. */

export const ENGINES = ['auto', 'gpu', 'cpu'] as const;
export type EngineChoice = (typeof ENGINES)[number];

export interface Settings {
  preset: string;
  seed: number;
  engine: EngineChoice;
}

export type ToWorker =
  /** The first message: opens an engine and a run at step 0. */
  | { kind: 'open'; settings: Settings }
  | { kind: 'run' }
  | { kind: 'pause' }
  /** One training step. */
  | { kind: 'step' }
  /** The source whose sequence the heat map shows from now on, as people write it. */
  | { kind: 'show'; source: string };

export interface Opened {
  kind: 'opened';
  engine: 'gpu' | 'cpu';
  adapter: AdapterDescription;
  /** Said in a box of its own: a GPU was hoped for, and this is why there is none. */
  notice?: string;
  /** Training steps at most. */
  steps: number;
  parameters: number;
  /** What the loss is measured in. */
  lossUnit: string;
  /** The source that the heat map shows, as people write it. */
  source: string;
}

/** Where a run stands. `done`: all steps made; `solved`: stopAt reached twice running. */
export type RunState = 'ready' | 'running' | 'paused' | 'done' | 'solved';

export type FromWorker =
  | Opened
  | { kind: 'state'; state: RunState; step: number }
  | { kind: 'progress'; progress: Progress }
  | { kind: 'evaluation'; evaluation: Evaluation; step: number }
  | { kind: 'restart'; restart: Restart }
  | { kind: 'look'; look: Look }
  /** The source of a `show` cannot be read. */
  | { kind: 'refused'; message: string }
  /** The run is over: what happened, and what to do. */
  | { kind: 'failed'; message: string; advice: string };
