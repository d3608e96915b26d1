import { DeviceLost, InputError } from '../base/errors.ts';

/**
 * A pool of threads that share work: the calling thread and its workers. Every thread has a copy of each object (a
 * model or a memory layer); all copies use one shared WebAssembly memory. A job has items 0 … count − 1. A
 * thread takes the next item when it is free.
 */

/** A worker, provided by the platform. */
export interface Thread {
  post(message: unknown): void;
  /** Whether the worker keeps the process alive: true while the pool waits for it, false while it is idle. */
  hold(on: boolean): void;
  end(): void;
}

/** Callbacks for the events of a worker. */
export interface Listener {
  onMessage(message: FromThread): void;
  /** The worker ended or could not start. The pool ignores calls after end(). */
  onExit(reason: string): void;
}

/** Starts a worker that runs serve() (src/engine/cpu-thread.ts). A failure throws, or calls onExit() later. */
export type Spawn = (listener: Listener) => Thread;

/** A thread's copy of an object. */
export interface Work<Job, Result> {
  /**
   * Called before the first item of a job in this thread.
   * @param thread number of this thread; 0: the calling thread
   */
  begin(job: Job, thread: number): void;
  run(item: number): Result;
}

/** Messages to a worker. `next` is the shared counter of a job's next item. */
export type ToThread =
  | { kind: 'thread'; number: number }
  /** `spec`: everything a thread needs to build its copy of the object. */
  | { kind: 'object'; object: number; spec: unknown }
  | {
      kind: 'job';
      object: number;
      job: number;
      given: unknown;
      next: Int32Array;
      count: number;
    }
  | { kind: 'remove'; object: number };

/** Messages from a worker. */
export type FromThread =
  | { kind: 'ready' }
  | { kind: 'done'; job: number; results: [item: number, result: unknown][] }
  | { kind: 'failed'; reason: string };

interface Pending {
  left: number;
  results: unknown[];
  resolve(): void;
  reject(error: Error): void;
}

interface Member {
  thread: Thread;
  number: number;
  ready: boolean;
}

/** Runs items of a job until none are left. Returns the results of the items that this thread ran. */
export function takeItems<Job, Result>(
  work: Work<Job, Result>,
  given: Job,
  thread: number,
  next: Int32Array,
  count: number,
): [item: number, result: Result][] {
  const results: [number, Result][] = [];
  for (let item = Atomics.add(next, 0, 1); item < count; item = Atomics.add(next, 0, 1)) {
    if (results.length === 0) work.begin(given, thread);
    results.push([item, work.run(item)]);
  }
  return results;
}

/** The workers of an engine. Starts them when a job can use them, and continues without those that cannot start. */
export class Pool {
  readonly #spawn: Spawn | undefined;
  #members: Member[] = [];
  readonly #objects = new Map<number, unknown>();
  readonly #pending = new Map<number, Pending>();
  #count = 0;
  #max: number;
  #dead: Error | undefined;
  #waiting: (() => void)[] = [];
  /** Why there are fewer threads than requested; '' if all workers have started so far. */
  startError = '';

  /** @param max maximum number of threads, including the calling one */
  constructor(max: number, spawn: Spawn | undefined) {
    this.#spawn = spawn;
    this.#max = spawn ? max : 1;
  }

  /** Maximum number of threads, including the calling one. */
  get max(): number {
    return this.#max;
  }

  /** Starts workers until there are `count` threads. A worker takes part as soon as it runs. */
  startWorkers(count: number): void {
    while (this.#members.length + 1 < Math.min(count, this.#max)) {
      const number = this.#members.length + 1;
      const member: Member = { thread: undefined as unknown as Thread, number, ready: false };
      try {
        member.thread = this.#spawn!({
          onMessage: message => this.#received(member, message),
          onExit: reason => this.#onExit(member, reason),
        });
      } catch (error) {
        this.#dropUnready(error instanceof Error ? error.message : String(error));
        return;
      }
      this.#members.push(member);
      member.thread.hold(false);
      this.#post(member, { kind: 'thread', number });
      for (const [object, spec] of this.#objects) this.#post(member, { kind: 'object', object, spec });
    }
  }

  /** Waits until every started worker is ready or has failed. */
  async ready(): Promise<void> {
    for (const { thread } of this.#members) thread.hold(true);
    while (this.#members.some(({ ready }) => !ready))
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    for (const { thread } of this.#members) thread.hold(false);
  }

  /** Registers an object with every thread. Returns its number. @param spec what a thread needs to build its copy */
  add(spec: unknown): number {
    const object = this.#count++;
    this.#objects.set(object, spec);
    for (const member of this.#members) this.#post(member, { kind: 'object', object, spec });
    return object;
  }

  remove(object: number): void {
    if (!this.#objects.delete(object)) return;
    for (const member of this.#members) this.#post(member, { kind: 'remove', object });
  }

  /**
   * Runs a job of an object. Returns the results by item: directly if this thread ran all items, otherwise as a
   * promise.
   * @param work this thread's copy of the object @param given the job, passed to begin() of every thread
   * @param count number of items @param max maximum number of threads that take part
   * @throws DeviceLost if a running worker failed, InputError after end(). The promise rejects with the same errors.
   */
  run<Job, Result>(
    object: number,
    work: Work<Job, Result>,
    given: Job,
    count: number,
    max = this.#max,
  ): Result[] | Promise<Result[]> {
    if (this.#dead) throw this.#dead;
    const workers = Math.min(count, max) - 1;
    this.startWorkers(workers + 1);
    if (this.#members.length === 0 || workers < 1) {
      work.begin(given, 0);
      return Array.from({ length: count }, (_, item) => work.run(item));
    }
    // One counter per job, so that a worker that starts late finds no items left, even if a later job is running.
    const next = new Int32Array(new SharedArrayBuffer(4));
    const job = this.#count++;
    for (const member of this.#members.slice(0, workers))
      this.#post(member, { kind: 'job', object, job, given, next, count });
    const results = new Array<Result>(count);
    const ownResults = takeItems(work, given, 0, next, count);
    for (const [item, result] of ownResults) results[item] = result;
    if (ownResults.length === count) return results;
    return this.#others(job, results, count - ownResults.length);
  }

  /** Ends the workers. Jobs in progress reject with an InputError, and later calls of run() throw it. */
  end(): void {
    for (const { thread } of this.#members) thread.end();
    this.#members = [];
    this.#max = 1;
    this.#fail(new InputError('this engine was destroyed: make a new one.'));
  }

  async #others<Result>(job: number, results: Result[], left: number): Promise<Result[]> {
    const done = new Promise<void>((resolve, reject) => {
      this.#pending.set(job, { left, results, resolve, reject });
    });
    this.#hold();
    try {
      await done;
    } finally {
      this.#hold();
    }
    return results;
  }

  #hold(): void {
    for (const { thread } of this.#members) thread.hold(this.#pending.size > 0);
  }

  #post({ thread }: Member, message: ToThread): void {
    thread.post(message);
  }

  #received(member: Member, message: FromThread): void {
    if (message.kind === 'ready') {
      member.ready = true;
      this.#wake();
    } else if (message.kind === 'failed') {
      this.#onExit(member, message.reason);
    } else {
      const pending = this.#pending.get(message.job);
      if (!pending) return;
      for (const [item, result] of message.results) pending.results[item] = result;
      pending.left -= message.results.length;
      if (pending.left > 0) return;
      this.#pending.delete(message.job);
      pending.resolve();
    }
  }

  #onExit(member: Member, reason: string): void {
    if (!this.#members.includes(member)) return;
    if (!member.ready) {
      // It has not taken any item, so the other threads can continue.
      this.#dropUnready(reason);
      return;
    }
    const threads = this.#members.length + 1;
    for (const { thread } of this.#members) thread.end();
    this.#members = [];
    this.#fail(
      new DeviceLost(`thread ${member.number + 1} of ${threads} of the cpu engine ended: ${reason}`),
    );
  }

  /** Ends the workers that are not ready, and continues with the others. */
  #dropUnready(reason: string): void {
    this.startError = reason;
    for (const { thread, ready } of this.#members) if (!ready) thread.end();
    this.#members = this.#members.filter(({ ready }) => ready);
    this.#max = this.#members.length + 1;
    this.#wake();
  }

  #fail(error: Error): void {
    this.#dead ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
