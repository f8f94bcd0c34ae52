import type { InvokeFailure } from './invocation.ts';

/** Until when failures may be retried, in milliseconds since 1970, and why not longer. */
export type RetryLimit = Readonly<{ at: number; why: string }>;

// Where waiting for capacity does not help: a name server or a listener that restarts is back by then.
const CLEARS_WITHIN_MS = 15_000;

/** Why something is not retried any longer. */
export const GAVE_UP = {
  retry: 'gave up: retry_seconds is exhausted',
  timeout: 'gave up: timeout_seconds is exhausted',
  unreachable: 'gave up: waiting longer does not clear this error',
} as const;

/** How long failures in a row may be retried, by the limits that are set and by what failed. */
export class RetryBudget {
  readonly #retryMs: number;
  readonly #deadlineAt: number;
  #since: number | undefined;
  #unreachableSince: number | undefined;

  constructor({
    retryMs,
    deadlineAt = Number.POSITIVE_INFINITY,
  }: Readonly<{ retryMs: number; deadlineAt?: number }>) {
    this.#retryMs = retryMs;
    this.#deadlineAt = deadlineAt;
  }

  /** Notes a failure. The answer is the first of the limits. */
  limitOf({ clearsSoonOrNever }: InvokeFailure, now: number): RetryLimit {
    this.#since ??= now;
    this.#unreachableSince = clearsSoonOrNever === true ? (this.#unreachableSince ?? now) : undefined;
    const limits: readonly RetryLimit[] = [
      { at: this.#since + this.#retryMs, why: GAVE_UP.retry },
      { at: this.#deadlineAt, why: GAVE_UP.timeout },
      {
        at: (this.#unreachableSince ?? Number.POSITIVE_INFINITY) + CLEARS_WITHIN_MS,
        why: GAVE_UP.unreachable,
      },
    ];
    return limits.reduce((first, other) => (other.at < first.at ? other : first));
  }

  /** Leaves out the time in which something else was waited for. */
  extend(ms: number): void {
    if (this.#since !== undefined) this.#since += ms;
  }

  /** Begins anew, since what failed works again. */
  reset(): void {
    this.#since = undefined;
    this.#unreachableSince = undefined;
  }
}
