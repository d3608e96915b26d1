/**
 * Checks that the peers compute the same as pushdown's float64 engine, and
 * prints the time of one pass. For reliable times use `npm run bench`.
 */
import { parseArgs } from 'node:util';
import { InputError, messageOf, unknown } from '../../src/base/errors.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { figure, table } from '../measure.ts';
import {
  type MemoryProblem,
  memoryInputs,
  prefixSumInputs,
  STRENGTHS,
  TRAINING,
  type TrainingName,
  type TrainingProblem,
  trainingProblem,
} from '../problems.ts';
import { agree, TOLERANCE } from './agree.ts';
import { openPeers, PEERS, type PeerName } from './index.ts';
import { nodeSource } from './node.ts';
import type { Peer, PeerRun } from './peer.ts';

const HELP = `node bench/run.mjs bench/peers/try.ts [options]
  --only <${PEERS.join('|')}>   may be repeated (default all)
  --case <text>            only cases whose names start with this; may be repeated
  --full                   the sizes of the benchmarks, timed after one pass and not compared
  --longest <T>            with --full: maximum T of a memory (default 128)`;

/** A computation, and the expected outputs (not with --full, because float64 would take hours). */
interface Case {
  name: string;
  run(peer: Peer): Promise<PeerRun>;
  expected?: () => Promise<ReadonlyMap<string, ArrayLike<number>>>;
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true, default: [...PEERS] },
      case: { type: 'string', multiple: true, default: [''] },
      full: { type: 'boolean', default: false },
      longest: { type: 'string', default: '128' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  for (const name of values.only) if (!PEERS.includes(name as PeerName)) unknown('peer', name, PEERS);
  const engine = createReferenceEngine();
  const cases = (values.full ? fullCases(Number(values.longest)) : smallCases(engine)).filter(({ name }) =>
    values.case.some(start => name.startsWith(start)),
  );
  const source = await nodeSource();
  const { peers, missing } = await openPeers(values.only as PeerName[], source);
  for (const { name, reason } of missing) console.log(`${name}: ${reason}`);
  let allCorrect = true;
  for (const peer of peers) {
    console.log(`\n${peer.name} ${peer.version} on ${peer.device}`);
    const rows = [['case', 'ms', 'difference', 'of']];
    for (const testCase of cases) {
      const row = await tryCase(peer, testCase);
      allCorrect &&= row.correct;
      rows.push([testCase.name, ...row.cells]);
      console.error([testCase.name, ...row.cells].join(' · '));
    }
    console.log(table(rows));
    await peer.destroy();
  }
  source.release();
  engine.destroy();
  // CUDA graphs need a GPU, and are optional.
  return allCorrect && missing.every(({ name }) => name === 'torch-graph') ? 0 : 1;
}

async function tryCase(peer: Peer, { run, expected }: Case): Promise<{ correct: boolean; cells: string[] }> {
  try {
    const peerRun = await run(peer);
    let ms = await peerRun.pass();
    let correct = true;
    const cells = ['', ''];
    if (expected) {
      const { worst, difference } = agree(await expected(), await peerRun.outputs());
      correct = difference <= TOLERANCE;
      cells.splice(0, 2, `${difference.toExponential(1)}${correct ? '' : ' WRONG'}`, worst);
    }
    ms = await peerRun.pass();
    await peerRun.end();
    return { correct, cells: [figure(ms), ...cells] };
  } catch (error) {
    if (process.env['TRY_STACK']) console.error(error);
    return { correct: false, cells: ['failed', messageOf(error).slice(0, 200), ''] };
  }
}

/** Cases small enough for the float64 engine, which computes one sequence after the other. */
function smallCases(engine: Engine): Case[] {
  const memories = STRENGTHS.map(strengths =>
    memoryCase({ kind: 'stack', B: 3, T: 40, M: 5, strengths }, engine),
  );
  const trainings = TRAINING.map(name => {
    const long = name.startsWith('paper') ? ['minLength=17', 'maxLength=17'] : [];
    // The paper's models get sequences longer than jax-js unrolls. The rate is so large that the old
    // values of the parameters are negligible after the step, so that the gradients are compared.
    return trainingCase(trainingProblem(name, 4, [...long, 'rate=1000']), engine);
  });
  // Rows of more than 256 numbers, because jax-js sums 256 at a time.
  return [...memories, ...prefixSumCases(5, 300, true), ...prefixSumCases(3, 700, true), ...trainings];
}

function fullCases(longest: number): Case[] {
  const lengths = [128, 256, 512, 1024].filter(T => T <= longest);
  const sized = (name: TrainingName): Case => trainingCase(trainingProblem(name));
  return [
    ...TRAINING.map(sized),
    ...[64, 512, 4096].flatMap(L => prefixSumCases(1024, L)),
    memoryCase({ kind: 'stack', B: 10, T: 256, M: 32, strengths: 'near 1' }),
    ...lengths.map(T => memoryCase({ kind: 'stack', B: 128, T, M: 32, strengths: 'near 1' })),
  ];
}

function memoryCase(problem: MemoryProblem, engine?: Engine): Case {
  const { B, T, M, strengths } = problem;
  const inputs = memoryInputs(problem);
  return {
    name: `memory B=${B} T=${T} M=${M} ${strengths}`,
    run: peer => peer.memory(problem, inputs),
    expected:
      engine &&
      (async () => {
        const layer = await engine.memory(problem);
        const read = await layer.forward(inputs.push, inputs.pop, inputs.value);
        const gradients = await layer.backward(inputs.dRead);
        layer.destroy();
        return new Map(Object.entries({ read, ...gradients }));
      }),
  };
}

function prefixSumCases(R: number, L: number, compared = false): Case[] {
  const { x, dy } = prefixSumInputs(R, L);
  const sums = (rows: Float32Array, forward: boolean): Float64Array => {
    const results = new Float64Array(R * L);
    for (let row = 0; row < R; row++) {
      let sum = 0;
      for (let k = 0; k < L; k++) {
        const at = row * L + (forward ? k : L - 1 - k);
        sum += rows[at];
        results[at] = sum;
      }
    }
    return results;
  };
  const caseOf = (pass: 'forward' | 'gradient', rows: Float32Array, output: string): Case => ({
    name: `prefix sum ${R}x${L} ${pass}`,
    run: peer => peer.prefixSum(R, L, pass, rows),
    expected: compared ? async () => new Map([[output, sums(rows, pass === 'forward')]]) : undefined,
  });
  return [caseOf('forward', x, 'y'), caseOf('gradient', dy, 'dx')];
}

function trainingCase(problem: TrainingProblem, engine?: Engine): Case {
  const { spec, config, batch } = problem;
  return {
    name: `training ${problem.name} B=${batch.B} T=${batch.T}`,
    run: peer => peer.training(problem),
    expected: engine && (() => trained(engine, problem)),
  };

  async function trained(engine: Engine, { parameters }: TrainingProblem) {
    const state = { step: 0, parameters, firstMoment: new Map(), secondMoment: new Map() };
    const model = await engine.model(spec, config.train, state);
    model.step(batch);
    const [report] = await model.reports();
    if (!report?.finite) throw new InputError(`problem ${problem.name}: its step is not finite.`);
    const after = await model.state();
    model.destroy();
    return new Map<string, ArrayLike<number>>([['objective', [report.objective]], ...after.parameters]);
  }
}
