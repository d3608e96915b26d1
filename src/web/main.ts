import { messageOf } from '../base/errors.ts';
import { byId, write, writeOrHide } from './dom.ts';
import { mendLocale } from './locale.ts';
import { foldPanels } from './panels/fold.ts';
import { RELOAD, startFailed } from './unloaded.ts';

/**
 * Starts the page. index.html says that the page has not started and lets nobody press its buttons; both end here, once
 * every script has loaded and run. Where one has not, the reason takes the place of those words.
 */
mendLocale();
foldPanels();
const words = byId('unloaded', HTMLElement);

import('./page.ts').then(
  ({ begin }) => {
    words.hidden = true;
    document.querySelector('main')!.inert = false;
    begin().catch(error => writeOrHide(byId('error', HTMLElement), messageOf(error)));
  },
  (error: unknown) => {
    words.classList.remove('late');
    write(words, `${startFailed(error)} ${RELOAD}`);
  },
);
