import { messageOf } from '../shared/values.ts';
import type { LambdaApi } from './api.ts';
import { type AttemptsResult, attemptAll, hasHalted, type RequestIds } from './attempts.ts';
import type { Clients } from './client.ts';
import type { Following, followExecution } from './durable.ts';
import { toCancelledUnsent, toHaltedUnsent, toInternalError, toUnsent } from './failures.ts';
import type {
  Invocation,
  InvocationResult,
  InvokeFailure,
  InvokeResponse,
  LogEvidence,
} from './invocation.ts';
import type { AdaptiveLimiter, Permit } from './limiter.ts';
import type { Readiness, Waiting } from './readiness.ts';
import type { InvokePolicy } from './retry-policy.ts';
import type { OnChunk, streamOnce } from './stream.ts';
import { type Bounds, boundsFor, linkAbort, linkHalt, type Timing } from './timing.ts';

export type { InvokePolicy, RetryPolicy } from './retry-policy.ts';

/** A wait before a retry. */
export type Wait = Readonly<{
  invocation: Invocation;
  failure: InvokeFailure;
  waitMs: number;
  leftMs: number;
}>;

/** An attempt that is about to be sent, with our own ID of it, unless the endpoint refuses IDs. */
export type Sending = Readonly<{ invocation: Invocation; api: LambdaApi; sentAs: string | undefined }>;

/** What all invocations of a step share. */
export type InvokeContext = Readonly<{
  clients: Clients;
  policy: InvokePolicy;
  timing: Timing;
  limiter: AdaptiveLimiter;
  requestIds: RequestIds;
  /** Aborts when the workflow is cancelled. From then on, nothing new is sent. */
  cancel: AbortSignal;
  /** With `stop_on_failure`, aborts when an invocation has failed. From then on, nothing new is sent. */
  halt?: AbortSignal;
  /** Records an attempt before it is sent, with its request ID if it is known. If it rejects, nothing is sent. */
  writeAhead?: (invocation: Invocation, requestId: string | undefined) => Promise<void>;
  onWait: (wait: Wait) => void;
  /** Called before each attempt. Never throws. */
  onSend?: (sending: Sending) => void;
  /** Looks in the function's log for an invocation that may have run and has no response. */
  witness?: (ended: InvocationResult) => Promise<LogEvidence | undefined>;
  /** Called once when the last invocation of a list has ended. */
  onAllEnded?: () => void;
  /** Waits until functions are ready. */
  readiness?: Readonly<{ waits: Readiness }> &
    Pick<Waiting, 'onStateChange' | 'onFailedPoll' | 'onAliasChange' | 'onHiddenAlias' | 'expectsVersion'>;
  /** Follows durable executions to their end. */
  follow?: Readonly<{ execution: typeof followExecution; onNotDurable: (invocation: Invocation) => void }> &
    Pick<Following, 'onExecutionEvent' | 'onHiddenHistory' | 'onFailedPoll' | 'stopping'>;
  /** Waits until the log shows how an accepted event ended. */
  waitForEvent?: (
    accepted: InvokeResponse,
    invocation: Invocation,
    asked: Bounds & Readonly<{ api: LambdaApi }>,
  ) => Promise<InvokeResponse | InvokeFailure>;
  /** Receives the response as a stream. */
  stream?: Readonly<{ invokeOnce: typeof streamOnce; onChunk: OnChunk }>;
}>;

/** An invocation that ended before its first attempt. */
const notAttempted = (result: InvokeFailure): AttemptsResult => ({
  result,
  attempts: 0,
  sent: [],
  tailRefused: false,
});

/** How an invocation ended, its region, and its log group. */
type RegionResult = AttemptsResult & Readonly<{ region?: string; logGroup?: string }>;

async function invokeWithin(
  permit: Permit | undefined,
  invocation: Invocation,
  context: InvokeContext,
): Promise<RegionResult> {
  const { timing, policy, cancel, halt, readiness } = context;
  const timeoutMs = invocation.timeoutMs ?? policy.timeoutMs;
  const deadlineAt = timing.now() + timeoutMs;
  const api = context.clients.of(invocation.region);
  let region: string;
  try {
    region = await api.region();
  } catch (error) {
    return notAttempted(toUnsent({ name: 'RegionMissing', message: `No AWS region: ${messageOf(error)}` }));
  }
  if (hasHalted(context)) return { ...notAttempted(toHaltedUnsent()), region };
  if (cancel.aborted || permit === undefined) return { ...notAttempted(toCancelledUnsent()), region };

  const { bounds, release } = boundsFor(timeoutMs, context);
  const { signal: stopSending, unlink } = linkHalt(bounds.stop, halt);
  try {
    const attempt = { ...context, ...bounds, api, permit, stopSending, deadlineAt };
    const isWaitedFor = readiness !== undefined && invocation.invocationType !== 'DryRun';
    const ready = isWaitedFor
      ? await readiness.waits.wait(invocation, { ...attempt, ...readiness, stop: stopSending })
      : undefined;
    if (hasHalted(context)) return { ...notAttempted(toHaltedUnsent()), region };
    if (ready?.kind === 'failure') return { ...notAttempted(ready), region };
    const ended = await attemptAll(invocation, attempt);
    return { ...ended, region, ...(ready?.logGroup !== undefined && { logGroup: ready.logGroup }) };
  } finally {
    unlink();
    release();
  }
}

/** Whether to look for an invocation in the log. The requests of a durable execution are not ours. */
const isLost = ({ result, invocation }: InvocationResult): boolean =>
  result.kind === 'failure' &&
  result.event === undefined &&
  result.evidence !== 'did_not_run' &&
  result.durableExecutionArn === undefined &&
  invocation.invocationType !== 'DryRun';

/** Adds what the function's log shows if there is no response. It does not change what is known without the log. */
export async function withLog(
  ended: InvocationResult,
  { witness, cancel }: Pick<InvokeContext, 'witness' | 'cancel'>,
): Promise<InvocationResult> {
  if (witness === undefined || cancel.aborted || !isLost(ended)) return ended;
  const inLog = await witness(ended).catch(() => undefined);
  return inLog === undefined ? ended : { ...ended, inLog };
}

/**
 * Invokes a function once: at most one execution, unless the policy or the invocation itself allows more. One
 * deadline applies from the moment when the limiter grants a permit. Never throws.
 */
async function invokeWithPermit(
  permit: Permit | undefined,
  invocation: Invocation,
  context: InvokeContext,
): Promise<InvocationResult> {
  const { timing } = context;
  const startedAt = timing.now();
  const ended = await invokeWithin(permit, invocation, context).catch(
    // If this action has a defect, the other invocations still need their outcomes.
    (error: unknown): RegionResult => ({ ...notAttempted(toInternalError(error, invocation)), attempts: 1 }),
  );
  // An invocation that ended before it was sent has not released its permit.
  permit?.release('otherwise');
  const elapsedMs = timing.now() - startedAt;
  return withLog({ ...ended, invocation, startedAt: new Date(startedAt), elapsedMs }, context);
}

/**
 * Invokes functions in the given order, as many at once as the limiter allows, and passes on each invocation as it ends.
 * A failure, even of `onEnd`, does not stop the others. If the workflow is cancelled, the rest is not sent. Throws the
 * errors of `onEnd` at the end.
 */
export async function invokeEach(
  invocations: Iterable<Invocation>,
  context: InvokeContext,
  onEnd: (result: InvocationResult) => Promise<void>,
): Promise<void> {
  const { limiter, cancel, halt } = context;
  const underWay = new Set<Promise<void>>();
  const errors: unknown[] = [];
  const { signal: stop, unlink } = linkAbort(cancel, ...(halt === undefined ? [] : [halt]));
  for (const invocation of invocations) {
    // Wait, because it is known only after the outcome is handled whether an invocation failed.
    while (halt !== undefined && underWay.size >= limiter.most) await Promise.race(underWay);
    const permit = await limiter.acquire(invocation.index, stop);
    const done: Promise<void> = invokeWithPermit(permit, invocation, context)
      .then(onEnd)
      .catch((error: unknown) => {
        errors.push(error);
      })
      .finally(() => underWay.delete(done));
    underWay.add(done);
  }
  await Promise.all(underWay);
  unlink();
  context.onAllEnded?.();
  const [first] = errors;
  if (errors.length > 0) {
    throw new Error(`${errors.length} outcomes were not recorded: ${messageOf(first)}`, { cause: first });
  }
}

/** Passes the invocations that have ended to the one reader that handles them. */
class ResultQueue {
  readonly #waiting: Readonly<{ result: InvocationResult; handled: () => void }>[] = [];
  #hasEnded = false;
  #wake = (): void => {};

  /** Adds an invocation that has ended. Resolves when the reader has handled it. */
  add(result: InvocationResult): Promise<void> {
    return new Promise((handled) => {
      this.#waiting.push({ result, handled });
      this.#wake();
    });
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** The queued invocations in order. An invocation counts as handled when the reader takes the next one. */
  async *results(): AsyncGenerator<InvocationResult, void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next.result;
        next.handled();
      } else if (this.#hasEnded) return;
      else
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
    }
  }
}

/** Invokes everything, and passes on each invocation the moment it ends. */
export async function* invokeAll(
  invocations: Iterable<Invocation>,
  context: InvokeContext,
): AsyncGenerator<InvocationResult, void> {
  const queue = new ResultQueue();
  const all = invokeEach(invocations, context, (result) => queue.add(result)).finally(() => queue.end());
  // The error is thrown below, after the reader has handled everything.
  all.catch(() => {});
  yield* queue.results();
  await all;
}
