import { isSameInput } from '../memory/layout.ts';
import type { Steps } from '../memory/probe.ts';

/** The picture of the memory as it was after a training step. */
export interface Frame {
  step: number;
  shown: Steps;
}

/** Frames kept; where there are more, every other of the older half goes. */
export const MOST_FRAMES = 200;

/** Numbers in the frames that are stored with a run: some 2 MB. */
const MOST_STORED = 250_000;
const MOST_STORED_FRAMES = 60;

const numbersIn = ({ shown: { memories } }: Frame): number =>
  memories.reduce(
    (sum, { ends, strengths }) =>
      sum + [...strengths, ...ends.flatMap(({ read }) => read)].reduce((all, { length }) => all + length, 0),
    0,
  );

/** Frames to store: evenly over training, as many as are cheap to write every few seconds; of long sequences fewer. */
export function framesToStore(frames: readonly Frame[]): Frame[] {
  const last = frames.at(-1);
  if (!last) return [];
  const most = Math.min(MOST_STORED_FRAMES, Math.floor(MOST_STORED / Math.max(1, numbersIn(last))));
  if (frames.length <= most) return [...frames];
  if (most < 2) return [];
  return Array.from({ length: most }, (_, k) => frames[Math.round((k * (frames.length - 1)) / (most - 1))]);
}

/** Adds the picture of now. After a resumption or a restart with another source, what no longer leads to it goes. */
export function addFrame(frames: readonly Frame[], { step, shown }: Frame): Frame[] {
  // All frames show one source.
  const last = frames.at(-1);
  const before = last && isSameInput(last.shown, shown) ? frames.filter(frame => frame.step < step) : [];
  const kept =
    before.length < MOST_FRAMES
      ? before
      : before.filter((_, i) => i === 0 || i >= MOST_FRAMES / 2 || i % 2 === 1);
  return [...kept, { step, shown }];
}
