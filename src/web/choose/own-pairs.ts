import { messageOf } from '../../base/errors.ts';
import { byId, writeOrHide } from '../dom.ts';
import type { DataText } from '../protocol.ts';

const FILE = 'my-pairs.tsv';

/** Example data: these words and their reversals. Enough to try the form, too few to learn the rule. */
const WORDS =
  'ant ape bat bear bee boar cat cod cow crab crow deer dog dove duck eel elk emu fish fly fox frog gnat goat goose hare hawk hen ibex jay kite kiwi lark lion lynx mole moth mouse mule newt owl ox panda pig pony puma quail ram rat raven seal shark sheep skunk slug snail snake swan tiger toad trout wasp wolf worm wren yak zebra';

/** Pairs typed by the user on the page: source, a tab or several spaces, target. */
export class OwnPairs {
  constructor(train: (data: DataText) => Promise<void>) {
    const field = byId('own-pairs', HTMLTextAreaElement);
    const problem = byId('own-problem', HTMLElement);
    field.value = WORDS.split(' ')
      .map(word => `${word}\t${[...word].reverse().join('')}`)
      .join('\n');
    byId('own', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault();
      writeOrHide(problem, undefined);
      // Tabs are hard to type in a browser.
      const text = field.value.replace(/ {2,}/g, '\t');
      train({ file: FILE, text }).catch(error => writeOrHide(problem, messageOf(error)));
    });
  }
}
