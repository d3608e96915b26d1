/** PyTorch in a child process; torch_peer.py describes the protocol. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { DeviceError } from '../../src/base/errors.ts';
import { parameters } from '../../src/base/parameters.ts';
import { checkStack, dense } from './dense.ts';
import type { Peer, PeerRun } from './peer.ts';

/** Relative to the root of the repository, which bench/run.mjs makes the working folder. */
const SCRIPT = resolve('bench/peers/torch_peer.py');

type Shaped = [name: string, shape: readonly number[], values: Float32Array];

interface Answer {
  error?: string;
  ms?: number;
  tensors?: { name: string; shape: number[] }[];
  version?: string;
  device?: string;
}

/**
 * Opens PyTorch on a GPU of CUDA, or else on the CPU.
 * @param graph passes are CUDA graphs
 * @param gpu whether it may use a GPU
 * @throws DeviceError if no Python on this machine can import torch, or `graph` is given and it finds no GPU
 */
export async function openTorch(graph = false, gpu = true): Promise<Peer> {
  const child = new Child(findPython(), [...(graph ? ['--graph'] : []), ...(gpu ? [] : ['--cpu'])]);
  const { version = '', device = '' } = await child.answer();
  let count = 0;
  const start = async (request: object, tensors: Shaped[]): Promise<PeerRun> => {
    const id = ++count;
    await child.ask({ ...request, id }, tensors);
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
    name: graph ? 'PyTorch, CUDA graph' : 'PyTorch',
    version,
    device,
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
  const preferred = process.env['PUSHDOWN_PYTHON'];
  const tried: string[] = [];
  for (const python of [preferred, 'python3', '/usr/bin/python3'].filter(path => path !== undefined)) {
    const { error, status } = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
    if (status === 0) return python;
    tried.push(`${python} ${error ? 'not found' : 'has no torch'}`);
  }
  throw new DeviceError(
    `no Python with PyTorch: ${tried.join(', ')}. Run pip install torch (Debian, Ubuntu: python3-torch), or set PUSHDOWN_PYTHON to a Python that has it.`,
  );
}

/** The child process: one request at a time, each with one answer. */
class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #stdout: AsyncIterator<Buffer>;
  #stderr = '';
  /** Bytes that have been received, but not read yet. */
  #rest: Buffer[] = [];

  constructor(python: string, args: string[]) {
    this.#process = spawn(python, [SCRIPT, ...args]);
    this.#stdout = this.#process.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#process.stderr.on('data', (text: Buffer) => {
      this.#stderr = (this.#stderr + text.toString()).slice(-2000);
    });
    // Writing fails if the process has ended; answer() reports that.
    this.#process.stdin.on('error', () => {});
  }

  async ask(request: object, tensors: Shaped[] = []): Promise<Answer> {
    const { stdin } = this.#process;
    stdin.write(
      `${JSON.stringify({ ...request, tensors: tensors.map(([name, shape]) => ({ name, shape })) })}\n`,
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

  async tensors(announced: { name: string; shape: number[] }[]): Promise<Map<string, Float32Array>> {
    const tensors = new Map<string, Float32Array>();
    for (const { name, shape } of announced) {
      const bytes = 4 * shape.reduce((n, d) => n * d, 1);
      const taken = await this.#take(all => (all.length >= bytes ? bytes : 0));
      // A copy, because the offset of a Buffer may not be a multiple of 4.
      tensors.set(name, new Float32Array(new Uint8Array(taken).buffer));
    }
    return tensors;
  }

  end(): void {
    this.#process.stdin.end();
    this.#process.kill();
  }

  /** Reads bytes. @param length returns how many bytes to take from those received, or 0 to wait for more */
  async #take(length: (all: Buffer) => number): Promise<Buffer> {
    for (;;) {
      const all = Buffer.concat(this.#rest);
      const bytes = length(all);
      this.#rest = [all.subarray(bytes)];
      if (bytes > 0) return all.subarray(0, bytes);
      const { done, value } = await this.#stdout.next();
      if (done)
        throw new DeviceError(`PyTorch's process has ended: ${this.#stderr.trim() || 'without a message'}`);
      this.#rest.push(value);
    }
  }
}
