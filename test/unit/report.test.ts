import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StatusLine } from '../../src/cli/show/status-line.ts';

/** The line that says how training goes. */

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

test('off a terminal, what is due is printed, and before ten seconds go by without a line', () => {
  const { line, written } = lineTo(false);
  line.status('step 1', false);
  line.status('step 2', true);
  expect(written).toEqual(['step 2\n']);
  vi.advanceTimersByTime(9_000);
  line.status('step 3', false);
  expect(written).toHaveLength(1);
  vi.advanceTimersByTime(1);
  line.status('step 4', false);
  line.status('step 5', false);
  expect(written).toEqual(['step 2\n', 'step 4\n']);
  // Any other line counts too.
  vi.advanceTimersByTime(6_000);
  line.print('evaluated');
  vi.advanceTimersByTime(6_000);
  line.status('step 6', false);
  expect(written).toEqual(['step 2\n', 'step 4\n', 'evaluated\n']);
});

test('off a terminal, a run whose reports are minutes apart prints a line every ten seconds', () => {
  const { line, written } = lineTo(false);
  let step = 0;
  const end = line.follow(() => `step ${++step}`);
  vi.advanceTimersByTime(35_000);
  expect(written).toEqual(['step 10\n', 'step 20\n', 'step 30\n']);
  end();
  vi.advanceTimersByTime(60_000);
  expect(written).toHaveLength(3);
});

test('on a terminal the line is written over, ten times a second at most', () => {
  const { line, written } = lineTo(true);
  vi.advanceTimersByTime(1000);
  line.status('step 1', false);
  line.status('step 2', true);
  expect(written).toEqual(['\rstep 1\x1b[K']);
  vi.advanceTimersByTime(100);
  line.status('step 3', false);
  line.print('evaluated');
  line.status('step 4', false);
  line.end();
  expect(written.slice(1)).toEqual(['\rstep 3\x1b[K', '\r\x1b[Kevaluated\n', '\rstep 4\x1b[K', '\n']);
});
