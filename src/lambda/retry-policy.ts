import { grouped } from '../shared/text.ts';
import type { Invocation, InvokeFailure } from './invocation.ts';

/** What is retried: only what did not run, also what may have run, or nothing. */
export type RetryPolicy = 'safe' | 'idempotent' | 'never';

/** The bounds of one invocation, in milliseconds. */
export type InvokePolicy = Readonly<{ timeoutMs: number; retry: RetryPolicy; retryMs: number }>;

/** When failures in a row began, and when the host became unreachable, in milliseconds since 1970. */
export type FailureStreak = Readonly<{ since: number; unreachableSince?: number }>;

/** The time of the last possible retry, in milliseconds since 1970, and what limits it. */
export type RetryLimit = Readonly<{ at: number; why: string }>;

// For failures that are not about capacity. A name server or a listener that restarts is back within this time.
const CLEARS_WITHIN_MS = 15_000;

/** Why retries end. */
export const GAVE_UP = {
  retry: 'gave up: retry_seconds is exhausted',
  timeout: 'gave up: timeout_seconds is exhausted',
  halted: 'gave up: another invocation failed',
  unreachable: 'gave up: waiting longer does not clear this error',
} as const;

/** The streak after one more failure. */
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

/** The first limit that a streak reaches. */
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

/** Full jitter: a random part of the exponential delay, but never less than Lambda's Retry-After. */
function waitBefore(attempts: number, random: number, retryAfterSeconds: number): number {
  const step = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1));
  return Math.max(Math.round(random * step), retryAfterSeconds * 1000);
}

/** What is known about whether a function is durable. Only then is one execution name one execution. */
export type Durability = 'unchecked' | 'durable' | 'not durable' | Readonly<{ unreadable: string }>;

/** What decides on the next attempt, in addition to the failure and the policy. */
export type RetryState = Readonly<{
  /** The invocation as it was last sent. */
  invocation: Pick<Invocation, 'invocationType' | 'logType' | 'durableExecutionName'>;
  /** The number of failed attempts, including the last one. */
  attempts: number;
  streak: FailureStreak;
  now: number;
  deadlineAt: number;
  /** A random number from 0 up to, but not including, 1. */
  random: number;
  durability: Durability;
  /** Whether the step has waited for the function to be ready since the failure. */
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

/** Failures because of the function's state. They clear when the function is ready. */
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

/** Decides about an invocation that may have run and names its durable execution. */
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

/** A decision against a retry because of the evidence; undefined if the evidence allows a retry. */
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

/** Decides on a retry after a wait, if the limits leave time for it. */
function retryInTime(
  { attempts, streak, now, deadlineAt, random, readiness }: RetryState,
  { retryAfterSeconds = 0 }: InvokeFailure,
  { retryMs }: InvokePolicy,
): RetryDecision {
  // A delay that Lambda requested before the function was ready no longer counts.
  const askedSeconds = readiness === 'ready' ? 0 : retryAfterSeconds;
  const { at, why } = retryLimit(streak, { retryMs, deadlineAt });
  const leftMs = at - now;
  // Without a request to wait, the time can also be up because the last attempt took long.
  if (askedSeconds > 0 && askedSeconds * 1000 > leftMs) {
    const asks = `Lambda asks to wait ${grouped(askedSeconds)} s, which is longer than the time left`;
    return { kind: 'give up', why: `gave up: ${asks}` };
  }
  const waitMs = waitBefore(attempts, random, askedSeconds);
  if (waitMs <= leftMs) return { kind: 'retry', waitMs, leftMs };
  // The last retry is at the end of the time, but at the deadline there is no time for an attempt.
  const hasLast = leftMs > 0 && why !== GAVE_UP.timeout;
  return hasLast ? { kind: 'retry', waitMs: leftMs, leftMs } : { kind: 'give up', why };
}

/** Decides what to do after a failed attempt. No other code decides on retries. */
export function next(state: RetryState, failure: InvokeFailure, policy: InvokePolicy): RetryDecision {
  // The endpoint refused the request ID that this action adds. No input can remove it, so every policy retries without
  // it.
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
