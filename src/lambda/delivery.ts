import { messageOf } from '../thrown.ts';
import { follow } from './abort.ts';
import type { Clients } from './client.ts';
import type { Configuration } from './configuration.ts';
import type { Following, followExecution } from './durable.ts';
import { CANCELLED, toUnsent, wasTakenForInvocation } from './failures.ts';
import type { Gate, Pass } from './gate.ts';
import type { Answer, Delivery, Failure, Invocation } from './invocation.ts';
import { invokeOnce } from './invoke.ts';
import type { Readiness, Waiting } from './readiness.ts';
import type { Bounds } from './request.ts';
import type { OnChunk, streamOnce } from './stream.ts';
import type { Timing } from './timing.ts';

/** What may be sent again: only what never ran, also what may have run, or nothing. */
export type RetryPolicy = 'safe' | 'idempotent' | 'never';

/** The bounds of one invocation, in milliseconds. */
export type DeliveryPolicy = Readonly<{ timeoutMs: number; retry: RetryPolicy; retryMs: number }>;

/** A wait before an invocation is sent again. */
export type Wait = Readonly<{ invocation: Invocation; failure: Failure; waitMs: number; leftMs: number }>;

/** What deliveries share. */
export type Courier = Readonly<{
  clients: Clients;
  policy: DeliveryPolicy;
  timing: Timing;
  gate: Gate;
  /** Aborts when the workflow is cancelled: nothing new is sent from then on. */
  cancel: AbortSignal;
  onWait: (wait: Wait) => void;
  /** Where functions are waited for until they are ready. */
  readiness?: Readonly<{ waits: Readiness; onStateChange: Waiting['onStateChange'] }>;
  /** Where durable executions are followed to their end. */
  follow?: Readonly<{ execution: typeof followExecution; onNotDurable: (invocation: Invocation) => void }> &
    Pick<Following, 'onExecutionEvent' | 'onHiddenHistory'>;
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
  failure: Failure,
  invocation: Invocation,
  policy: RetryPolicy,
): boolean | 'if durable' {
  if (policy === 'never' || !failure.mayClear) return false;
  switch (failure.proof) {
    case 'never_ran':
      return true;
    case 'may_have_run':
      if (policy === 'idempotent' || invocation.invocationType === 'DryRun') return true;
      return invocation.durableExecutionName !== undefined && 'if durable';
    case 'ran':
      return false;
    default:
      return failure.proof satisfies never;
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

const refusesTail = (failure: Failure, invocation: Invocation): boolean =>
  invocation.logType === 'Tail' &&
  failure.name === 'InvalidParameterValueException' &&
  failure.message.includes('Tail logs are not supported');

const isThrottle = (result: Answer | Failure): boolean =>
  result.kind === 'failure' && result.statusCode === 429;

/** What all attempts together prove: one that may have run is not undone by a later one that was refused. */
function sumUp(failures: readonly Failure[], last: Failure, invocation: Invocation): Failure {
  if (invocation.invocationType === 'DryRun' && !wasTakenForInvocation(last)) {
    return { ...last, proof: 'never_ran' };
  }
  const uncertain = failures.find(({ proof }) => proof === 'may_have_run');
  const proof = last.proof === 'never_ran' && uncertain ? 'may_have_run' : last.proof;
  const sentAt = uncertain?.sentAt ?? last.sentAt;
  return { ...last, proof, ...(sentAt !== undefined && { sentAt }) };
}

/** The failure to end with, with what was tried. */
function giveUp(failure: Failure, tried: { attempts: number; forMs: number; then?: string }): Failure {
  const { attempts, forMs, then } = tried;
  const notes = [
    ...(attempts > 1 ? [`sent ${attempts} times in ${Math.round(forMs / 1000)} s`] : []),
    ...(then === undefined ? [] : [then]),
  ];
  return notes.length === 0 ? failure : { ...failure, message: `${failure.message} (${notes.join('; ')})` };
}

type Ending = Readonly<{ result: Answer | Failure; attempts: number; tailRefused: boolean }>;

/** A courier on the way with one invocation. */
type Errand = Courier &
  Bounds &
  Readonly<{
    client: ReturnType<Clients['of']>;
    pass: Pass;
    deadlineAt: number;
  }>;

const sendOnce = (invocation: Invocation, errand: Errand): Promise<Answer | Failure> => {
  const { client, stream } = errand;
  // A dry run asks for the same permission either way, and Invoke is the way that surely runs nothing.
  return stream === undefined || invocation.invocationType !== 'RequestResponse'
    ? invokeOnce(client, invocation, errand)
    : stream.invokeOnce(client, invocation, { ...errand, onChunk: stream.onChunk });
};

/** A durable execution is answered for when it ends, not when it was started. */
async function followToEnd(
  answer: Answer,
  invocation: Invocation,
  errand: Errand,
): Promise<Answer | Failure> {
  const { follow } = errand;
  const { durableExecutionArn } = answer;
  if (follow === undefined || invocation.invocationType === 'DryRun') return answer;
  if (durableExecutionArn === undefined) {
    follow.onNotDurable(invocation);
    return answer;
  }
  return follow.execution({ ...answer, durableExecutionArn }, invocation, { ...errand, ...follow });
}

/** Whether the function is durable, by its configuration: only then is one name one execution. */
async function isDurable(invocation: Invocation, errand: Errand): Promise<boolean> {
  const { readConfiguration } = await import('./configuration.ts');
  const found = await readConfiguration(errand.client, invocation, errand);
  return found.kind === 'configuration' && found.isDurable;
}

/** Waits for a function whose state was in the way, where that is wanted; undefined where it is not. */
async function waitForState(
  failure: Failure,
  invocation: Invocation,
  errand: Errand,
): Promise<Configuration | Failure | undefined> {
  const { readiness } = errand;
  if (readiness === undefined || !NOT_READY.includes(failure.name)) return undefined;
  return readiness.waits.waitAgain(invocation, { ...errand, ...readiness });
}

async function attemptAll(asked: Invocation, errand: Errand): Promise<Ending> {
  const { policy, timing, gate, cancel, deadline, deadlineAt, stop, onWait } = errand;
  let pass: Pass | undefined = errand.pass;
  const failures: Failure[] = [];
  let invocation = asked;
  let tailRefused = false;
  let retryUntil = Number.POSITIVE_INFINITY;
  let firstFailedAt = 0;

  for (let attempts = 1; ; attempts += 1) {
    const result = await sendOnce(invocation, errand);
    if (result.kind === 'answer') {
      const ended = await followToEnd(result, invocation, errand);
      pass?.leave('otherwise');
      return { result: ended, attempts, tailRefused };
    }
    pass?.leave(isThrottle(result) ? 'throttled' : 'otherwise');

    const now = timing.now();
    const failure = sumUp(failures, result, invocation);
    failures.push(result);
    if (attempts === 1) {
      firstFailedAt = now;
      retryUntil = Math.min(now + policy.retryMs, deadlineAt);
    }
    if (refusesTail(failure, invocation) && policy.retry !== 'never') {
      invocation = { ...invocation, logType: 'None' };
      tailRefused = true;
      pass = await gate.enter(invocation.index, stop);
      continue;
    }
    const waitMs = waitBefore(attempts, timing.random(), failure.retryAfterSeconds);
    const forMs = now - firstFailedAt;
    const end = (then?: string, last = failure): Ending => ({
      result: giveUp(last, { attempts, forMs, ...(then !== undefined && { then }) }),
      attempts,
      tailRefused,
    });
    const may = maySendAgain(result, invocation, policy.retry);
    if (may === false) return end();
    if (may === 'if durable' && !(await isDurable(invocation, errand))) {
      return end('it was not sent again, since its configuration does not show that the function is durable');
    }
    const ready = await waitForState(failure, invocation, errand);
    if (ready?.kind === 'failure') return end(undefined, sumUp(failures, ready, invocation));
    if (ready !== undefined) retryUntil = Math.min(timing.now() + policy.retryMs, deadlineAt);
    else if (now + waitMs > retryUntil) {
      return end(`to wait ${Math.ceil(waitMs / 1000)} s more would be too long`);
    } else onWait({ invocation, failure, waitMs, leftMs: retryUntil - now });
    await timing.sleep(waitMs, stop);
    pass = await gate.enter(invocation.index, stop);
    if (cancel.aborted) return end('then the workflow was cancelled');
    if (deadline.aborted) return end('then timeout_seconds was over');
  }
}

async function deliverPassed(
  pass: Pass | undefined,
  invocation: Invocation,
  courier: Courier,
): Promise<Delivery> {
  const { timing, policy, cancel } = courier;
  const startedAt = timing.now();
  const end = (ending: Ending, region?: string): Delivery => ({
    ...ending,
    invocation,
    startedAt: new Date(startedAt),
    elapsedMs: timing.now() - startedAt,
    ...(region !== undefined && { region }),
  });
  const unsent = (told: { name: string; message: string }, region?: string): Delivery =>
    end({ result: toUnsent(told), attempts: 0, tailRefused: false }, region);

  const client = courier.clients.of(invocation.region);
  let region: string;
  try {
    region = await client.config.region();
  } catch (error) {
    return unsent({ name: 'RegionMissing', message: `No AWS region: ${messageOf(error)}` });
  }
  if (cancel.aborted || pass === undefined) return unsent(CANCELLED, region);

  const deadline = new AbortController();
  const callOff = timing.after(policy.timeoutMs, () => deadline.abort());
  const { signal: stop, letGo } = follow(cancel, deadline.signal);
  try {
    const deadlineAt = startedAt + policy.timeoutMs;
    const errand = { ...courier, client, pass, deadline: deadline.signal, deadlineAt, stop };
    const { readiness } = courier;
    if (readiness !== undefined && invocation.invocationType !== 'DryRun') {
      const ready = await readiness.waits.wait(invocation, { ...errand, ...readiness });
      if (ready.kind === 'failure') return end({ result: ready, attempts: 0, tailRefused: false }, region);
    }
    return end(await attemptAll(invocation, errand), region);
  } finally {
    callOff();
    letGo();
  }
}

async function deliverWith(
  pass: Pass | undefined,
  invocation: Invocation,
  courier: Courier,
): Promise<Delivery> {
  try {
    return await deliverPassed(pass, invocation, courier);
  } finally {
    // An invocation that ended before it was sent has its pass still.
    pass?.leave('otherwise');
  }
}

/**
 * Delivers one invocation: at most one execution, unless the policy or the invocation itself allows more.
 * One deadline stands over everything from the moment when the gate lets it through. Never throws.
 */
export async function deliver(invocation: Invocation, courier: Courier): Promise<Delivery> {
  return deliverWith(await courier.gate.enter(invocation.index, courier.cancel), invocation, courier);
}

/**
 * Delivers invocations in their order, as many at once as the gate lets through, and hands each over as it
 * ends. One that fails stops nobody else; when the workflow is cancelled the rest end unsent.
 */
export async function deliverAll(
  invocations: Iterable<Invocation>,
  courier: Courier,
  onEnd: (delivery: Delivery) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  for (const invocation of invocations) {
    const pass = await courier.gate.enter(invocation.index, courier.cancel);
    const ending: Promise<void> = deliverWith(pass, invocation, courier)
      .then(onEnd)
      .finally(() => underWay.delete(ending));
    underWay.add(ending);
  }
  await Promise.all(underWay);
}
