import { isSameInput } from '../memory/layout.ts';
import type { Steps } from '../memory/probe.ts';

/** The picture of the memory as it was after a training step. */
export interface Frame {
  step: number;
  shown: Steps;
}

/** Frames kept; where there are more, every other of the older half goes. */
export const MOST_FRAMES = 200;

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
