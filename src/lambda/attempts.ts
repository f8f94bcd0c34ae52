import type { LambdaApi } from './api.ts';
import { toUnreadPayload, toUnrecorded, wasTakenForInvocation } from './failures.ts';
import type { Invocation, InvokeFailure, InvokeResponse, LoadedInvocation } from './invocation.ts';
import { invokeOnce } from './invoke.ts';
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

/** How the attempts of an invocation ended. */
export type AttemptsResult = Readonly<{
  result: InvokeResponse | InvokeFailure;
  attempts: number;
  tailRefused: boolean;
}>;

/** What the attempts of one invocation need. */
export type AttemptContext = InvokeContext &
  Bounds &
  Readonly<{
    api: LambdaApi;
    /** For the first attempt. */
    permit: Permit;
    /** In milliseconds since 1970. */
    deadlineAt: number;
  }>;

/** An invocation with its event, which is held only as long as it is being sent. */
async function load({ payload, ...invocation }: Invocation): Promise<LoadedInvocation | InvokeFailure> {
  if (payload instanceof Uint8Array) return { ...invocation, payload };
  try {
    return { ...invocation, payload: await payload.read() };
  } catch (error) {
    return toUnreadPayload(error);
  }
}

async function sendOnce(
  invocation: Invocation,
  context: AttemptContext,
): Promise<InvokeResponse | InvokeFailure> {
  const { api, stream, writeAhead } = context;
  const loaded = await load(invocation);
  if ('kind' in loaded) return loaded;
  try {
    await writeAhead?.(invocation, undefined);
  } catch (error) {
    return toUnrecorded(error);
  }
  // A dry run asks for the same permission either way, and Invoke is the way that never runs anything.
  return stream === undefined || invocation.invocationType !== 'RequestResponse'
    ? invokeOnce(api, loaded, context)
    : stream.invokeOnce(api, loaded, { ...context, onChunk: stream.onChunk });
}

/** The response of a durable execution is the one that it ends with, not the one that starts it. */
async function followToEnd(
  response: InvokeResponse,
  invocation: Invocation,
  context: AttemptContext,
): Promise<InvokeResponse | InvokeFailure> {
  const { follow } = context;
  const { durableExecutionArn } = response;
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

/** What all attempts together prove: one that may have run is not undone by a later one that was refused. */
function sumUp(
  failures: readonly InvokeFailure[],
  last: InvokeFailure,
  { invocationType }: Invocation,
): InvokeFailure {
  if (invocationType === 'DryRun' && !wasTakenForInvocation(last)) {
    return { ...last, evidence: 'did_not_run' };
  }
  const uncertain = failures.find(({ evidence }) => evidence === 'may_have_run');
  const evidence = last.evidence === 'did_not_run' && uncertain ? 'may_have_run' : last.evidence;
  const sentAt = uncertain?.sentAt ?? last.sentAt;
  return { ...last, evidence, ...(sentAt !== undefined && { sentAt }) };
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

  /** What to send: without a log tail once that was refused. */
  get invocation(): Invocation {
    return this.#invocation;
  }

  /** Ends with a response, or with how following its durable execution failed. */
  end(result: InvokeResponse | InvokeFailure): AttemptsResult {
    return { result, attempts: this.#failures.length + 1, tailRefused: this.#tailRefused };
  }

  /** Ends with a failure, and says what was tried and why not longer. */
  giveUp(last: InvokeFailure, why = ''): AttemptsResult {
    const failure = sumUp(this.#failures, last, this.#invocation);
    const attempts = this.#failures.length;
    const seconds = Math.round((this.#context.timing.now() - this.#firstFailedAt) / 1000);
    const tried = attempts > 1 ? `${describeAttempts(this.#failures)} in ${seconds} s` : '';
    const notes = [tried, why].filter((note) => note !== '').join('; ');
    const message = notes === '' ? failure.message : `${failure.message} (${notes})`;
    return { result: { ...failure, message }, attempts, tailRefused: this.#tailRefused };
  }

  /** Prepares another attempt after a failure; where there is to be none, returns how the attempts ended. */
  async prepareRetry(failure: InvokeFailure): Promise<AttemptsResult | undefined> {
    const { policy, timing } = this.#context;
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
        case 'check durability': {
          const durability = await checkDurability(this.#invocation, this.#context);
          state = { ...state, durability, now: timing.now() };
          break;
        }
        case 'wait until ready': {
          const ready = await this.#waitUntilReady(state);
          if ('result' in ready) return ready;
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
    const { timing, stop, onWait } = this.#context;
    const invocation = this.#invocation;
    onWait({ invocation, failure: sumUp(this.#failures, failure, invocation), waitMs, leftMs });
    await timing.sleep(waitMs, stop);
  }

  async #waitUntilReady(state: RetryState): Promise<RetryState | AttemptsResult> {
    const { readiness, timing } = this.#context;
    const found = await readiness?.waits.waitAgain(this.#invocation, { ...this.#context, ...readiness });
    if (found?.kind === 'failure') return this.giveUp(found);
    const now = timing.now();
    // The time until the function is ready is not spent on retries.
    const streak = { ...state.streak, since: state.streak.since + now - state.now };
    return { ...state, readiness: 'ready', streak, now };
  }
}

/** Sends an invocation until there is a response or the policy gives up. Every attempt waits for the limiter. */
export async function attemptAll(invocation: Invocation, context: AttemptContext): Promise<AttemptsResult> {
  const { limiter, stop, cancel, halt } = context;
  const attempts = new Attempts(invocation, context);
  for (let { permit } = context; ; ) {
    const result = await sendOnce(attempts.invocation, context);
    if (result.kind === 'answer') {
      const ended = await followToEnd(result, attempts.invocation, context);
      permit.release('otherwise');
      return attempts.end(ended);
    }
    permit.release(result.isOverload === true ? 'throttled' : 'otherwise');
    const end = await attempts.prepareRetry(result);
    if (end !== undefined) return end;
    if (halt?.aborted && !cancel.aborted) return attempts.giveUp(result, GAVE_UP.halted);
    const another = await limiter.acquire(invocation.index, stop);
    if (another === undefined || stop.aborted) {
      another?.release('otherwise');
      return attempts.giveUp(result, cancel.aborted ? 'then the workflow was cancelled' : GAVE_UP.timeout);
    }
    permit = another;
  }
}
