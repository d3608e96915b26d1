import { messageOf } from '../../base/errors.ts';
import type { App } from '../app.ts';
import { button, byId, make, writeOrHide } from '../dom.ts';
import { bringIntoView } from '../panels/fold.ts';
import type { TryIt } from '../panels/tryit.ts';
import type { DataText } from '../protocol.ts';
import { configFor } from '../settings/checker.ts';
import type { SettingsForm } from '../settings/form.ts';
import { continuesText } from '../status.ts';
import { onFiles, readFiles } from './files.ts';

/**
 * Trains on the user's pairs, with a configuration that fits them.
 * @param characters whether every character is a symbol
 * @throws InputError if the file cannot be read
 */
export function trainOn(app: App, data: DataText, characters: boolean): Promise<void> {
  const { engine } = app;
  const fitted = configFor(data, characters);
  return app.start(fitted.then(config => ({ config, data, engine, file: data.file })));
}

/**
 * Opens the files that users choose or drop. If a file cannot be used, the page shows the reason and the current run
 * continues.
 */
export function handleFiles(app: App, form: SettingsForm, tryIt: TryIt): void {
  const problem = byId('file-problem', HTMLElement);
  const dropped = byId('dropped', HTMLElement);
  const refuse = (error: unknown): void => {
    writeOrHide(problem, `${messageOf(error)}${continuesText(app.current)}`);
    bringIntoView(problem, { block: 'nearest' });
  };

  const open = async (files: File[]): Promise<void> => {
    writeOrHide(problem, undefined);
    dropped.hidden = true;
    const read = await readFiles(files);
    if (read.kind === 'checkpoint') {
      const { bytes, name, data } = read;
      await app.start({ checkpoint: bytes, data, engine: 'auto', paused: true, file: name });
    } else if (read.kind === 'config') {
      form.set(read.config);
      byId('all-settings', HTMLDetailsElement).open = true;
      bringIntoView(byId('settings-title', HTMLElement));
    } else {
      // If a link to a run on this file was opened earlier, the run can start now.
      const request = app.requestWaitingFor(read.data.file);
      if (request) await app.start({ ...request, data: read.data, file: read.data.file });
      else offer(read.data);
    }
  };

  /** Offers to train or test on a file of pairs. */
  const offer = (data: DataText): void => {
    const characters = make('input', { type: 'checkbox', id: 'dropped-characters' });
    const action = (label: string, work: () => Promise<void>) =>
      button(label, () => {
        work().then(() => {
          dropped.hidden = true;
        }, refuse);
      });
    dropped.replaceChildren(
      make('p', {}, `${data.file}: your own pairs. What do you want to do with them?`),
      make(
        'div',
        { class: 'buttons' },
        action('Train on them', () => trainOn(app, data, characters.checked)),
        action('Test the current model on them', () => tryIt.test(data, characters.checked)),
        make('label', { class: 'check' }, characters, ' every character is a symbol'),
      ),
    );
    dropped.hidden = false;
    bringIntoView(dropped, { block: 'nearest' });
  };

  onFiles(byId('files', HTMLInputElement), files => {
    open(files).catch(refuse);
  });
}
