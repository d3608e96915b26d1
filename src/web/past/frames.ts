import { isSameInput } from '../memory/layout.ts';
import type { SequenceSteps } from '../memory/probe.ts';

/** The picture of the memory after a training step. */
export interface Frame {
  step: number;
  shown: SequenceSteps;
}

/** Maximum number of frames. Beyond it, every other frame of the older half is dropped. */
export const MAX_FRAMES = 200;

/** Limits of the frames stored with a run: strengths and reads in all frames (about 2 MB), and number of frames. */
const MAX_STORED_NUMBERS = 250_000;
const MAX_STORED_FRAMES = 60;

const numbersIn = ({ shown: { memories } }: Frame): number =>
  memories.reduce(
    (sum, { ends, strengths }) =>
      sum + [...strengths, ...ends.flatMap(({ read }) => read)].reduce((all, { length }) => all + length, 0),
    0,
  );

/**
 * Selects the frames to store, evenly spaced over training. Their number is small, because they are written every few
 * seconds, and smaller for long sequences.
 */
export function framesToStore(frames: readonly Frame[]): Frame[] {
  const last = frames.at(-1);
  if (!last) return [];
  const max = Math.min(MAX_STORED_FRAMES, Math.floor(MAX_STORED_NUMBERS / Math.max(1, numbersIn(last))));
  if (frames.length <= max) return [...frames];
  if (max < 2) return [];
  return Array.from({ length: max }, (_, k) => frames[Math.round((k * (frames.length - 1)) / (max - 1))]);
}

/** Adds the latest picture. Drops frames of the same or later steps (after a lost device) and of another source. */
export function addFrame(frames: readonly Frame[], { step, shown }: Frame): Frame[] {
  // All frames show the same source.
  const last = frames.at(-1);
  const earlier = last && isSameInput(last.shown, shown) ? frames.filter(frame => frame.step < step) : [];
  const kept =
    earlier.length < MAX_FRAMES
      ? earlier
      : earlier.filter((_, i) => i === 0 || i >= MAX_FRAMES / 2 || i % 2 === 1);
  return [...kept, { step, shown }];
}
