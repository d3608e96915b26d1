/** PyTorch in a child process: torch_peer.py says what goes over the pipes. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { DeviceError } from '../../src/base/errors.ts';
import { parameters } from '../../src/base/parameters.ts';
import { checkStack, dense } from './dense.ts';
import type { Peer, PeerRun } from './peer.ts';

/** From the root of the repository, where bench/run.mjs starts everything. */
const SCRIPT = resolve('bench/peers/torch_peer.py');

type Shaped = [name: string, shape: readonly number[], values: Float32Array];

interface Answer {
  error?: string;
  ms?: number;
  tensors?: { name: string; shape: number[] }[];
  version?: string;
  threads?: number;
  blas?: string;
}

/** @throws DeviceError where no Python here imports torch */
export async function openTorch(): Promise<Peer> {
  const child = new Child(findPython());
  const { version = '', threads = 0, blas = '' } = await child.answer();
  let count = 0;
  const start = async (asked: object, tensors: Shaped[]): Promise<PeerRun> => {
    const id = ++count;
    await child.ask({ ...asked, id }, tensors);
    return {
      pass: async () => (await child.ask({ do: 'pass', id })).ms!,
      outputs: async () => {
        const { tensors = [] } = await child.ask({ do: 'outputs', id });
        return child.tensors(tensors);
      },
      end: async () => void (await child.ask({ do: 'end', id })),
    };
  };
  return {
    name: 'PyTorch',
    version,
    device: `CPU, ${blas}, ${threads} threads`,
    async memory(problem, { push, pop, value, dRead }) {
      checkStack(problem);
      const { B, T, M } = problem;
      const strengths = [B, T];
      const rows = [B, T, M];
      return start({ do: 'memory' }, [
        ['push', strengths, push],
        ['pop', strengths, pop],
        ['value', rows, value],
        ['dRead', rows, dRead],
      ]);
    },
    prefixSum: (R, L, pass, x) => start({ do: 'prefixSum', pass }, [['x', [R, L], x]]),
    async training(problem) {
      const { x, y, weight, ...sizes } = dense(problem);
      const steps = weight.length;
      return start({ do: 'training', sizes }, [
        ['x', [sizes.T * sizes.B, sizes.D], x],
        ['y', [steps, sizes.V], y],
        ['weight', [steps, 1], weight],
        ...parameters(problem.spec).map(
          ({ name, shape }): Shaped => [name, shape, Float32Array.from(problem.parameters.get(name)!)],
        ),
      ]);
    },
    async destroy() {
      child.end();
    },
  };
}

function findPython(): string {
  const named = process.env['PUSHDOWN_PYTHON'];
  const tried: string[] = [];
  for (const python of [named, 'python3', '/usr/bin/python3'].filter(path => path !== undefined)) {
    const { error, status } = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
    if (status === 0) return python;
    tried.push(`${python} ${error ? 'is not there' : 'has no torch'}`);
  }
  throw new DeviceError(
    `no Python with PyTorch: ${tried.join(', ')}. pip install torch (Debian, Ubuntu: python3-torch), or name a Python in PUSHDOWN_PYTHON.`,
  );
}

/** One question at a time, answered in order. */
class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #stdout: AsyncIterator<Buffer>;
  #told = '';
  /** What has come and was not asked for yet. */
  #rest: Buffer[] = [];

  constructor(python: string) {
    this.#process = spawn(python, [SCRIPT]);
    this.#stdout = this.#process.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#process.stderr.on('data', (text: Buffer) => {
      this.#told = (this.#told + text.toString()).slice(-2000);
    });
    // A pipe to a process that has ended: answer() says so.
    this.#process.stdin.on('error', () => {});
  }

  async ask(asked: object, tensors: Shaped[] = []): Promise<Answer> {
    const { stdin } = this.#process;
    stdin.write(
      `${JSON.stringify({ ...asked, tensors: tensors.map(([name, shape]) => ({ name, shape })) })}\n`,
    );
    for (const [, , values] of tensors) {
      stdin.write(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    }
    return this.answer();
  }

  async answer(): Promise<Answer> {
    const line = await this.#take(all => all.indexOf('\n') + 1);
    const answer = JSON.parse(line.toString()) as Answer;
    if (answer.error) throw new DeviceError(`PyTorch: ${answer.error}`);
    return answer;
  }

  async tensors(told: { name: string; shape: number[] }[]): Promise<Map<string, Float32Array>> {
    const made = new Map<string, Float32Array>();
    for (const { name, shape } of told) {
      const bytes = 4 * shape.reduce((n, d) => n * d, 1);
      const taken = await this.#take(all => (all.length >= bytes ? bytes : 0));
      // A copy, as a Buffer may begin anywhere.
      made.set(name, new Float32Array(new Uint8Array(taken).buffer));
    }
    return made;
  }

  end(): void {
    this.#process.stdin.end();
    this.#process.kill();
  }

  /** As many bytes as `length` says there are to take, 0 being: not all of them are here. */
  async #take(length: (all: Buffer) => number): Promise<Buffer> {
    for (;;) {
      const all = Buffer.concat(this.#rest);
      const bytes = length(all);
      this.#rest = [all.subarray(bytes)];
      if (bytes > 0) return all.subarray(0, bytes);
      const { done, value } = await this.#stdout.next();
      if (done)
        throw new DeviceError(`PyTorch's process has ended: ${this.#told.trim() || 'it said nothing'}`);
      this.#rest.push(value);
    }
  }
}
