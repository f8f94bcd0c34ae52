import { messageOf } from '../shared/errors.ts';
import { grouped } from '../shared/figures.ts';
import type { LambdaApi } from './api.ts';
import { type Bounds, boundsFor } from './bounds.ts';
import type { Clients } from './client.ts';
import type { Configuration } from './configuration.ts';
import type { Following, followExecution } from './durable.ts';
import { CANCELLED, toUnsent, wasTakenForInvocation } from './evidence.ts';
import type { Invocation, InvocationResult, InvokeFailure, InvokeResponse } from './invocation.ts';
import { invokeOnce } from './invoke.ts';
import type { AdaptiveLimiter, Permit } from './limiter.ts';
import type { Readiness, Waiting } from './readiness.ts';
import { GAVE_UP, RetryBudget } from './retry-policy.ts';
import type { OnChunk, streamOnce } from './stream.ts';
import type { Timing } from './timing.ts';

/** What may be sent again: only what never ran, also what may have run, or nothing. */
export type RetryPolicy = 'safe' | 'idempotent' | 'never';

/** The bounds of one invocation, in milliseconds. */
export type InvokePolicy = Readonly<{ timeoutMs: number; retry: RetryPolicy; retryMs: number }>;

/** A wait before an invocation is sent again. */
export type Wait = Readonly<{
  invocation: Invocation;
  failure: InvokeFailure;
  waitMs: number;
  leftMs: number;
}>;

/** What deliveries share. */
export type InvokeContext = Readonly<{
  clients: Clients;
  policy: InvokePolicy;
  timing: Timing;
  limiter: AdaptiveLimiter;
  /** Aborts when the workflow is cancelled: nothing new is sent from then on. */
  cancel: AbortSignal;
  onWait: (wait: Wait) => void;
  /** Told once when the last delivery of a list has ended. */
  onAllEnded?: () => void;
  /** Where functions are waited for until they are ready. */
  readiness?: Readonly<{ waits: Readiness }> & Pick<Waiting, 'onStateChange' | 'onFailedQuestion'>;
  /** Where durable executions are followed to their end. */
  follow?: Readonly<{ execution: typeof followExecution; onNotDurable: (invocation: Invocation) => void }> &
    Pick<Following, 'onExecutionEvent' | 'onHiddenHistory' | 'onFailedQuestion'>;
  /** Where the response is taken as a stream. */
  stream?: Readonly<{ invokeOnce: typeof streamOnce; onChunk: OnChunk }>;
}>;

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 15_000;

/** Full jitter: anything from nothing to the exponential step, but never less than Lambda asked for. */
export function waitBefore(attempt: number, random: number, retryAfterSeconds = 0): number {
  const step = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return Math.max(Math.round(random * step), retryAfterSeconds * 1000);
}

/** Whether an invocation may be sent again after a failure; `if durable`: where its function is, since one name is one execution. */
export function maySendAgain(
  failure: InvokeFailure,
  invocation: Invocation,
  policy: RetryPolicy,
): boolean | 'if durable' {
  if (policy === 'never' || !failure.mayClear) return false;
  switch (failure.evidence) {
    case 'did_not_run':
      return true;
    case 'may_have_run':
      if (policy === 'idempotent' || invocation.invocationType === 'DryRun') return true;
      return invocation.durableExecutionName !== undefined && 'if durable';
    case 'ran':
      return false;
    default:
      return failure.evidence satisfies never;
  }
}

/** Failures that a function's state explains: they pass when it is ready. */
const NOT_READY: readonly string[] = [
  'CodeArtifactUserPendingException',
  'ENINotReadyException',
  'ResourceConflictException',
  'ResourceNotReadyException',
  'SnapStartNotReadyException',
];

const refusesTail = (failure: InvokeFailure, invocation: Invocation): boolean =>
  invocation.logType === 'Tail' &&
  failure.name === 'InvalidParameterValueException' &&
  failure.message.includes('Tail logs are not supported');

/** What all attempts together prove: one that may have run is not undone by a later one that was refused. */
function sumUp(
  failures: readonly InvokeFailure[],
  last: InvokeFailure,
  invocation: Invocation,
): InvokeFailure {
  if (invocation.invocationType === 'DryRun' && !wasTakenForInvocation(last)) {
    return { ...last, evidence: 'did_not_run' };
  }
  const uncertain = failures.find(({ evidence }) => evidence === 'may_have_run');
  const evidence = last.evidence === 'did_not_run' && uncertain ? 'may_have_run' : last.evidence;
  const sentAt = uncertain?.sentAt ?? last.sentAt;
  return { ...last, evidence, ...(sentAt !== undefined && { sentAt }) };
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** How often it was tried, and how many of these attempts came so far as to send it. */
function tried(failures: readonly InvokeFailure[]): string {
  const sent = failures.filter(({ sentAt }) => sentAt !== undefined).length;
  if (sent === failures.length) return `sent ${times(sent)}`;
  return `tried ${times(failures.length)}${sent === 0 ? '' : ` and sent ${times(sent)}`}`;
}

/** A Retry-After that leaves no time for another attempt. */
const askedTooMuch = (seconds: number): string =>
  `gave up: Lambda asks to wait ${grouped(seconds)} s, which is longer than the time left`;

type AttemptsResult = Readonly<{
  result: InvokeResponse | InvokeFailure;
  attempts: number;
  tailRefused: boolean;
}>;

/** A courier on the way with one invocation. */
type AttemptContext = InvokeContext &
  Bounds &
  Readonly<{
    api: LambdaApi;
    pass: Permit;
    deadlineAt: number;
  }>;

const sendOnce = (
  invocation: Invocation,
  attempt: AttemptContext,
): Promise<InvokeResponse | InvokeFailure> => {
  const { api, stream } = attempt;
  // A dry run asks for the same permission either way, and Invoke is the way that surely runs nothing.
  return stream === undefined || invocation.invocationType !== 'RequestResponse'
    ? invokeOnce(api, invocation, attempt)
    : stream.invokeOnce(api, invocation, { ...attempt, onChunk: stream.onChunk });
};

/** A durable execution is answered for when it ends, not when it was started. */
async function followToEnd(
  answer: InvokeResponse,
  invocation: Invocation,
  attempt: AttemptContext,
): Promise<InvokeResponse | InvokeFailure> {
  const { follow } = attempt;
  const { durableExecutionArn } = answer;
  if (follow === undefined || invocation.invocationType === 'DryRun') return answer;
  if (durableExecutionArn === undefined) {
    follow.onNotDurable(invocation);
    return answer;
  }
  return follow.execution({ ...answer, durableExecutionArn }, invocation, { ...attempt, ...follow });
}

/** Why a named invocation is not sent again; undefined where its function is durable, since one name is one execution. */
async function whyNotByName(invocation: Invocation, attempt: AttemptContext): Promise<string | undefined> {
  const { readConfiguration } = await import('./configuration.ts');
  const found = await readConfiguration(attempt.api, invocation, attempt);
  if (found.kind === 'failure') {
    return `not retried: the configuration, which says whether the function is durable, could not be read (${found.name})`;
  }
  return found.isDurable
    ? undefined
    : 'not retried: the configuration does not show that the function is durable';
}

/** Waits for a function whose state was in the way, where that is wanted; undefined where it is not. */
async function waitForState(
  failure: InvokeFailure,
  invocation: Invocation,
  attempt: AttemptContext,
): Promise<Configuration | InvokeFailure | undefined> {
  const { readiness } = attempt;
  if (readiness === undefined || !NOT_READY.includes(failure.name)) return undefined;
  return readiness.waits.waitAgain(invocation, { ...attempt, ...readiness });
}

/** The attempts of one invocation so far, and whether there is to be another. */
class Attempts {
  readonly #attempt: AttemptContext;
  readonly #budget: RetryBudget;
  readonly #failures: InvokeFailure[] = [];
  #invocation: Invocation;
  #firstFailedAt = 0;
  #tailRefused = false;

  constructor(invocation: Invocation, attempt: AttemptContext) {
    this.#invocation = invocation;
    this.#attempt = attempt;
    this.#budget = new RetryBudget({ ...attempt.policy, deadlineAt: attempt.deadlineAt });
  }

  /** What to send: after a refused log tail it asks for none. */
  get invocation(): Invocation {
    return this.#invocation;
  }

  /** The end with an answer. */
  answered(answer: InvokeResponse | InvokeFailure): AttemptsResult {
    return { result: answer, attempts: this.#failures.length + 1, tailRefused: this.#tailRefused };
  }

  /** Takes in a failure and waits for leave to send again; the answer is the end where that is not to be. */
  async failed(failure: InvokeFailure): Promise<Permit | AttemptsResult> {
    this.#failures.push(failure);
    if (this.#failures.length === 1) this.#firstFailedAt = this.#attempt.timing.now();
    if (refusesTail(failure, this.#invocation) && this.#attempt.policy.retry !== 'never') {
      this.#invocation = { ...this.#invocation, logType: 'None' };
      this.#tailRefused = true;
    } else {
      const end = (await this.#whyNotAgain(failure)) ?? (await this.#wait(failure));
      if (end !== undefined) return end;
    }
    const { limiter, stop, cancel, deadline } = this.#attempt;
    const pass = await limiter.acquire(this.#invocation.index, stop);
    if (pass !== undefined && !stop.aborted) return pass;
    pass?.release('otherwise');
    if (cancel.aborted) return this.#end(failure, 'then the workflow was cancelled');
    return this.#end(failure, deadline.aborted ? GAVE_UP.timeout : undefined);
  }

  /** The end of a failure after which nothing may be sent. */
  async #whyNotAgain(failure: InvokeFailure): Promise<AttemptsResult | undefined> {
    const may = maySendAgain(failure, this.#invocation, this.#attempt.policy.retry);
    if (may === true) return undefined;
    if (may === false) return this.#end(failure);
    const why = await whyNotByName(this.#invocation, this.#attempt);
    return why === undefined ? undefined : this.#end(failure, why);
  }

  /** Waits before the next attempt; the end where there is no time for it. */
  async #wait(failure: InvokeFailure): Promise<AttemptsResult | undefined> {
    const { timing, stop, onWait } = this.#attempt;
    const failedAt = timing.now();
    const ready = await waitForState(failure, this.#invocation, this.#attempt);
    if (ready?.kind === 'failure') return this.#end(ready);
    const now = timing.now();
    this.#budget.extend(now - failedAt);
    // What was asked for before the function was ready no longer counts.
    const askedSeconds = ready === undefined ? (failure.retryAfterSeconds ?? 0) : 0;
    const waitMs = waitBefore(this.#failures.length, timing.random(), askedSeconds);
    const { at, why } = this.#budget.limitOf(failure, now);
    const leftMs = at - now;
    if (waitMs > leftMs)
      return this.#end(failure, askedSeconds * 1000 > leftMs ? askedTooMuch(askedSeconds) : why);
    onWait({
      invocation: this.#invocation,
      failure: sumUp(this.#failures, failure, this.#invocation),
      waitMs,
      leftMs,
    });
    await timing.sleep(waitMs, stop);
    return undefined;
  }

  /** Ends with a failure, and says what was tried and why not longer. */
  #end(last: InvokeFailure, why?: string): AttemptsResult {
    const failure = sumUp(this.#failures, last, this.#invocation);
    const attempts = this.#failures.length;
    const seconds = Math.round((this.#attempt.timing.now() - this.#firstFailedAt) / 1000);
    const notes = [attempts > 1 ? `${tried(this.#failures)} in ${seconds} s` : '', why ?? ''].filter(Boolean);
    const message = [failure.message, ...(notes.length > 0 ? [`(${notes.join('; ')})`] : [])].join(' ');
    return { result: { ...failure, message }, attempts, tailRefused: this.#tailRefused };
  }
}

async function attemptAll(invocation: Invocation, attempt: AttemptContext): Promise<AttemptsResult> {
  const attempts = new Attempts(invocation, attempt);
  for (let { pass } = attempt; ; ) {
    const result = await sendOnce(attempts.invocation, attempt);
    if (result.kind === 'answer') {
      const ended = await followToEnd(result, attempts.invocation, attempt);
      pass.release('otherwise');
      return attempts.answered(ended);
    }
    pass.release(result.isOverload === true ? 'throttled' : 'otherwise');
    const next = await attempts.failed(result);
    if ('result' in next) return next;
    pass = next;
  }
}

async function invokeWithin(
  pass: Permit | undefined,
  invocation: Invocation,
  context: InvokeContext,
): Promise<InvocationResult> {
  const { timing, policy, cancel } = context;
  const startedAt = timing.now();
  const end = (ending: AttemptsResult, region?: string): InvocationResult => ({
    ...ending,
    invocation,
    startedAt: new Date(startedAt),
    elapsedMs: timing.now() - startedAt,
    ...(region !== undefined && { region }),
  });
  const unsent = (told: { name: string; message: string }, region?: string): InvocationResult =>
    end({ result: toUnsent(told), attempts: 0, tailRefused: false }, region);

  const api = context.clients.of(invocation.region);
  let region: string;
  try {
    region = await api.region();
  } catch (error) {
    return unsent({ name: 'RegionMissing', message: `No AWS region: ${messageOf(error)}` });
  }
  if (cancel.aborted || pass === undefined) return unsent(CANCELLED, region);

  const { bounds, release } = boundsFor(policy.timeoutMs, context);
  try {
    const deadlineAt = startedAt + policy.timeoutMs;
    const attempt = { ...context, ...bounds, api, pass, deadlineAt };
    const { readiness } = context;
    if (readiness !== undefined && invocation.invocationType !== 'DryRun') {
      const ready = await readiness.waits.wait(invocation, { ...attempt, ...readiness });
      if (ready.kind === 'failure') return end({ result: ready, attempts: 0, tailRefused: false }, region);
    }
    return end(await attemptAll(invocation, attempt), region);
  } finally {
    release();
  }
}

/** A defect of this action, which may cost nobody else's outcome. Whether the request had been sent is not known. */
const toDefect = (error: unknown, { invocationType }: Invocation): InvokeFailure => ({
  kind: 'failure',
  name: 'InternalError',
  message: messageOf(error),
  evidence: invocationType === 'DryRun' ? 'did_not_run' : 'may_have_run',
  mayClear: false,
  throughProxy: false,
});

async function invokeWithPermit(
  pass: Permit | undefined,
  invocation: Invocation,
  context: InvokeContext,
): Promise<InvocationResult> {
  const { timing } = context;
  const startedAt = timing.now();
  try {
    return await invokeWithin(pass, invocation, context);
  } catch (error) {
    return {
      invocation,
      result: toDefect(error, invocation),
      startedAt: new Date(startedAt),
      elapsedMs: timing.now() - startedAt,
      attempts: 1,
      tailRefused: false,
    };
  } finally {
    // An invocation that ended before it was sent has its pass still.
    pass?.release('otherwise');
  }
}

/**
 * Delivers one invocation: at most one execution, unless the policy or the invocation itself allows more.
 * One deadline stands over everything from the moment when the limiter lets it through. Never throws.
 */
export async function invoke(invocation: Invocation, context: InvokeContext): Promise<InvocationResult> {
  return invokeWithPermit(
    await context.limiter.acquire(invocation.index, context.cancel),
    invocation,
    context,
  );
}

/**
 * Delivers invocations in their order, as many at once as the limiter lets through, and hands each over as it
 * ends. One that fails, or whose `onEnd` does, stops nobody else; when the workflow is cancelled the rest end
 * unsent. Throws at the end what `onEnd` threw.
 */
export async function invokeEach(
  invocations: Iterable<Invocation>,
  context: InvokeContext,
  onEnd: (delivery: InvocationResult) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const errors: unknown[] = [];
  for (const invocation of invocations) {
    const pass = await context.limiter.acquire(invocation.index, context.cancel);
    const ending: Promise<void> = invokeWithPermit(pass, invocation, context)
      .then(onEnd)
      .catch((error: unknown) => {
        errors.push(error);
      })
      .finally(() => underWay.delete(ending));
    underWay.add(ending);
  }
  await Promise.all(underWay);
  context.onAllEnded?.();
  const [first] = errors;
  if (errors.length > 0) {
    throw new Error(`${errors.length} outcomes were not recorded: ${messageOf(first)}`, { cause: first });
  }
}
