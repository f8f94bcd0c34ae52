import { describe, expect, test } from '@jest/globals';
import {
  historyLine,
  pollLine,
  RepeatedLines,
  startHeartbeat,
  stateLine,
  waitLine,
} from '../../../src/report/progress.ts';
import { stdoutOf } from '../hostile/capture.ts';

test.each([
  [
    { error: 'TooManyRequestsException', reason: 'CallerRateLimitExceeded', ran: 'never' as const },
    'not run (throttled, CallerRateLimitExceeded)',
  ],
  [{ error: 'ThrottlingException', ran: 'never' as const }, 'not run (throttled)'],
  [{ error: 'HTTP 429', ran: 'never' as const }, 'not run (throttled)'],
  [{ error: 'ECONNREFUSED', ran: 'never' as const }, 'not run (ECONNREFUSED)'],
  [{ error: 'ECONNRESET', ran: 'perhaps' as const }, 'may have run (ECONNRESET)'],
])('the line before a retry has the reason, the delay and the remaining time: %j', (failed, why) => {
  expect(waitLine({ label: 'f:7', ...failed, waitMs: 1250, leftMs: 178_000 })).toEqual({
    what: `f:7: ${why}`,
    next: '. Retrying in 1.3 s (178.0 s left).',
  });
});

test('the line for a failed read names what could not be read, and why', () => {
  const told = pollLine({ label: 'f:7', about: 'configuration', error: 'ENOTFOUND', waitMs: 500 });
  expect(told).toEqual({
    what: 'f:7: could not read the configuration (ENOTFOUND)',
    next: '. Retrying in 0.5 s.',
  });
});

describe('equal lines', () => {
  /** The lines written if lines arrive at these times, in seconds, and at the end. */
  function written(...came: readonly (readonly [at: number, what: string])[]): string[] {
    const lines: string[] = [];
    let now = 0;
    const repeated = new RepeatedLines(
      () => now,
      (line) => lines.push(line),
    );
    for (const [at, what] of came) {
      now = at * 1000;
      repeated.add({ what, next: `. Next at ${at}.` });
    }
    repeated.end();
    return lines;
  }

  test('are one line immediately, then one with their count every 10 s', () => {
    const times = [0, 0.1, 0.5, 9.9, 10, 11, 21] as const;
    expect(written(...times.map((at) => [at, 'a'] as const))).toEqual([
      'a. Next at 0.',
      'a, 4 more times. Next at 10.',
      'a, 2 more times. Next at 21.',
    ]);
  });

  test('are all counted, up to the end', () => {
    expect(written([0, 'a'], [1, 'a'], [2, 'a'])).toEqual(['a. Next at 0.', 'a, 2 more times.']);
    expect(written([0, 'a'], [1, 'a'])).toEqual(['a. Next at 0.', 'a, once more.']);
    expect(written([0, 'a'])).toEqual(['a. Next at 0.']);
  });

  test('are one line each if they are rare', () => {
    expect(written([0, 'a'], [10, 'a'], [20, 'a'])).toEqual([
      'a. Next at 0.',
      'a. Next at 10.',
      'a. Next at 20.',
    ]);
  });

  test('do not hide a different line', () => {
    expect(written([0, 'a'], [1, 'b'], [2, 'a'])).toEqual([
      'a. Next at 0.',
      'b. Next at 1.',
      'a, once more.',
    ]);
  });

  test('of 50,000 invocations are few', () => {
    const came = Array.from({ length: 50_000 }, (_, n) => [n / 1000, 'a'] as const);
    expect(written(...came)).toHaveLength(1 + 4 + 1);
  });
});

test("the line for a state is in Lambda's words", () => {
  expect(stateLine({ label: 'f:7', state: 'Pending (Creating)' })).toBe('f:7 is Pending (Creating)');
});

test.each([
  [{ kind: 'Step', state: 'Started', name: 'charge' }, 'step charge started'],
  [{ kind: 'Step', state: 'Failed', name: 'charge', seconds: 4 }, 'step charge failed; retrying in 4 s'],
  [{ kind: 'Step', state: 'Failed', name: 'charge' }, 'step charge failed'],
  [{ kind: 'Wait', state: 'Started', seconds: 5 }, 'wait started (5 s)'],
  [{ kind: 'Wait', state: 'Succeeded', name: 'pause' }, 'wait pause succeeded'],
  [{ kind: 'Callback', state: 'TimedOut', name: 'approval' }, 'callback approval timed out'],
  [{ kind: 'ChainedInvoke', state: 'Stopped', name: 'ship' }, 'invocation ship was stopped'],
  [{ kind: 'Context', state: 'Succeeded', name: 'a\n::error::b' }, 'context a ::error::b succeeded'],
] as const)('the line for %j', (happening, line) => {
  expect(historyLine({ label: 'f:7', ...happening })).toBe(`f:7: ${line}`);
});

describe('a log that is quiet', () => {
  test('has a line every minute with the time so far, until the invocations have ended', () => {
    const timers: { ms: number; callback: () => void }[] = [];
    let cancelled = 0;
    const after = (ms: number, callback: () => void) => {
      timers.push({ ms, callback });
      return () => {
        cancelled += 1;
      };
    };
    const left = ['3 of 5 invocations', '1 of 5 invocations'];
    let end = (): void => {};
    const pass = (): void => timers.at(-1)?.callback();
    const lines = stdoutOf(() => {
      end = startHeartbeat(after, () => left.shift() ?? '');
      pass();
      pass();
    });
    expect(lines).toBe(
      'Still waiting for 3 of 5 invocations (1 min so far)\nStill waiting for 1 of 5 invocations (2 min so far)\n',
    );
    expect(timers.map(({ ms }) => ms)).toEqual([60_000, 60_000, 60_000]);
    end();
    expect(cancelled).toBe(1);
  });
});
