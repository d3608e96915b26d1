/**
 * The cases of the regression gate: short ones, each with the
 * float64 reference on a small instance of the same problem.
 */
import { createCpuEngine } from '../../src/engine/cpu.ts';
import type { Engine } from '../../src/engine/engine.ts';
import {
  type MemoryProblem,
  memoryInputs,
  prefixSumInputs,
  type TrainingName,
  trainingProblem,
} from '../problems.ts';
import type { Workload } from '../work.ts';
import type { Bench } from './case.ts';
import { openMemoryLayer, openMemoryWork } from './memory.ts';
import { openPrefixSum } from './prefix-sum.ts';
import { openTraining } from './training.ts';

/** Work that is done in float64 on the CPU, one pass at a time. */
export interface Reference {
  pass(): Promise<void>;
  destroy(): void;
}

export interface CheckCase {
  name: string;
  ours(bench: Bench): Promise<Workload>;
  /** @param cpu the reference engine */
  reference(cpu: Engine): Promise<Reference>;
}

export const checkCases = (): CheckCase[] => [
  memoryCheck({ kind: 'stack', B: 128, T: 256, M: 32, strengths: 'near 1' }),
  memoryCheck({ kind: 'queue', B: 32, T: 256, M: 32, strengths: 'uniform' }),
  prefixSumCheck(1024, 512),
  trainingCheck('tutorial', 128),
  trainingCheck('page', 32),
  // The paper's model, with sources so short that a step takes less than a second on a software adapter.
  trainingCheck('paper-130', 2, ['minLength=8', 'maxLength=8'], ['minLength=2', 'maxLength=2']),
  // The CPU engine, on the same processor.
  cpuMemoryCheck({ kind: 'stack', B: 128, T: 128, M: 32, strengths: 'near 1' }),
  onCpu(trainingCheck('tutorial', 128)),
  onCpu(trainingCheck('page', 32)),
  onCpu(trainingCheck('paper-130', 10, [], ['minLength=2', 'maxLength=2'])),
];

/** The same case on the CPU engine. */
const onCpu = (check: CheckCase): CheckCase => ({
  ...check,
  name: `cpu, ${check.name}`,
  ours: async bench => check.ours({ ...bench, engine: await createCpuEngine() }),
});

function cpuMemoryCheck(problem: MemoryProblem): CheckCase {
  const { name, reference } = memoryCheck(problem);
  return {
    name: `cpu, ${name}`,
    reference,
    ours: async () => openMemoryLayer(await createCpuEngine(), problem),
  };
}

function memoryCheck(problem: MemoryProblem): CheckCase {
  const { kind, B, T, M, strengths } = problem;
  return {
    name: `memory: ${kind} B=${B} T=${T} M=${M}, ${strengths}`,
    ours: ({ gpu }) => openMemoryWork(gpu, problem),
    async reference(cpu) {
      const small = { ...problem, B: 1, T: 64 };
      const { push, pop, value, dRead } = memoryInputs(small);
      const memory = await cpu.memory(small);
      return {
        async pass() {
          await memory.forward(push, pop, value);
          await memory.backward(dRead);
        },
        destroy: () => memory.destroy(),
      };
    },
  };
}

function prefixSumCheck(R: number, L: number): CheckCase {
  return {
    name: `prefix sum: ${R} x ${L}, forward`,
    ours: ({ gpu }) => openPrefixSum(gpu, R, L, 'forward'),
    // The reference engine has no prefix sum, so the reference is a plain loop.
    async reference() {
      const rows = 64;
      const { x } = prefixSumInputs(rows, L);
      const y = new Float64Array(rows * L);
      return {
        async pass() {
          for (let r = 0; r < rows; r++) {
            for (let i = 0, sum = 0; i < L; i++) {
              sum += x[r * L + i];
              y[r * L + i] = sum;
            }
          }
        },
        destroy: () => undefined,
      };
    },
  };
}

/** @param sets settings of the measured model @param referenceSets settings of the smaller problem for the reference */
function trainingCheck(
  name: TrainingName,
  B: number,
  sets: string[] = [],
  referenceSets: string[] = [],
): CheckCase {
  const settings = sets.length ? `, ${sets.at(-1)}` : '';
  return {
    name: `training: ${name} B=${B}${settings}`,
    ours: ({ engine }) => openTraining(engine, trainingProblem(name, B, sets)),
    async reference(cpu) {
      const work = await openTraining(cpu, trainingProblem(name, 1, referenceSets));
      return {
        async pass() {
          work.enqueue(1);
          await work.settle();
        },
        destroy: () => work.destroy(),
      };
    },
  };
}
