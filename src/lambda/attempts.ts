import type { LambdaApi } from './api.ts';
import { gotInvocationResponse, toJournalFailure, toPayloadFailure } from './failures.ts';
import type {
  Invocation,
  InvokeFailure,
  InvokeResponse,
  LoadedInvocation,
  SentAttempt,
} from './invocation.ts';
import { type AttemptBounds, invokeOnce } from './invoke.ts';
import type { InvokeContext, Wait } from './invoker.ts';
import type { Permit } from './limiter.ts';
import {
  type Durability,
  extendStreak,
  type FailureStreak,
  GAVE_UP,
  next,
  type RetryState,
} from './retry-policy.ts';
import type { Bounds } from './timing.ts';

/** Our own IDs for a step's attempts. Each attempt has a new one: Lambda does not recognize an ID that it has seen. */
export class RequestIds {
  readonly #randomId: () => string;
  #areRefused = false;

  /** @param randomId makes a UUID, because Lambda refuses other IDs */
  constructor(randomId: () => string) {
    this.#randomId = randomId;
  }

  /** The ID of the next attempt; undefined once the endpoint has refused one. */
  next(): string | undefined {
    return this.#areRefused ? undefined : this.#randomId();
  }

  refused(): void {
    this.#areRefused = true;
  }
}

/** How the attempts of an invocation ended. */
export type AttemptsResult = Readonly<{
  result: InvokeResponse | InvokeFailure;
  attempts: number;
  sent: readonly SentAttempt[];
  tailRefused: boolean;
}>;

/** What the attempts of one invocation need. */
export type AttemptContext = InvokeContext &
  Bounds &
  Readonly<{
    api: LambdaApi;
    /** The permit for the first attempt. */
    permit: Permit;
    /** Ends the waits before an attempt: aborts with `stop` and with `halt`. */
    stopSending: AbortSignal;
    /** The deadline, in milliseconds since 1970. */
    deadlineAt: number;
  }>;

/** An invocation with its event, which is in memory only while it is being sent. */
async function load({ payload, ...invocation }: Invocation): Promise<LoadedInvocation | InvokeFailure> {
  if (payload instanceof Uint8Array) return { ...invocation, payload };
  try {
    return { ...invocation, payload: await payload.read() };
  } catch (error) {
    return toPayloadFailure(error);
  }
}

async function sendOnce(
  invocation: Invocation,
  context: AttemptContext & AttemptBounds,
): Promise<InvokeResponse | InvokeFailure> {
  const { api, stream, sentAs, onSend, writeAhead } = context;
  const loaded = await load(invocation);
  if ('kind' in loaded) return loaded;
  try {
    await writeAhead?.(invocation, sentAs);
  } catch (error) {
    return toJournalFailure(error);
  }
  onSend?.({ invocation, api, sentAs });
  // Both operations need the same permission, and a dry run of Invoke never runs anything.
  return stream === undefined || invocation.invocationType !== 'RequestResponse'
    ? invokeOnce(api, loaded, context)
    : stream.invokeOnce(api, loaded, { ...context, onChunk: stream.onChunk });
}

/** Replaces the response that started a durable execution with the response that it ends with. */
async function followToEnd(
  response: InvokeResponse,
  invocation: Invocation,
  context: AttemptContext & Readonly<{ beganAt: number }>,
): Promise<InvokeResponse | InvokeFailure> {
  const { follow, waitForEvent } = context;
  const { durableExecutionArn } = response;
  if (durableExecutionArn === undefined && invocation.invocationType === 'Event' && waitForEvent) {
    return waitForEvent(response, invocation, context);
  }
  if (follow === undefined || invocation.invocationType === 'DryRun') return response;
  if (durableExecutionArn === undefined) {
    follow.onNotDurable(invocation);
    return response;
  }
  return follow.execution({ ...response, durableExecutionArn }, invocation, { ...context, ...follow });
}

async function checkDurability(invocation: Invocation, context: AttemptContext): Promise<Durability> {
  const { readConfiguration } = await import('./configuration.ts');
  const found = await readConfiguration(context.api, invocation, context);
  if (found.kind === 'failure') return { unreadable: found.name };
  return found.isDurable ? 'durable' : 'not durable';
}

/** The attempt that ended with this response or failure; undefined if nothing was sent. */
function toSent(ended: InvokeResponse | InvokeFailure): SentAttempt | undefined {
  const { sentAt, sentAs, requestId } = ended;
  if (sentAt === undefined) return undefined;
  return {
    sentAt,
    ...(sentAs !== undefined && { sentAs }),
    ...(requestId !== undefined && { requestId }),
    mayHaveRun: ended.kind === 'response' || ended.evidence !== 'did_not_run',
  };
}

/** Combines all attempts into one failure. If one may have run, a later one that was refused does not change that. */
function combineAttempts(
  failures: readonly InvokeFailure[],
  last: InvokeFailure,
  { invocationType }: Invocation,
): InvokeFailure {
  if (invocationType === 'DryRun' && !gotInvocationResponse(last)) {
    return { ...last, evidence: 'did_not_run' };
  }
  const uncertain = failures.find(({ evidence }) => evidence === 'may_have_run');
  const { sentAt = last.sentAt } = uncertain ?? last;
  const { requestId: _, sentAs: __, ...rest } = last;
  // The log has nothing about an attempt that was refused.
  const { evidence, requestId, sentAs } = last.evidence === 'did_not_run' ? (uncertain ?? last) : last;
  return {
    ...rest,
    evidence,
    ...(requestId !== undefined && { requestId }),
    ...(sentAs !== undefined && { sentAs }),
    ...(sentAt !== undefined && { sentAt }),
  };
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** How many attempts there were, and how many of them sent the request. */
function describeAttempts(failures: readonly InvokeFailure[]): string {
  const sent = failures.filter(({ sentAt }) => sentAt !== undefined).length;
  if (sent === failures.length) return `sent ${times(sent)}`;
  return `tried ${times(failures.length)}${sent === 0 ? '' : ` and sent ${times(sent)}`}`;
}

/** The attempts of one invocation so far. Carries out what the retry policy decides. */
class Attempts {
  readonly #context: AttemptContext;
  readonly #failures: InvokeFailure[] = [];
  #invocation: Invocation;
  #firstFailedAt = 0;
  #streak: FailureStreak | undefined;
  #tailRefused = false;

  constructor(invocation: Invocation, context: AttemptContext) {
    this.#invocation = invocation;
    this.#context = context;
  }

  /** The invocation to send. Without a log tail if Lambda has refused that. */
  get invocation(): Invocation {
    return this.#invocation;
  }

  /** Ends with the response to the last attempt, or with the end of its durable execution if that was followed. */
  end(response: InvokeResponse, result: InvokeResponse | InvokeFailure): AttemptsResult {
    const sent = this.#sentWith(response);
    return { result, attempts: this.#failures.length + 1, sent, tailRefused: this.#tailRefused };
  }

  #sentWith(...ended: readonly InvokeResponse[]): SentAttempt[] {
    return [...this.#failures, ...ended].map(toSent).filter((attempt) => attempt !== undefined);
  }

  /** Ends with a failure, and says what was tried and why the retries ended. */
  giveUp(last: InvokeFailure, why = ''): AttemptsResult {
    const failure = combineAttempts(this.#failures, last, this.#invocation);
    const attempts = this.#failures.length;
    const seconds = Math.round((this.#context.timing.now() - this.#firstFailedAt) / 1000);
    const time = seconds === 0 ? 'less than 1 s' : `${seconds} s`;
    const tried = attempts > 1 ? `${describeAttempts(this.#failures)} in ${time}` : '';
    const notes = [tried, why].filter((note) => note !== '').join('; ');
    const message = notes === '' ? failure.message : `${failure.message.replace(/\.$/, '')} (${notes})`;
    const sent = this.#sentWith();
    return { result: { ...failure, message }, attempts, sent, tailRefused: this.#tailRefused };
  }

  /** Prepares another attempt after a failure. If there is none, returns how the attempts ended. */
  async prepareRetry(failure: InvokeFailure): Promise<AttemptsResult | undefined> {
    const { policy, timing, requestIds } = this.#context;
    for (let state = this.#stateAfter(failure); ; ) {
      this.#streak = state.streak;
      const decision = next(state, failure, policy);
      switch (decision.kind) {
        case 'give up':
          return this.giveUp(failure, decision.why);
        case 'retry':
          await this.#wait(decision, failure);
          return undefined;
        case 'retry without log tail':
          this.#invocation = { ...this.#invocation, logType: 'None' };
          this.#tailRefused = true;
          return undefined;
        case 'retry without request ID':
          requestIds.refused();
          return undefined;
        case 'check durability': {
          const durability = await checkDurability(this.#invocation, this.#context);
          state = { ...state, durability, now: timing.now() };
          break;
        }
        case 'wait until ready': {
          const ready = await this.#waitUntilReady(state);
          if (hasHalted(this.#context)) return undefined;
          if ('sent' in ready) return ready;
          state = ready;
          break;
        }
        default:
          return decision satisfies never;
      }
    }
  }

  /** Records a failure. */
  #stateAfter(failure: InvokeFailure): RetryState {
    const { timing, readiness, deadlineAt } = this.#context;
    const now = timing.now();
    if (this.#failures.length === 0) this.#firstFailedAt = now;
    this.#failures.push(failure);
    return {
      invocation: this.#invocation,
      attempts: this.#failures.length,
      streak: extendStreak(this.#streak, failure, now),
      now,
      deadlineAt,
      random: timing.random(),
      durability: 'unchecked',
      readiness: readiness === undefined ? 'not wanted' : 'unchecked',
    };
  }

  async #wait({ waitMs, leftMs }: Pick<Wait, 'waitMs' | 'leftMs'>, failure: InvokeFailure): Promise<void> {
    const { timing, stopSending, onWait } = this.#context;
    const invocation = this.#invocation;
    onWait({ invocation, failure: combineAttempts(this.#failures, failure, invocation), waitMs, leftMs });
    await timing.sleep(waitMs, stopSending);
  }

  async #waitUntilReady(state: RetryState): Promise<RetryState | AttemptsResult> {
    const { readiness, timing, stopSending } = this.#context;
    const found = await readiness?.waits.waitAgain(this.#invocation, {
      ...this.#context,
      ...readiness,
      stop: stopSending,
    });
    if (found?.kind === 'failure') return this.giveUp(found);
    const now = timing.now();
    // The time until the function is ready does not count as time for retries.
    const streak = { ...state.streak, since: state.streak.since + now - state.now };
    return { ...state, readiness: 'ready', streak, now };
  }
}

/** Whether nothing more is sent because another invocation has failed. */
export const hasHalted = ({ halt, cancel }: Pick<InvokeContext, 'halt' | 'cancel'>): boolean =>
  halt?.aborted === true && !cancel.aborted;

/** Why there is no other attempt although the policy allows one. */
function whyNoMore(context: AttemptContext): string {
  if (context.cancel.aborted) return 'then the workflow was cancelled';
  return hasHalted(context) ? GAVE_UP.halted : GAVE_UP.timeout;
}

/** Sends an invocation until there is a response or the policy gives up. Every attempt waits for the limiter. */
export async function attemptAll(invocation: Invocation, context: AttemptContext): Promise<AttemptsResult> {
  const { limiter, stopSending, requestIds, timing } = context;
  const attempts = new Attempts(invocation, context);
  const beganAt = timing.now();
  let { permit } = context;
  try {
    for (;;) {
      const result = await sendOnce(attempts.invocation, { ...context, sentAs: requestIds.next() });
      if (result.kind === 'response') {
        return attempts.end(result, await followToEnd(result, attempts.invocation, { ...context, beganAt }));
      }
      permit.release(result.isOverload === true ? 'throttled' : 'otherwise');
      const end = await attempts.prepareRetry(result);
      if (end !== undefined) return end;
      permit = (await limiter.acquire(invocation.index, stopSending)) ?? permit;
      // It can abort in the moment when the permit is granted.
      if (stopSending.aborted) return attempts.giveUp(result, whyNoMore(context));
    }
  } finally {
    // Also after a defect of this action: a permit that is not returned would lower the concurrency for good.
    permit.release('otherwise');
  }
}
