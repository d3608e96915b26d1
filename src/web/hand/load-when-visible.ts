import { messageOf } from '../../base/errors.ts';
import { byId, writeOrHide } from '../dom.ts';
import { isLoadFailure, RELOAD_ADVICE } from '../load-failure.ts';

/** Distance from the viewport at which the panel is loaded, so that it is ready when it scrolls into view. */
const MARGIN = '200px';

/** Loads the memory operated by hand when the user scrolls near it, which keeps the first load of the page small. */
export function loadHandWhenVisible(): void {
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
          writeOrHide(
            problem,
            isLoadFailure(error) ? `This part did not load. ${RELOAD_ADVICE}` : messageOf(error),
          ),
      );
    },
    { rootMargin: MARGIN },
  );
  watch.observe(section);
}
