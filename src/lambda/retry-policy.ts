import { grouped } from '../shared/text.ts';
import type { Invocation, InvokeFailure } from './invocation.ts';

/** What may be retried: only what did not run, also what may have run, or nothing. */
export type RetryPolicy = 'safe' | 'idempotent' | 'never';

/** The bounds of one invocation, in milliseconds. */
export type InvokePolicy = Readonly<{ timeoutMs: number; retry: RetryPolicy; retryMs: number }>;

/** Failures in a row: since when, and since when nothing could be reached, in milliseconds since 1970. */
export type FailureStreak = Readonly<{ since: number; unreachableSince?: number }>;

/** The time of the last possible retry, in milliseconds since 1970, and what limits it. */
export type RetryLimit = Readonly<{ at: number; why: string }>;

// Where waiting for capacity does not help: a name server or a listener that restarts is back by then.
const CLEARS_WITHIN_MS = 15_000;

/** Why something is not retried any longer. */
export const GAVE_UP = {
  retry: 'gave up: retry_seconds is exhausted',
  timeout: 'gave up: timeout_seconds is exhausted',
  halted: 'gave up: another invocation failed',
  unreachable: 'gave up: waiting longer does not clear this error',
} as const;

/** The failures in a row with one more. */
export function extendStreak(
  streak: FailureStreak | undefined,
  { clearsSoonOrNever }: InvokeFailure,
  now: number,
): FailureStreak {
  return {
    since: streak?.since ?? now,
    ...(clearsSoonOrNever === true && { unreachableSince: streak?.unreachableSince ?? now }),
  };
}

/** The first of the limits on failures in a row. */
export function retryLimit(
  { since, unreachableSince = Number.POSITIVE_INFINITY }: FailureStreak,
  { retryMs, deadlineAt = Number.POSITIVE_INFINITY }: Readonly<{ retryMs: number; deadlineAt?: number }>,
): RetryLimit {
  const limits: readonly RetryLimit[] = [
    { at: since + retryMs, why: GAVE_UP.retry },
    { at: deadlineAt, why: GAVE_UP.timeout },
    { at: unreachableSince + CLEARS_WITHIN_MS, why: GAVE_UP.unreachable },
  ];
  return limits.reduce((first, other) => (other.at < first.at ? other : first));
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 15_000;

/** Full jitter: anything from nothing to the exponential step, but never less than Lambda asked for. */
function waitBefore(attempts: number, random: number, retryAfterSeconds: number): number {
  const step = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1));
  return Math.max(Math.round(random * step), retryAfterSeconds * 1000);
}

/** What is known of a function whose durability decides: one name of a durable execution is one execution. */
export type Durability = 'unchecked' | 'durable' | 'not durable' | Readonly<{ unreadable: string }>;

/** What decides on the next attempt beside the failure and the policy. */
export type RetryState = Readonly<{
  /** As it was sent last. */
  invocation: Pick<Invocation, 'invocationType' | 'logType' | 'durableExecutionName'>;
  /** Attempts that have failed, the last one included. */
  attempts: number;
  streak: FailureStreak;
  now: number;
  deadlineAt: number;
  /** From 0 to 1, 1 excluded. */
  random: number;
  durability: Durability;
  /** Whether the function's state was waited for since the failure. */
  readiness: 'not wanted' | 'unchecked' | 'ready';
}>;

/** What to do after a failure. */
export type RetryDecision = Readonly<
  | { kind: 'give up'; why?: string }
  | { kind: 'retry'; waitMs: number; leftMs: number }
  | { kind: 'retry without log tail' }
  | { kind: 'retry without request ID' }
  | { kind: 'check durability' }
  | { kind: 'wait until ready' }
>;

/** Failures that a function's state explains: they clear when it is ready. */
const NOT_READY: readonly string[] = [
  'CodeArtifactUserPendingException',
  'ENINotReadyException',
  'ResourceConflictException',
  'ResourceNotReadyException',
  'SnapStartNotReadyException',
];

const refusesTail = (failure: InvokeFailure, { invocation }: RetryState): boolean =>
  invocation.logType === 'Tail' &&
  failure.name === 'InvalidParameterValueException' &&
  failure.message.includes('Tail logs are not supported');

// The model of Invoke: "Invalid request ID".
const ABOUT_REQUEST_ID = /\brequest[ -]?id\b|\bx-amzn-requestid\b/i;

const refusesRequestId = ({ name, statusCode, sentAs, message }: InvokeFailure): boolean =>
  sentAs !== undefined &&
  statusCode === 400 &&
  name === 'InvalidRequestContentException' &&
  ABOUT_REQUEST_ID.test(message);

const GIVE_UP: RetryDecision = { kind: 'give up' };

/** Decides for an invocation that may have run and names its durable execution. */
function nextByDurability(durability: Durability): RetryDecision | undefined {
  if (durability === 'durable') return undefined;
  if (durability === 'unchecked') return { kind: 'check durability' };
  return {
    kind: 'give up',
    why:
      durability === 'not durable'
        ? 'not retried: the configuration does not show that the function is durable'
        : `not retried: the configuration, which says whether the function is durable, could not be read (${durability.unreadable})`,
  };
}

/** What the evidence says against a retry; undefined if it allows one. */
function nextByEvidence(
  { invocation, durability }: RetryState,
  { evidence }: InvokeFailure,
  retry: RetryPolicy,
): RetryDecision | undefined {
  switch (evidence) {
    case 'did_not_run':
      return undefined;
    case 'may_have_run':
      if (retry === 'idempotent' || invocation.invocationType === 'DryRun') return undefined;
      return invocation.durableExecutionName === undefined ? GIVE_UP : nextByDurability(durability);
    case 'ran':
      return GIVE_UP;
    default:
      return evidence satisfies never;
  }
}

/** A retry after a wait, where the limits leave time for it. */
function retryInTime(
  { attempts, streak, now, deadlineAt, random, readiness }: RetryState,
  { retryAfterSeconds = 0 }: InvokeFailure,
  { retryMs }: InvokePolicy,
): RetryDecision {
  // A delay that Lambda requested before the function was ready no longer counts.
  const askedSeconds = readiness === 'ready' ? 0 : retryAfterSeconds;
  const waitMs = waitBefore(attempts, random, askedSeconds);
  const { at, why } = retryLimit(streak, { retryMs, deadlineAt });
  const leftMs = at - now;
  if (waitMs <= leftMs) return { kind: 'retry', waitMs, leftMs };
  const asksTooMuch = askedSeconds * 1000 > leftMs;
  return {
    kind: 'give up',
    why: asksTooMuch
      ? `gave up: Lambda asks to wait ${grouped(askedSeconds)} s, which is longer than the time left`
      : why,
  };
}

/** What to do after a failed attempt: the one place where a retry is decided. */
export function next(state: RetryState, failure: InvokeFailure, policy: InvokePolicy): RetryDecision {
  // It was refused for what this action adds, which no input can leave out: whatever the policy, it is sent without.
  if (refusesRequestId(failure)) return { kind: 'retry without request ID' };
  if (policy.retry === 'never') return GIVE_UP;
  if (refusesTail(failure, state)) return { kind: 'retry without log tail' };
  if (!failure.mayClear) return GIVE_UP;
  const byEvidence = nextByEvidence(state, failure, policy.retry);
  if (byEvidence !== undefined) return byEvidence;
  if (state.readiness === 'unchecked' && NOT_READY.includes(failure.name))
    return { kind: 'wait until ready' };
  return retryInTime(state, failure, policy);
}
