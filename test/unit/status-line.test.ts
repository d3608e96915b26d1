import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StatusLine } from '../../src/cli/show/status-line.ts';

/** The status line of a training run. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function lineTo(terminal: boolean) {
  const written: string[] = [];
  return { line: new StatusLine({ write: text => written.push(text) }, terminal), written };
}

test('without a terminal, the state and the last evaluation are printed every ten seconds', () => {
  const { line, written } = lineTo(false);
  for (let step = 1; step <= 1000; step++) {
    line.status(`step ${step}`);
    line.remark(`evaluated at ${step}`);
  }
  vi.advanceTimersByTime(9_000);
  line.status('step 1001');
  expect(written).toEqual([]);
  vi.advanceTimersByTime(1);
  line.status('step 1002');
  line.status('step 1003');
  expect(written).toEqual(['step 1002\nevaluated at 1000\n']);
  // Any other line restarts the interval.
  vi.advanceTimersByTime(6_000);
  line.print('restarted');
  vi.advanceTimersByTime(6_000);
  line.status('step 1004');
  expect(written.slice(1)).toEqual(['restarted\n']);
});

test('without a terminal, the last state of a short run is printed, and nothing is printed twice', () => {
  const { line, written } = lineTo(false);
  line.status('step 1');
  line.remark('evaluated at 1');
  line.status('step 2');
  line.remark('evaluated at 2');
  line.end();
  line.end();
  expect(written).toEqual(['step 2\nevaluated at 2\n']);
  // A state from before a result is not printed at the end.
  line.status('step 3');
  line.print('result');
  line.end();
  expect(written.slice(1)).toEqual(['result\n']);
});

test('without a terminal, a run whose reports are minutes apart prints a line every ten seconds', () => {
  const { line, written } = lineTo(false);
  let step = 0;
  const end = line.follow(() => `step ${++step}`);
  vi.advanceTimersByTime(35_000);
  expect(written).toEqual(['step 10\n', 'step 20\n', 'step 30\n']);
  end();
  vi.advanceTimersByTime(60_000);
  expect(written).toHaveLength(3);
});

test('on a terminal the line is overwritten, at most ten times a second', () => {
  const { line, written } = lineTo(true);
  vi.advanceTimersByTime(1000);
  line.status('step 1');
  line.status('step 2');
  expect(written).toEqual(['\rstep 1\x1b[K']);
  vi.advanceTimersByTime(100);
  line.status('step 3');
  line.print('evaluated');
  line.status('step 4');
  line.end();
  expect(written.slice(1)).toEqual(['\rstep 3\x1b[K', '\r\x1b[Kevaluated\n', '\rstep 4\x1b[K', '\n']);
});
