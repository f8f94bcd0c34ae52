import type { LambdaApi } from './api.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { toCancelledUnsent, toUnasked, toUnsent } from './failures.ts';
import type { Invocation, InvokeFailure } from './invocation.ts';
import { mayAskAgain, Poll, type Polling } from './polling.ts';
import { type Bounds, linkAbort } from './timing.ts';

/** A state that a function has reached on its way to being ready. */
export type StateChange = Readonly<{
  invocation: Invocation;
  /** In Lambda's words: the state, then what is still in progress. Never foreign text. */
  state: string;
  isReady: boolean;
}>;

/** What a configuration means for an invocation: to wait, to invoke, or to give up, and why. */
export type ReadinessDecision = Readonly<
  { state: string } & (
    | { next: 'wait' | 'invoke'; isReady: boolean }
    | { next: 'give up'; isReady: false; why: string }
  )
>;

// Codes and states are single words; a reason is a sentence and may be foreign text.
const word = (text: string | undefined): string => (text !== undefined && /^\w+$/.test(text) ? text : '');
const inBrackets = (text: string): string => (text === '' ? '' : ` (${text})`);
const NO_REASON = 'Lambda gives no reason';

type StateRow = Readonly<{
  when: (configuration: Configuration) => boolean;
  decide: (configuration: Configuration) => ReadinessDecision;
}>;

/** By the states of functions (AWS Lambda Developer Guide, "Lambda function states"): the first row that fits decides. */
const STATES: readonly StateRow[] = [
  {
    when: ({ state }) => state === 'Failed',
    decide: ({ stateReason = NO_REASON, stateReasonCode }) => ({
      state: `Failed${inBrackets(word(stateReasonCode))}`,
      next: 'give up',
      isReady: false,
      why: `the function is in state Failed: ${stateReason}`,
    }),
  },
  {
    when: ({ lastUpdateStatus }) => lastUpdateStatus === 'Failed',
    decide: ({ state, lastUpdateReason = NO_REASON, lastUpdateReasonCode }) => ({
      state: `${word(state)}, and its last update failed${inBrackets(word(lastUpdateReasonCode))}`,
      next: 'give up',
      isReady: false,
      why: `the function's last update failed, so the old code would respond: ${lastUpdateReason}`,
    }),
  },
  {
    // Only an invocation wakes it.
    when: ({ state }) => state === 'Inactive',
    decide: ({ stateReasonCode }) => ({
      state: `Inactive${inBrackets(word(stateReasonCode))}; the invocation will wake it`,
      next: 'invoke',
      isReady: false,
    }),
  },
  {
    when: ({ state }) => state !== 'Active',
    decide: ({ state, stateReasonCode }) => ({
      state: `${word(state)}${inBrackets(word(stateReasonCode))}`,
      next: 'wait',
      isReady: false,
    }),
  },
  {
    when: ({ lastUpdateStatus }) => lastUpdateStatus !== 'Successful',
    decide: () => ({
      state: 'Active, but an update is in progress: the old code still responds',
      next: 'wait',
      isReady: false,
    }),
  },
  {
    when: ({ awaitsSnapshot }) => awaitsSnapshot,
    decide: () => ({ state: 'Active, but its snapshot is not ready', next: 'wait', isReady: false }),
  },
];
const READY: ReadinessDecision = { state: 'ready', next: 'invoke', isReady: true };

/** What a configuration means for an invocation. */
export const decideByState = (configuration: Configuration): ReadinessDecision =>
  STATES.find(({ when }) => when(configuration))?.decide(configuration) ?? READY;

/** What a wait needs: the API of the function's region, and who listens to changes and to failed requests. */
export type Waiting = Bounds &
  Polling &
  Readonly<{ api: LambdaApi; onStateChange: (change: StateChange) => void }>;

/** One wait for a function, shared by all invocations of it. It ends when none of them waits any more. */
class SharedWait {
  readonly #result: Promise<Configuration | InvokeFailure>;
  readonly #left = new AbortController();
  #waiters = 0;
  #isOver = false;
  #state = '';
  /** Why the last request for the configuration failed. */
  #failure: InvokeFailure | undefined;

  constructor(invocation: Invocation, waiting: Waiting) {
    const { signal: stop, unlink } = linkAbort(waiting.cancel, this.#left.signal);
    this.#result = this.#poll(invocation, { ...waiting, deadline: this.#left.signal, stop }).finally(() => {
      this.#isOver = true;
      unlink();
    });
  }

  /** Whether the wait is over, or will never be over because no invocation waits for it any more. */
  get isOver(): boolean {
    return this.#isOver || this.#left.signal.aborted;
  }

  /** Waits until the wait is over or the waiter's own deadline passes. */
  async join({ stop, cancel }: Waiting): Promise<Configuration | InvokeFailure> {
    const stopped = Promise.withResolvers<undefined>();
    const abort = (): void => stopped.resolve(undefined);
    if (stop.aborted) abort();
    stop.addEventListener('abort', abort);
    this.#waiters += 1;
    const result = await Promise.race([stopped.promise, this.#result]);
    stop.removeEventListener('abort', abort);
    this.#waiters -= 1;
    if (this.#waiters === 0) this.#left.abort();
    return result === undefined || cancel.aborted ? this.#stopped(cancel) : result;
  }

  async #poll(invocation: Invocation, waiting: Waiting): Promise<Configuration | InvokeFailure> {
    const poll = new Poll(invocation, waiting);
    while (!waiting.stop.aborted) {
      const found = await readConfiguration(waiting.api, invocation, waiting);
      if (waiting.stop.aborted) break;
      if (found.kind === 'configuration') {
        this.#failure = undefined;
        const decision = decideByState(found);
        this.#report(decision, invocation, waiting);
        if (decision.next === 'invoke') return found;
        if (decision.next === 'give up') return toUnsent({ name: 'FunctionFailed', message: decision.why });
        await poll.afterResponse();
      } else {
        this.#failure = found;
        const end = mayAskAgain(found) ? await poll.afterFailure(found) : found;
        if (end !== undefined) return toUnasked(end);
      }
    }
    return this.#stopped(waiting.cancel);
  }

  #report({ state, isReady }: ReadinessDecision, invocation: Invocation, { onStateChange }: Waiting): void {
    if (state !== this.#state) onStateChange({ invocation, state, isReady });
    this.#state = state;
  }

  #stopped(cancel: AbortSignal): InvokeFailure {
    if (cancel.aborted) return toCancelledUnsent();
    const failure = this.#failure;
    if (failure !== undefined && this.#state === '') {
      const message = `timed out before Lambda said whether the function is ready: ${failure.message}`;
      return toUnasked({ ...failure, message });
    }
    const unread = failure && `; then its configuration could not be read: ${failure.message}`;
    const message = `timed out before the function was ready${inBrackets(this.#state)}${unread ?? ''}`;
    return toUnsent({ name: 'NotReady', message });
  }
}

/**
 * Waits until functions may be invoked, once for each function and qualifier. The SDK's waiters do not fit:
 * they report no change, and without permission they keep asking until the time is over.
 */
export class Readiness {
  readonly #waits = new Map<string, SharedWait>();

  /** Waits until the function is ready, unless it was found to be before. A failure says why it never will be. */
  wait(invocation: Invocation, waiting: Waiting): Promise<Configuration | InvokeFailure> {
    return this.#join(this.#waits.get(keyOf(invocation)), invocation, waiting);
  }

  /** The same after an invocation was refused for the function's state. */
  waitAgain(invocation: Invocation, waiting: Waiting): Promise<Configuration | InvokeFailure> {
    const known = this.#waits.get(keyOf(invocation));
    return this.#join(known?.isOver ? undefined : known, invocation, waiting);
  }

  async #join(
    known: SharedWait | undefined,
    invocation: Invocation,
    waiting: Waiting,
  ): Promise<Configuration | InvokeFailure> {
    const key = keyOf(invocation);
    const shared = known ?? new SharedWait(invocation, waiting);
    this.#waits.set(key, shared);
    const result = await shared.join(waiting);
    // A failure is not kept: the next invocation waits anew.
    if (result.kind === 'failure' && shared.isOver && this.#waits.get(key) === shared)
      this.#waits.delete(key);
    return result;
  }
}

const keyOf = ({ reference, qualifier = reference.qualifier, region }: Invocation): string =>
  JSON.stringify([region, reference.accountId, reference.name, qualifier]);
