import { InputError, messageOf } from '../../base/errors.ts';
import { parseData } from '../../tasks/data-file.ts';
import { defaultsFor } from '../../train/setup.ts';
import type { DataText, FromCheck, ToCheck } from '../protocol.ts';
import { check } from './check.ts';
import type { Scope } from './scope.ts';

/** Checks settings and data in a worker: filling a grammar's tables or parsing a file may take a long time. */

export function start(scope: Scope<ToCheck, FromCheck>): void {
  scope.onmessage = ({ data: request }) => {
    if (request.kind === 'config') {
      scope.postMessage({ kind: 'checked', id: request.id, checked: check(request.config, request.data) });
    } else scope.postMessage(settingsFor(request.data, request.characters));
  };
}

function settingsFor({ file, text }: DataText, characters: boolean): FromCheck {
  try {
    const data = parseData(text, file, { characters });
    const config = defaultsFor(data);
    config.task.characters = characters;
    return { kind: 'defaults', config };
  } catch (error) {
    if (error instanceof InputError) return { kind: 'refused', message: messageOf(error) };
    throw error;
  }
}
