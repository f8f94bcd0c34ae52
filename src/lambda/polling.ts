import type { Invocation, InvokeFailure } from './invocation.ts';
import { extendStreak, type FailureStreak, type InvokePolicy, retryLimit } from './retry-policy.ts';
import type { Bounds } from './timing.ts';

/** A failed poll, and the wait before the next one. */
export type FailedPoll = Readonly<{ invocation: Invocation; failure: InvokeFailure; waitMs: number }>;

/** The bounds of polling, and the callback for failed polls. */
export type Polling = Pick<Bounds, 'stop' | 'timing'> &
  Readonly<{
    policy: Pick<InvokePolicy, 'retry' | 'retryMs'>;
    onFailedPoll: (failed: FailedPoll) => void;
  }>;

const FIRST_POLL_MS = 500;
const LONGEST_POLL_MS = 10_000;
const GROWTH = 1.5;
// A longer Retry-After is cut to this, because the function may be ready long before.
const LONGEST_RETRY_AFTER_MS = 60_000;

/** Whether to poll again after a failure. Lambda throttles polls early, for a whole account and region together. */
export const mayPollAgain = ({ evidence, mayClear }: InvokeFailure): boolean =>
  mayClear || evidence === 'may_have_run';

const couldNotConnect = ({ evidence, statusCode }: InvokeFailure): boolean =>
  evidence === 'did_not_run' && statusCode === undefined;

/** The pace of polling. */
export class Poll {
  readonly #invocation: Invocation;
  readonly #polling: Polling;
  #streak: FailureStreak | undefined;
  #waitMs = 0;
  #connectFailures = 0;

  constructor(invocation: Invocation, polling: Polling) {
    this.#invocation = invocation;
    this.#polling = polling;
  }

  /** Waits after a response. The wait is short if there were new events. */
  async afterResponse({ hasNewEvents = false }: { hasNewEvents?: boolean } = {}): Promise<void> {
    this.#streak = undefined;
    this.#connectFailures = 0;
    if (hasNewEvents) this.#waitMs = 0;
    await this.#sleep(this.#nextWait());
  }

  /** Waits after a failure. If polling again is of no use, returns the failure to give up with. */
  async afterFailure(failure: InvokeFailure): Promise<InvokeFailure | undefined> {
    const { timing, policy } = this.#polling;
    const askedMs = Math.min(LONGEST_RETRY_AFTER_MS, (failure.retryAfterSeconds ?? 0) * 1000);
    let waitMs = Math.max(this.#nextWait(), askedMs);
    if (couldNotConnect(failure)) {
      if (policy.retry === 'never') return failure;
      this.#connectFailures += 1;
      this.#streak = extendStreak(this.#streak, failure, timing.now());
      const { at, why } = retryLimit(this.#streak, policy);
      const leftMs = at - timing.now();
      if (leftMs <= 0) {
        return { ...failure, message: `${failure.message} (tried ${this.#connectFailures} times; ${why})` };
      }
      waitMs = Math.min(waitMs, leftMs);
    } else {
      this.#streak = undefined;
      this.#connectFailures = 0;
    }
    this.#polling.onFailedPoll({ invocation: this.#invocation, failure, waitMs });
    await this.#sleep(waitMs);
    return undefined;
  }

  /** The next wait, up to a quarter longer at random, so that many clients do not poll at the same time. */
  #nextWait(): number {
    this.#waitMs = this.#waitMs === 0 ? FIRST_POLL_MS : Math.min(LONGEST_POLL_MS, this.#waitMs * GROWTH);
    return this.#waitMs * (1 + this.#polling.timing.random() / 4);
  }

  #sleep(ms: number): Promise<void> {
    return this.#polling.timing.sleep(ms, this.#polling.stop);
  }
}
