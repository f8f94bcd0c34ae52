import { type AliasReading, AliasWatch } from './alias.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { toCancelledUnsent, toReadinessFailure, toUnsent } from './failures.ts';
import type { Invocation, InvokeFailure } from './invocation.ts';
import { mayPollAgain, Poll, type Polling } from './polling.ts';
import { linkAbort } from './timing.ts';

/** A state that a function has reached on its way to being ready. */
export type StateChange = Readonly<{
  invocation: Invocation;
  /** Lambda's name of the state, then what is still in progress. Never foreign text. */
  state: string;
  isReady: boolean;
}>;

/** The decision about an invocation: wait, invoke, or give up, and why. */
export type ReadinessDecision = Readonly<
  { state: string } & (
    | { next: 'wait' | 'invoke'; isReady: boolean }
    | { next: 'give up'; isReady: false; why: string }
  )
>;

// Codes and states are single words. A reason is a sentence and may be foreign text.
const word = (text: string | undefined): string => (text !== undefined && /^\w+$/.test(text) ? text : '');
const inBrackets = (text: string): string => (text === '' ? '' : ` (${text})`);
const NO_REASON = 'Lambda gives no reason';

type StateRow = Readonly<{
  when: (configuration: Configuration) => boolean;
  decide: (configuration: Configuration) => ReadinessDecision;
}>;

/** Decisions by state (AWS Lambda Developer Guide, "Lambda function states"). The first row that matches applies. */
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
    // Only an invocation wakes an idle function.
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

/** Decides about an invocation by the function's configuration. */
export const decideByState = (configuration: Configuration): ReadinessDecision =>
  STATES.find(({ when }) => when(configuration))?.decide(configuration) ?? READY;

/** What a wait needs: the API of the function's region, and callbacks for changes and failed polls. */
export type Waiting = AliasReading &
  Polling &
  Readonly<{
    onStateChange: (change: StateChange) => void;
    /** Whether an invocation needs its alias to point to one version only. */
    expectsVersion: (invocation: Invocation) => boolean;
  }>;

/** Whether to poll again, or how the wait ends. */
type Next = 'wait' | Readonly<{ end: Configuration | InvokeFailure }>;

/** One wait for a function, shared by all its invocations. It ends when no invocation waits any more. */
class SharedWait {
  readonly #result: Promise<Configuration | InvokeFailure>;
  readonly #left = new AbortController();
  #waiters = 0;
  #isOver = false;
  #state = '';
  #awaitsVersion = false;
  readonly #alias: AliasWatch | undefined;
  /** Why the last poll failed. */
  #failure: InvokeFailure | undefined;

  constructor(invocation: Invocation, waiting: Waiting, alias: AliasWatch | undefined) {
    this.#alias = alias;
    this.#awaitsVersion = waiting.expectsVersion(invocation);
    const { signal: stop, unlink } = linkAbort(waiting.cancel, this.#left.signal);
    this.#result = this.#poll(invocation, { ...waiting, deadline: this.#left.signal, stop }).finally(() => {
      this.#isOver = true;
      unlink();
    });
  }

  /** Whether the wait is over, or was abandoned because no invocation waits any more. */
  get isOver(): boolean {
    return this.#isOver || this.#left.signal.aborted;
  }

  /**
   * Whether an invocation can share this wait. A wait that nobody waits for ends without a state. If the invocation needs
   * a version, the wait must be for a version too.
   */
  isFor(invocation: Invocation, { expectsVersion }: Waiting): boolean {
    if (!this.#isOver) return !this.#left.signal.aborted;
    return this.#awaitsVersion || !expectsVersion(invocation);
  }

  /** Waits until the wait is over or the waiter's own deadline passes. */
  async join(invocation: Invocation, waiting: Waiting): Promise<Configuration | InvokeFailure> {
    const { stop, cancel } = waiting;
    this.#awaitsVersion ||= waiting.expectsVersion(invocation);
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
    const configured = await this.#until(poll, waiting, async () => {
      const found = await readConfiguration(waiting.api, invocation, waiting);
      return found.kind === 'failure' ? found : this.#decide(found, invocation, waiting);
    });
    if (configured.kind === 'failure' || this.#alias === undefined) return configured;
    // Only an invocation wakes an idle function.
    if (!decideByState(configured).isReady) return configured;
    const alias = this.#alias;
    const provisioned = await this.#until(poll, waiting, async () => {
      const found = await alias.look(waiting, () => this.#awaitsVersion);
      if (found.kind === 'failure') return found;
      if (found.next === 'wait') this.#state = found.state;
      if (found.next === 'give up') return { end: found.end };
      return found.next === 'wait' ? 'wait' : { end: configured };
    });
    if (provisioned.kind !== 'failure') this.#report(READY, invocation, waiting);
    return provisioned;
  }

  /** Polls until the wait ends. */
  async #until(
    poll: Poll,
    { stop, cancel }: Waiting,
    ask: () => Promise<InvokeFailure | Next>,
  ): Promise<Configuration | InvokeFailure> {
    while (!stop.aborted) {
      const found = await ask();
      if (stop.aborted) break;
      if (found === 'wait') {
        this.#failure = undefined;
        await poll.afterResponse();
      } else if ('end' in found) {
        this.#failure = undefined;
        return found.end;
      } else {
        this.#failure = found;
        const end = mayPollAgain(found) ? await poll.afterFailure(found) : found;
        if (end !== undefined) return toReadinessFailure(end);
      }
    }
    return this.#stopped(cancel);
  }

  #decide(found: Configuration, invocation: Invocation, waiting: Waiting): Next {
    const decision = decideByState(found);
    // With an alias, the function counts as ready only when the alias is.
    if (!decision.isReady || this.#alias === undefined) this.#report(decision, invocation, waiting);
    if (decision.next === 'give up')
      return { end: toUnsent({ name: 'FunctionFailed', message: decision.why }) };
    return decision.next === 'wait' ? 'wait' : { end: found };
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
      return toReadinessFailure({ ...failure, message });
    }
    const unread = failure && `; then its configuration could not be read: ${failure.message}`;
    const message = `timed out before the function was ready${inBrackets(this.#state)}${unread ?? ''}`;
    return toUnsent({ name: 'NotReady', message });
  }
}

/**
 * Waits until functions and their aliases are ready, once for each function and qualifier. The SDK's waiters are not
 * used, because they do not report changes, and keep polling without permission until the time is over.
 */
export class Readiness {
  readonly #waits = new Map<string, SharedWait>();
  /** Kept between waits, so that a change of an alias is reported only once. */
  readonly #aliases = new Map<string, AliasWatch | undefined>();

  /**
   * Waits until the function is ready, unless an earlier wait found that it is. A failure says why it can't become
   * ready.
   */
  wait(invocation: Invocation, waiting: Waiting): Promise<Configuration | InvokeFailure> {
    const known = this.#waits.get(keyOf(invocation));
    return this.#join(known?.isFor(invocation, waiting) ? known : undefined, invocation, waiting);
  }

  /** Waits again, after an invocation was refused because of the function's state. */
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
    const alias = this.#aliases.get(key) ?? AliasWatch.of(invocation);
    this.#aliases.set(key, alias);
    const shared = known ?? new SharedWait(invocation, waiting, alias);
    this.#waits.set(key, shared);
    const result = await shared.join(invocation, waiting);
    // A failure is not kept, so the next invocation starts a new wait.
    if (result.kind === 'failure' && shared.isOver && this.#waits.get(key) === shared)
      this.#waits.delete(key);
    return result;
  }
}

const keyOf = ({ reference, qualifier = reference.qualifier, region }: Invocation): string =>
  JSON.stringify([region, reference.accountId, reference.name, qualifier]);
