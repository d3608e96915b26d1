import { messageOf } from '../base/errors.ts';
import { byId, write, writeOrHide } from './dom.ts';
import { mendLocale } from './locale.ts';
import { foldPanels } from './panels/fold.ts';
import { RELOAD, startFailed } from './unloaded.ts';

/**
 * Starts the page. Until then, index.html shows that the page has not started, and its buttons cannot be pressed. When
 * every script has loaded and run, the message is hidden and the buttons are enabled. If a script fails, the message is
 * replaced with the reason.
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
