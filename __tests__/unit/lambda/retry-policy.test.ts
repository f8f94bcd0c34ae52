import { describe, expect, test } from '@jest/globals';
import type { InvokeFailure } from '../../../src/lambda/invocation.ts';
import {
  extendStreak,
  type InvokePolicy,
  next,
  type RetryDecision,
  type RetryState,
  retryLimit,
} from '../../../src/lambda/retry-policy.ts';

const NOW = Date.UTC(2026, 0, 1);

/** The second failure in a row, 10 s after the first, with 950 s left of timeout_seconds. */
const STATE: RetryState = {
  invocation: { invocationType: 'RequestResponse', logType: 'None' },
  attempts: 2,
  streak: { since: NOW - 10_000 },
  now: NOW,
  deadlineAt: NOW + 950_000,
  random: 0.5,
  durability: 'unchecked',
  readiness: 'not wanted',
};
const SAFE: InvokePolicy = { timeoutMs: 960_000, retry: 'safe', retryMs: 180_000 };
const IDEMPOTENT: InvokePolicy = { ...SAFE, retry: 'idempotent' };
const NEVER: InvokePolicy = { ...SAFE, retry: 'never' };

const failed = (fields: Partial<InvokeFailure>): InvokeFailure => ({
  kind: 'failure',
  name: 'TooManyRequestsException',
  message: 'Rate Exceeded.',
  evidence: 'did_not_run',
  mayClear: true,
  throughProxy: false,
  ...fields,
});
const THROTTLED = failed({});
const REFUSED = failed({ name: 'ResourceNotFoundException', mayClear: false });
const RESET = failed({ name: 'ECONNRESET', evidence: 'may_have_run' });
const RAN = failed({ name: 'EFSIOException', evidence: 'ran', mayClear: false });
const PENDING = failed({ name: 'ResourceConflictException' });
const NO_TAIL = failed({
  name: 'InvalidParameterValueException',
  message: 'Tail logs are not supported for this function.',
  mayClear: false,
});

const NAMED = { ...STATE.invocation, durableExecutionName: 'order-7' };
const DRY_RUN = { ...STATE.invocation, invocationType: 'DryRun' } as const;
const WITH_TAIL = { ...STATE.invocation, logType: 'Tail' } as const;

/** The second wait is up to 400 ms, and 170 s of retry_seconds are left. */
const RETRY: RetryDecision = { kind: 'retry', waitMs: 200, leftMs: 170_000 };
const GIVE_UP: RetryDecision = { kind: 'give up' };
const gaveUp = (why: string): RetryDecision => ({ kind: 'give up', why });

type Row = Readonly<{
  what: string;
  state?: Partial<RetryState>;
  failure: InvokeFailure;
  policy?: InvokePolicy;
  decision: RetryDecision;
}>;

const tables: Readonly<Record<string, readonly Row[]>> = {
  'by what the failure proves': [
    { what: 'did not run, safe', failure: THROTTLED, decision: RETRY },
    { what: 'did not run, idempotent', failure: THROTTLED, policy: IDEMPOTENT, decision: RETRY },
    { what: 'did not run, never', failure: THROTTLED, policy: NEVER, decision: GIVE_UP },
    { what: 'did not run and does not clear', failure: REFUSED, policy: IDEMPOTENT, decision: GIVE_UP },
    { what: 'may have run, safe', failure: RESET, decision: GIVE_UP },
    { what: 'may have run, idempotent', failure: RESET, policy: IDEMPOTENT, decision: RETRY },
    { what: 'may have run, never', failure: RESET, policy: NEVER, decision: GIVE_UP },
    {
      what: 'may have run and does not clear',
      failure: { ...RESET, mayClear: false },
      policy: IDEMPOTENT,
      decision: GIVE_UP,
    },
    { what: 'ran', failure: RAN, policy: IDEMPOTENT, decision: GIVE_UP },
    {
      what: 'ran, although the failure may clear',
      failure: { ...RAN, mayClear: true },
      policy: IDEMPOTENT,
      decision: GIVE_UP,
    },
  ],
  'by what was invoked': [
    { what: 'a dry run', state: { invocation: DRY_RUN }, failure: RESET, decision: RETRY },
    {
      what: 'a dry run, never',
      state: { invocation: DRY_RUN },
      failure: RESET,
      policy: NEVER,
      decision: GIVE_UP,
    },
    {
      what: 'a named durable execution',
      state: { invocation: NAMED },
      failure: RESET,
      decision: { kind: 'check durability' },
    },
    {
      what: 'a named durable execution that did not run',
      state: { invocation: NAMED },
      failure: THROTTLED,
      decision: RETRY,
    },
    {
      what: 'a named durable execution, idempotent',
      state: { invocation: NAMED },
      failure: RESET,
      policy: IDEMPOTENT,
      decision: RETRY,
    },
    {
      what: 'a named durable execution, never',
      state: { invocation: NAMED },
      failure: RESET,
      policy: NEVER,
      decision: GIVE_UP,
    },
    {
      what: 'a function that is durable',
      state: { invocation: NAMED, durability: 'durable' },
      failure: RESET,
      decision: RETRY,
    },
    {
      what: 'a function that is not durable',
      state: { invocation: NAMED, durability: 'not durable' },
      failure: RESET,
      decision: gaveUp('not retried: the configuration does not show that the function is durable'),
    },
    {
      what: 'a function of which it can not be read',
      state: { invocation: NAMED, durability: { unreadable: 'AccessDeniedException' } },
      failure: RESET,
      decision: gaveUp(
        'not retried: the configuration, which says whether the function is durable, could not be read (AccessDeniedException)',
      ),
    },
  ],
  'by the log tail': [
    {
      what: 'refused',
      state: { invocation: WITH_TAIL },
      failure: NO_TAIL,
      decision: { kind: 'retry without log tail' },
    },
    {
      what: 'refused, never',
      state: { invocation: WITH_TAIL },
      failure: NO_TAIL,
      policy: NEVER,
      decision: GIVE_UP,
    },
    { what: 'refused although none was requested', failure: NO_TAIL, decision: GIVE_UP },
    {
      what: 'in a message of another error',
      state: { invocation: WITH_TAIL },
      failure: { ...NO_TAIL, name: 'ValidationException' },
      decision: GIVE_UP,
    },
    {
      what: 'not in the message',
      state: { invocation: WITH_TAIL },
      failure: { ...NO_TAIL, message: 'The payload is invalid.' },
      decision: GIVE_UP,
    },
  ],
  'by readiness': [
    { what: 'that is not waited for', failure: PENDING, decision: RETRY },
    {
      what: 'that is waited for',
      state: { readiness: 'unchecked' },
      failure: PENDING,
      decision: { kind: 'wait until ready' },
    },
    { what: 'that was waited for', state: { readiness: 'ready' }, failure: PENDING, decision: RETRY },
    {
      what: 'that explains nothing',
      state: { readiness: 'unchecked' },
      failure: THROTTLED,
      decision: RETRY,
    },
    {
      what: 'of a function that failed for good',
      state: { readiness: 'unchecked' },
      failure: { ...PENDING, mayClear: false },
      decision: GIVE_UP,
    },
    {
      what: 'after which a Retry-After no longer counts',
      state: { readiness: 'ready' },
      failure: { ...PENDING, retryAfterSeconds: 60 },
      decision: RETRY,
    },
  ],
  'by time': [
    {
      what: 'a first failure waits 200 ms at most',
      state: { attempts: 1, random: 0.999 },
      failure: THROTTLED,
      decision: { ...RETRY, waitMs: 200 },
    },
    {
      what: 'a tenth failure waits 15 s at most',
      state: { attempts: 10, random: 0.999 },
      failure: THROTTLED,
      decision: { ...RETRY, waitMs: 14_985 },
    },
    {
      what: 'chance may leave no wait',
      state: { random: 0 },
      failure: THROTTLED,
      decision: { ...RETRY, waitMs: 0 },
    },
    {
      what: 'a Retry-After is the least',
      failure: { ...THROTTLED, retryAfterSeconds: 60 },
      decision: { ...RETRY, waitMs: 60_000 },
    },
    {
      what: 'a Retry-After beyond the limit',
      failure: { ...THROTTLED, retryAfterSeconds: 1_000 },
      decision: gaveUp('gave up: Lambda asks to wait 1,000 s, which is longer than the time left'),
    },
    {
      what: 'little time is left of retry_seconds, so the last retry is at its end',
      state: { streak: { since: NOW - 179_900 } },
      failure: THROTTLED,
      decision: { kind: 'retry', waitMs: 100, leftMs: 100 },
    },
    {
      what: 'no time is left of retry_seconds',
      state: { streak: { since: NOW - 180_000 } },
      failure: THROTTLED,
      decision: gaveUp('gave up: retry_seconds is exhausted'),
    },
    {
      what: 'less time is left of retry_seconds than a Retry-After',
      state: { streak: { since: NOW - 179_500 } },
      failure: { ...THROTTLED, retryAfterSeconds: 1 },
      decision: gaveUp('gave up: Lambda asks to wait 1 s, which is longer than the time left'),
    },
    {
      what: 'the last attempt lasted longer than retry_seconds',
      state: { streak: { since: NOW - 200_000 } },
      failure: THROTTLED,
      decision: gaveUp('gave up: retry_seconds is exhausted'),
    },
    {
      what: 'no time is left of timeout_seconds',
      state: { deadlineAt: NOW + 100 },
      failure: THROTTLED,
      decision: gaveUp('gave up: timeout_seconds is exhausted'),
    },
    {
      what: 'just enough time is left',
      state: { deadlineAt: NOW + 200 },
      failure: THROTTLED,
      decision: { ...RETRY, leftMs: 200 },
    },
    {
      what: 'nothing could be reached for 14.9 s, so the last retry is after 15 s',
      state: { streak: { since: NOW - 20_000, unreachableSince: NOW - 14_900 } },
      failure: THROTTLED,
      decision: { kind: 'retry', waitMs: 100, leftMs: 100 },
    },
    {
      what: 'nothing could be reached for 15 s',
      state: { streak: { since: NOW - 20_000, unreachableSince: NOW - 15_000 } },
      failure: THROTTLED,
      decision: gaveUp('gave up: waiting longer does not clear this error'),
    },
  ],
};

describe.each(Object.entries(tables))('after a failure, %s', (_, rows) => {
  test.each(rows)('$what: $decision.kind', ({ state, failure, policy = SAFE, decision }) => {
    expect(next({ ...STATE, ...state }, failure, policy)).toEqual(decision);
  });
});

describe('consecutive failures', () => {
  const UNREACHABLE = failed({ name: 'ECONNREFUSED', clearsSoonOrNever: true });

  test('start with the first one', () => {
    const first = extendStreak(undefined, THROTTLED, NOW);
    expect(extendStreak(first, THROTTLED, NOW + 5)).toEqual({ since: NOW });
  });

  test('have 15 s while nothing can be reached', () => {
    const first = extendStreak(extendStreak(undefined, THROTTLED, NOW), UNREACHABLE, NOW + 60_000);
    const second = extendStreak(first, UNREACHABLE, NOW + 65_000);
    expect(retryLimit(second, SAFE)).toMatchObject({ at: NOW + 75_000 });
  });

  test('have the full retry_seconds again after something was reached', () => {
    const first = extendStreak(undefined, UNREACHABLE, NOW);
    expect(retryLimit(extendStreak(first, THROTTLED, NOW + 5), SAFE)).toMatchObject({ at: NOW + 180_000 });
  });
});
