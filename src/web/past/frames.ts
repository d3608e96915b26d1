import { isSameInput } from '../memory/layout.ts';
import type { Steps } from '../memory/probe.ts';

/** The picture of the memory as it was after a training step. */
export interface Frame {
  step: number;
  shown: Steps;
}

/** Maximum number of frames. Beyond it, every other frame of the older half is dropped. */
export const MOST_FRAMES = 200;

/** Maximum amount of numbers in the frames stored with a run: about 2 MB. */
const MOST_STORED = 250_000;
const MOST_STORED_FRAMES = 60;

const numbersIn = ({ shown: { memories } }: Frame): number =>
  memories.reduce(
    (sum, { ends, strengths }) =>
      sum + [...strengths, ...ends.flatMap(({ read }) => read)].reduce((all, { length }) => all + length, 0),
    0,
  );

/**
 * Selects the frames to store, evenly over training: few enough to write every few seconds, and fewer for long
 * sequences.
 */
export function framesToStore(frames: readonly Frame[]): Frame[] {
  const last = frames.at(-1);
  if (!last) return [];
  const most = Math.min(MOST_STORED_FRAMES, Math.floor(MOST_STORED / Math.max(1, numbersIn(last))));
  if (frames.length <= most) return [...frames];
  if (most < 2) return [];
  return Array.from({ length: most }, (_, k) => frames[Math.round((k * (frames.length - 1)) / (most - 1))]);
}

/** Adds the latest picture. Frames of later steps (after resuming or restarting) and of another source are dropped. */
export function addFrame(frames: readonly Frame[], { step, shown }: Frame): Frame[] {
  // All frames show the same source.
  const last = frames.at(-1);
  const before = last && isSameInput(last.shown, shown) ? frames.filter(frame => frame.step < step) : [];
  const kept =
    before.length < MOST_FRAMES
      ? before
      : before.filter((_, i) => i === 0 || i >= MOST_FRAMES / 2 || i % 2 === 1);
  return [...kept, { step, shown }];
}
