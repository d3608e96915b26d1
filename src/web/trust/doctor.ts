import { byId, write, writeOrHide } from '../dom.ts';
import { workerFailureMessage } from '../load-failure.ts';
import { openWorker } from '../open-worker.ts';
import type { FromExamine, ToExamine } from '../protocol.ts';

/** Checks this device in a worker and shows the report. Loaded on demand, at the first click. */

const button = byId('doctor', HTMLButtonElement);
const status = byId('doctor-status', HTMLElement);
const report = byId('doctor-report', HTMLElement);
let worker: Worker | undefined;

/** Starts the check, or cancels the one in progress. */
export function toggleDoctor(): void {
  if (worker) {
    end('');
    return;
  }
  writeOrHide(report, undefined);
  write(button, 'Cancel');
  write(status, 'Starting …');
  worker = openWorker('examining');
  worker.onerror = ({ message }) => end(`The check failed: ${workerFailureMessage(message)}`);
  worker.onmessage = ({ data }: MessageEvent<FromExamine>) => {
    if ('progress' in data) {
      write(status, `${data.progress} …`);
      return;
    }
    end(
      data.healthy
        ? '✓ Everything that ran agrees with the float64 reference.'
        : '✗ Not everything agrees: please paste this report into an issue.',
    );
    writeOrHide(report, data.report);
  };
  const cores = `${navigator.hardwareConcurrency} logical processors`;
  const request: ToExamine = {
    environment: [`${new Date().toISOString().slice(0, 10)}, ${navigator.userAgent}`, cores],
    seconds: Number(button.dataset['seconds']),
  };
  worker.postMessage(request);
}

function end(message: string): void {
  worker?.terminate();
  worker = undefined;
  write(button, 'Check this device');
  write(status, message);
}
