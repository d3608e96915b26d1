import { messageOf } from '../../base/errors.ts';
import { byId, writeOrHide } from '../dom.ts';
import { isUnloaded, RELOAD } from '../unloaded.ts';

/** Distance from the viewport at which the memory by hand is loaded, so that it is ready when it scrolls into view. */
const MARGIN = '200px';

/** Loads the memory by hand when the user scrolls near it, which keeps the first load small. */
export function loadHandWhenSeen(): void {
  const section = byId('by-hand', HTMLElement);
  const problem = byId('hand-problem', HTMLElement);
  const watch = new IntersectionObserver(
    entries => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      watch.disconnect();
      import('./hand.ts').then(
        ({ HandMemory }) => {
          new HandMemory();
          section.inert = false;
        },
        error =>
          writeOrHide(problem, isUnloaded(error) ? `This part did not load. ${RELOAD}` : messageOf(error)),
      );
    },
    { rootMargin: MARGIN },
  );
  watch.observe(section);
}
