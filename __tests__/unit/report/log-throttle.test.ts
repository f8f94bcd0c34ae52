import { info } from '@actions/core';
import { describe, expect, test } from '@jest/globals';
import { progressLine } from '../../../src/report/log.ts';
import { LogThrottle } from '../../../src/report/progress.ts';
import { stdoutOf } from '../hostile/capture.ts';
import { failed, succeeded } from './factory.ts';

/** A log throttle with a clock that the test controls, and the lines that it writes. */
function throttleOf(total: number) {
  let now = 1_000_000;
  const throttle = new LogThrottle({ total, now: () => now });
  const linesOf = (work: () => void): string[] => stdoutOf(work).split('\n').slice(0, -1);
  const wait = (kind = 'retries after ECONNRESET'): void => throttle.write(kind, () => info('a wait'));
  const end = (masked = succeeded()): void =>
    throttle.end(masked.outcome, (ended, of) => progressLine(masked, ended, of));
  return { throttle, linesOf, wait, end, pass: (ms: number) => (now += ms) };
}

const repeat = (times: number, work: (at: number) => void): void => {
  for (let at = 0; at < times; at += 1) work(at);
};

describe('a log of running invocations', () => {
  test('has every line up to 2,000, at any rate', () => {
    const { throttle, linesOf, wait, end } = throttleOf(1_000);
    const lines = linesOf(() => {
      repeat(1_000, () => {
        wait();
        end();
      });
      throttle.flush();
    });
    expect(lines).toHaveLength(2_000);
    expect(lines.at(-2)).toBe('a wait');
    expect(lines.at(-1)).toMatch(/^\[1000\/1000\] my-function succeeded /);
  });

  test('then has one line per second, with the counts of omitted lines', () => {
    const { linesOf, wait, end, pass } = throttleOf(50_000);
    linesOf(() => repeat(2_000, () => wait()));
    expect(linesOf(() => wait())).toEqual([
      'This log has 2,000 lines. From here on it has one line per second, with counts.',
    ]);
    const silent = linesOf(() => {
      repeat(10_000, () => wait());
      repeat(5, () => end());
      repeat(2, () => end(failed({})));
    });
    expect(silent).toEqual([]);
    pass(999);
    expect(linesOf(() => wait('retries after TooManyRequestsException'))).toEqual([]);
    pass(1);
    expect(linesOf(() => end())).toEqual([
      '[8/50000] Since the last line: 10001 retries after ECONNRESET, 6 succeeded, 2 function error, 1 retries after TooManyRequestsException.',
    ]);
    // The count restarts.
    expect(linesOf(() => wait())).toEqual([]);
    pass(5_000);
    expect(linesOf(() => wait())).toEqual(['[8/50000] Since the last line: 2 retries after ECONNRESET.']);
  });

  test('ends with the last counts', () => {
    const { throttle, linesOf, wait } = throttleOf(50_000);
    linesOf(() => repeat(2_003, () => wait()));
    expect(linesOf(() => throttle.flush())).toEqual([
      '[0/50000] Since the last line: 3 retries after ECONNRESET.',
    ]);
    expect(linesOf(() => throttle.flush())).toEqual([]);
  });

  test('counts at most ten kinds, and the others together', () => {
    const { throttle, linesOf, wait } = throttleOf(50_000);
    linesOf(() => repeat(2_000, () => wait()));
    linesOf(() => repeat(5_000, (at) => wait(`retries after Error${at}`)));
    const [line = ''] = linesOf(() => throttle.flush());
    expect(line).toMatch(/, 1 retries after Error9, 4990 other\.$/);
    expect(line.length).toBeLessThan(400);
  });

  test('has no line for the end of a single invocation, which has its own log', () => {
    const { linesOf, end } = throttleOf(1);
    expect(linesOf(() => end())).toEqual([]);
  });
});
