import type { Config } from '../base/config.ts';
import type { AdapterDescription } from '../engine/engine.ts';
import type { AdapterDetails } from '../platform/adapter.ts';
import type { EngineName } from '../platform/names.ts';
import type { Evaluation } from '../train/evaluate.ts';
import type { Recovered } from '../train/recovery.ts';
import type { Progress, Restart } from '../train/trainer.ts';
import type { Verification } from '../train/verify.ts';
import type { ModelProbe } from './memory/probe.ts';

/** The messages between the page and its workers. */

/** The role of a worker, which is its name. A training worker handles one run. */
export type Role = 'training' | 'checking' | 'verifying' | 'examining';

/** The user's own data: the file's name and content. */
export interface DataText {
  file: string;
  text: string;
}

/** The speed of the run, and how often the page is redrawn. */
export interface Pace {
  /** Maximum training steps per second; 0 for no limit. */
  stepsPerSecond: number;
  /** Maximum number of model probes per second. */
  probesPerSecond: number;
}

/** A run to open: from step 0 with a configuration, or from a checkpoint, which contains its configuration. */
export interface Opening {
  config?: Config;
  checkpoint?: Uint8Array;
  data?: DataText;
  engine: EngineName;
  pace: Pace;
  /** The source to show first, as text. If the task cannot read it, another source is shown. */
  source?: string;
  /** Whether the run was stopped, so that its model only answers questions. */
  stopped?: boolean;
  /** Whether to continue from the checkpoint of a run that is over, ignoring the condition that ended it. */
  extend?: boolean;
}

export type ToWorker =
  /** The first message. */
  | { kind: 'open'; opening: Opening }
  | { kind: 'run' }
  | { kind: 'pause' }
  /** Runs one training step. */
  | { kind: 'step' }
  /** Ends training; the model still answers questions. */
  | { kind: 'stop' }
  | { kind: 'pace'; pace: Pace }
  | { kind: 'ask'; id: number; question: Question };

/** Questions to the model between two training steps, and their answers. */
export interface Questions {
  /** Shows this source in the picture from now on. Answers with the source as the task formats it. */
  show: { question: { source: string }; answer: string };
  /** The same as `show`, with a random source of about this length. */
  sample: { question: { length: number }; answer: string };
  /** A checkpoint file of the current state. */
  checkpoint: { question: object; answer: SavedCheckpoint };
  /** The model's answer to a source. */
  predict: { question: { source: string }; answer: DecodedAnswer };
  /** Source lengths to evaluate, up to ten times `longest`; and the shortest and longest trained length. */
  lengths: { question: object; answer: { lengths: number[]; shortest: number; longest: number } };
  evaluate: { question: { length: number; sequences: number }; answer: Evaluation };
  /** Tests the model on the pairs of a file. */
  test: { question: { data: DataText; characters: boolean }; answer: PairsResult };
}
export type QuestionKind = keyof Questions;
export type Question = { [K in QuestionKind]: { what: K } & Questions[K]['question'] }[QuestionKind];
export type Answer<K extends QuestionKind> = Questions[K]['answer'];

export interface SavedCheckpoint {
  bytes: Uint8Array;
  step: number;
}

/** The answer to a source, decoded symbol by symbol. If the task feeds outputs back, they become inputs. */
export interface DecodedAnswer {
  source: string;
  /** `expected` is set if the source determines the correct answer. */
  symbols: { output: string; probability: number; expected?: string }[];
  /** False if the answer was cut off before its end symbol. */
  ended: boolean;
  /** Number of symbols after which an answer is cut off. */
  limit: number;
  /** Undefined if the correct answer is unknown. */
  right?: boolean;
}

/** The answers to the pairs of a file. */
export interface PairsResult {
  pairs: number;
  /** Number of pairs answered fully correctly. */
  right: number;
  /** Some of the pairs as text, wrong answers first. */
  rows: { source: string; target: string; predicted: string; right: boolean }[];
  /** Number of pairs that were not tested because there were too many. */
  omitted: number;
}

export interface Opened {
  kind: 'opened';
  config: Config;
  /** Name of the engine. */
  engine: string;
  adapter: AdapterDescription;
  /** Details of the adapter, if there is one. */
  details?: AdapterDetails;
  /** The reason why no GPU is used, if the engine `auto` was requested. */
  noGpu?: string;
  /** Number of training steps done. */
  step: number;
  /** The plan of the model's kernels. */
  plan: string;
  parameters: number;
  /** Bytes that the model uses on the device. */
  bytes: number;
  /** Unit of the loss. */
  lossUnit: string;
  /** The source that the picture shows, and an example source, as text. */
  source: string;
  example: string;
  /** Set if the data has changed since the run was trained on it: a line that describes the data and the change. */
  newData?: string;
}

/**
 * State of a run. `done`: all steps done; `solved`: stopAt reached stopPasses times in a row; `stalled`: no more
 * progress; `stopped`: by the user.
 */
export type RunState = 'running' | 'paused' | 'done' | 'solved' | 'stalled' | 'stopped';

/** Whether training is over. The run still answers questions, and can be extended. */
export const isOver = (state: RunState): boolean => state !== 'running' && state !== 'paused';

export type FromWorker =
  | Opened
  | { kind: 'state'; state: RunState; step: number }
  | { kind: 'progress'; progress: Progress }
  | { kind: 'evaluation'; evaluation: Evaluation; step: number }
  | { kind: 'restart'; restart: Restart }
  | { kind: 'recovered'; recovered: Recovered }
  | { kind: 'probe'; probe: ModelProbe }
  /** A checkpoint to store. Sent at intervals, and when training ends or pauses. */
  | { kind: 'checkpoint'; checkpoint: SavedCheckpoint }
  | { kind: 'answer'; id: number; answer: Answer<QuestionKind> }
  /** A question could not be answered, with the reason. */
  | { kind: 'refused'; id: number; message: string }
  /** The run has failed: what happened, and what to do. */
  | { kind: 'failed'; message: string; advice: string };

/** The size of a configuration's model, computed before anything is opened. */
export interface Sizes {
  parameters: number;
  /** Approximate maximum on the device, in bytes. */
  bytes: number;
}

/** An error in the settings, and the key of the field at fault, or '' if no single field is. */
export interface Problem {
  key: string;
  message: string;
}

export type CheckResult = { sizes: Sizes; problem?: undefined } | { sizes?: undefined; problem: Problem };

export type ToCheck =
  | { kind: 'config'; id: number; config: Config; data?: DataText }
  /** Requests settings that fit the data. */
  | { kind: 'data'; data: DataText; characters: boolean };
export type FromCheck =
  | { kind: 'checked'; id: number; checked: CheckResult }
  | { kind: 'defaults'; config: Config }
  | { kind: 'refused'; message: string };

export interface ToVerify {
  checkpoint: Uint8Array;
  engine: EngineName;
  data?: DataText;
}
export type FromVerify = { verification: Verification } | { problem: string };

/**
 * `environment`: lines about the browser, for the report. `seconds`: time limit for the checks of each device, and
 * again for its timings.
 */
export interface ToExamine {
  environment: string[];
  seconds: number;
}
export type FromExamine = { progress: string } | { report: string; healthy: boolean };
