import { messageOf } from '../base/errors.ts';
import { byId, write, writeOrHide } from './dom.ts';
import { RELOAD_ADVICE, startFailureMessage } from './load-failure.ts';
import { fixLocale } from './locale.ts';
import { foldPanels } from './panels/fold.ts';

/**
 * Starts the page. Until then, index.html says that the page has not started, and its buttons are disabled. When all
 * scripts have loaded and run, the notice is hidden and the buttons are enabled. If a script fails, the notice shows
 * the reason.
 */
fixLocale();
foldPanels();
const notice = byId('unloaded', HTMLElement);

import('./page.ts').then(
  ({ start }) => {
    notice.hidden = true;
    document.querySelector('main')!.inert = false;
    start().catch(error => writeOrHide(byId('error', HTMLElement), messageOf(error)));
  },
  (error: unknown) => {
    notice.classList.remove('late');
    write(notice, `${startFailureMessage(error)} ${RELOAD_ADVICE}`);
  },
);
