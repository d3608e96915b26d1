import type { Steps } from '../memory/look.ts';

/** The picture of the memory as it was after a training step. */
export interface Frame {
  step: number;
  shown: Steps;
}

/** Frames kept; where there are more, every other of the older half goes. */
export const MOST_FRAMES = 200;

/** Adds the picture of now. After a resumption or a restart with another source, what no longer leads to it goes. */
export function addFrame(frames: readonly Frame[], { step, shown }: Frame): Frame[] {
  const same = ({ shown: other }: Frame): boolean => other.input.join('\t') === shown.input.join('\t');
  const before = frames.filter(frame => frame.step < step && same(frame));
  const kept =
    before.length < MOST_FRAMES
      ? before
      : before.filter((_, i) => i === 0 || i >= MOST_FRAMES / 2 || i % 2 === 1);
  return [...kept, { step, shown }];
}
