import type { Config } from '../base/config.ts';
import type { AdapterDescription } from '../engine/engine.ts';
import type { AdapterDetails } from '../platform/adapter.ts';
import type { EngineName } from '../platform/names.ts';
import type { Evaluation } from '../train/evaluate.ts';
import type { Recovered } from '../train/recovery.ts';
import type { Progress, Restart } from '../train/trainer.ts';
import type { Verification } from '../train/verify.ts';
import type { ModelProbe } from './memory/probe.ts';

/** What the page and its workers say to each other. */

/** What a worker is for: its name. A training worker is one run. */
export type Role = 'training' | 'checking' | 'verifying';

/** Your own data as it came: the name of its file, and what it holds. */
export interface DataText {
  file: string;
  text: string;
}

/** How fast the run is to go, and how often the page is to be drawn anew. */
export interface Pace {
  /** Training steps a second at most; 0: as fast as it goes. */
  steps: number;
  /** Looks at the memory a second at most. */
  looks: number;
}

/** A run to open: a configuration from step 0, or a checkpoint, which carries its own. */
export interface Opening {
  config?: Config;
  checkpoint?: Uint8Array;
  data?: DataText;
  engine: EngineName;
  pace: Pace;
  /** The source that the picture shows at first, as people write it; where it cannot be read, another. */
  source?: string;
  /** The run was stopped: its model can be asked only. */
  stopped?: boolean;
  /** The checkpoint is of a run that is over, and what ended it is to end it no more. */
  extend?: boolean;
}

export type ToWorker =
  /** The first message. */
  | { kind: 'open'; opening: Opening }
  | { kind: 'run' }
  | { kind: 'pause' }
  /** One training step. */
  | { kind: 'step' }
  /** Ends training; the model can still be asked. */
  | { kind: 'stop' }
  | { kind: 'pace'; pace: Pace }
  | { kind: 'ask'; id: number; question: Question };

/** What can be asked of the model between two training steps, and what comes back. */
export interface Questions {
  /** The picture shows this source from now on. Back comes how the task writes it. */
  show: { question: { source: string }; answer: string };
  /** The same with a random source, of some length near this one. */
  sample: { question: { length: number }; answer: string };
  /** The file of a checkpoint of this moment. */
  checkpoint: { question: object; answer: Kept };
  /** What the model answers to a source. */
  predict: { question: { source: string }; answer: Tried };
  /** Source lengths worth evaluating, up to ten times the longest trained on. */
  lengths: { question: object; answer: { lengths: number[]; shortest: number; longest: number } };
  evaluate: { question: { length: number; sequences: number }; answer: Evaluation };
  /** The model against pairs of a file of yours. */
  test: { question: { data: DataText; characters: boolean }; answer: Tested };
}
export type Asked = keyof Questions;
export type Question = { [K in Asked]: { what: K } & Questions[K]['question'] }[Asked];
export type Answer<K extends Asked> = Questions[K]['answer'];

export interface Kept {
  bytes: Uint8Array;
  step: number;
}

/** A source answered symbol by symbol, each output fed back where the task does so. */
export interface Tried {
  source: string;
  /** `expected`: where the source alone tells the right answer. */
  symbols: { output: string; probability: number; expected?: string }[];
  /** False: cut off before the end symbol came. */
  ended: boolean;
  /** Symbols after which an answer is cut off. */
  limit: number;
  /** Undefined where the right answer is not known. */
  right?: boolean;
}

/** Pairs of a file, answered. */
export interface Tested {
  pairs: number;
  /** How many were wholly right, and the first few of all in words. */
  right: number;
  rows: { source: string; target: string; predicted: string; right: boolean }[];
  /** Pairs of the file that were left out, because there were too many. */
  left: number;
}

export interface Opened {
  kind: 'opened';
  config: Config;
  /** Its name. */
  engine: string;
  adapter: AdapterDescription;
  /** Of the adapter, for people who want to know; nothing where there is none. */
  details?: AdapterDetails;
  /** A GPU was hoped for, and this is why there is none. */
  missing?: string;
  /** Training steps done. */
  step: number;
  /** How the kernels of the model are laid out. */
  plan: string;
  parameters: number;
  /** Of the device, in use. */
  bytes: number;
  /** What the loss is measured in. */
  lossUnit: string;
  /** The source that the picture shows, and an example of one, as people write them. */
  source: string;
  example: string;
  /** How your own data has changed since the run was trained on it, in the words of the terminal. */
  newData?: string;
}

/** Where a run stands. `done`: all steps made; `solved`: stopAt reached, stopPasses times in a row; `stalled`: no progress any more. */
export type RunState = 'running' | 'paused' | 'done' | 'solved' | 'stalled' | 'stopped';

/** Whether there is nothing more to train. */
export const isOver = (state: RunState): boolean => state !== 'running' && state !== 'paused';

export type FromWorker =
  | Opened
  | { kind: 'state'; state: RunState; step: number }
  | { kind: 'progress'; progress: Progress }
  | { kind: 'evaluation'; evaluation: Evaluation; step: number }
  | { kind: 'restart'; restart: Restart }
  | { kind: 'recovered'; recovered: Recovered }
  | { kind: 'probe'; probe: ModelProbe }
  /** A checkpoint to be kept: now and then, and whenever training ends or pauses. */
  | { kind: 'kept'; kept: Kept }
  | { kind: 'answer'; id: number; answer: Answer<Asked> }
  /** A question that cannot be answered, in words. */
  | { kind: 'refused'; id: number; message: string }
  /** The run is over: what happened, and what to do. */
  | { kind: 'failed'; message: string; advice: string };

/** The size of a configuration's model, known before anything is opened. */
export interface Sizes {
  parameters: number;
  /** On the device, at most, about. */
  bytes: number;
}

/** What is wrong, and at which field; '' where no field is to blame alone. */
export interface Problem {
  key: string;
  message: string;
}

export type Checked = { sizes: Sizes; problem?: undefined } | { sizes?: undefined; problem: Problem };

export type ToCheck =
  | { kind: 'config'; id: number; config: Config; data?: DataText }
  /** Asks for settings that fit the data. */
  | { kind: 'data'; data: DataText; characters: boolean };
export type FromCheck =
  | { kind: 'checked'; id: number; checked: Checked }
  | { kind: 'defaults'; config: Config }
  | { kind: 'refused'; message: string };

export interface ToVerify {
  checkpoint: Uint8Array;
  engine: EngineName;
  data?: DataText;
}
export type FromVerify = { verification: Verification } | { problem: string };
