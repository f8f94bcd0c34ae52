import { grouped } from '../figures.ts';
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
import { GAVE_UP, RetryBudget } from './retry.ts';
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

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** How often it was tried, and how many of these attempts came so far as to send it. */
function tried(failures: readonly Failure[]): string {
  const sent = failures.filter(({ sentAt }) => sentAt !== undefined).length;
  if (sent === failures.length) return `sent ${times(sent)}`;
  return `tried ${times(failures.length)}${sent === 0 ? '' : ` and sent ${times(sent)}`}`;
}

/** A Retry-After that leaves no time for another attempt. */
const askedTooMuch = (seconds: number): string =>
  `gave up: Lambda asks to wait ${grouped(seconds)} s, which is longer than the time left`;

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

/** Why a named invocation is not sent again; undefined where its function is durable, since one name is one execution. */
async function whyNotByName(invocation: Invocation, errand: Errand): Promise<string | undefined> {
  const { readConfiguration } = await import('./configuration.ts');
  const found = await readConfiguration(errand.client, invocation, errand);
  if (found.kind === 'failure') {
    return `not retried: the configuration, which says whether the function is durable, could not be read (${found.name})`;
  }
  return found.isDurable
    ? undefined
    : 'not retried: the configuration does not show that the function is durable';
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

/** The attempts of one invocation so far, and whether there is to be another. */
class Attempts {
  readonly #errand: Errand;
  readonly #budget: RetryBudget;
  readonly #failures: Failure[] = [];
  #invocation: Invocation;
  #firstFailedAt = 0;
  #tailRefused = false;

  constructor(invocation: Invocation, errand: Errand) {
    this.#invocation = invocation;
    this.#errand = errand;
    this.#budget = new RetryBudget({ ...errand.policy, deadlineAt: errand.deadlineAt });
  }

  /** What to send: after a refused log tail it asks for none. */
  get invocation(): Invocation {
    return this.#invocation;
  }

  /** The end with an answer. */
  answered(answer: Answer | Failure): Ending {
    return { result: answer, attempts: this.#failures.length + 1, tailRefused: this.#tailRefused };
  }

  /** Takes in a failure and waits for leave to send again; the answer is the end where that is not to be. */
  async failed(failure: Failure): Promise<Pass | Ending> {
    this.#failures.push(failure);
    if (this.#failures.length === 1) this.#firstFailedAt = this.#errand.timing.now();
    if (refusesTail(failure, this.#invocation) && this.#errand.policy.retry !== 'never') {
      this.#invocation = { ...this.#invocation, logType: 'None' };
      this.#tailRefused = true;
    } else {
      const end = (await this.#whyNotAgain(failure)) ?? (await this.#wait(failure));
      if (end !== undefined) return end;
    }
    const { gate, stop, cancel, deadline } = this.#errand;
    const pass = await gate.enter(this.#invocation.index, stop);
    if (pass !== undefined && !stop.aborted) return pass;
    pass?.leave('otherwise');
    if (cancel.aborted) return this.#end(failure, 'then the workflow was cancelled');
    return this.#end(failure, deadline.aborted ? GAVE_UP.timeout : undefined);
  }

  /** The end of a failure after which nothing may be sent. */
  async #whyNotAgain(failure: Failure): Promise<Ending | undefined> {
    const may = maySendAgain(failure, this.#invocation, this.#errand.policy.retry);
    if (may === true) return undefined;
    if (may === false) return this.#end(failure);
    const why = await whyNotByName(this.#invocation, this.#errand);
    return why === undefined ? undefined : this.#end(failure, why);
  }

  /** Waits before the next attempt; the end where there is no time for it. */
  async #wait(failure: Failure): Promise<Ending | undefined> {
    const { timing, stop, onWait } = this.#errand;
    const failedAt = timing.now();
    const ready = await waitForState(failure, this.#invocation, this.#errand);
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
  #end(last: Failure, why?: string): Ending {
    const failure = sumUp(this.#failures, last, this.#invocation);
    const attempts = this.#failures.length;
    const seconds = Math.round((this.#errand.timing.now() - this.#firstFailedAt) / 1000);
    const notes = [attempts > 1 ? `${tried(this.#failures)} in ${seconds} s` : '', why ?? ''].filter(Boolean);
    const message = [failure.message, ...(notes.length > 0 ? [`(${notes.join('; ')})`] : [])].join(' ');
    return { result: { ...failure, message }, attempts, tailRefused: this.#tailRefused };
  }
}

async function attemptAll(invocation: Invocation, errand: Errand): Promise<Ending> {
  const attempts = new Attempts(invocation, errand);
  for (let { pass } = errand; ; ) {
    const result = await sendOnce(attempts.invocation, errand);
    if (result.kind === 'answer') {
      const ended = await followToEnd(result, attempts.invocation, errand);
      pass.leave('otherwise');
      return attempts.answered(ended);
    }
    pass.leave(result.isOverload === true ? 'throttled' : 'otherwise');
    const next = await attempts.failed(result);
    if ('result' in next) return next;
    pass = next;
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

/** A defect of this action, which may cost nobody else's outcome. Whether the request had been sent is not known. */
const toDefect = (error: unknown, { invocationType }: Invocation): Failure => ({
  kind: 'failure',
  name: 'InternalError',
  message: messageOf(error),
  proof: invocationType === 'DryRun' ? 'never_ran' : 'may_have_run',
  mayClear: false,
  throughProxy: false,
});

async function deliverWith(
  pass: Pass | undefined,
  invocation: Invocation,
  courier: Courier,
): Promise<Delivery> {
  const { timing } = courier;
  const startedAt = timing.now();
  try {
    return await deliverPassed(pass, invocation, courier);
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
 * ends. One that fails, or whose `onEnd` does, stops nobody else; when the workflow is cancelled the rest end
 * unsent. Throws at the end what `onEnd` threw.
 */
export async function deliverAll(
  invocations: Iterable<Invocation>,
  courier: Courier,
  onEnd: (delivery: Delivery) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const errors: unknown[] = [];
  for (const invocation of invocations) {
    const pass = await courier.gate.enter(invocation.index, courier.cancel);
    const ending: Promise<void> = deliverWith(pass, invocation, courier)
      .then(onEnd)
      .catch((error: unknown) => {
        errors.push(error);
      })
      .finally(() => underWay.delete(ending));
    underWay.add(ending);
  }
  await Promise.all(underWay);
  courier.onAllEnded?.();
  const [first] = errors;
  if (errors.length > 0) {
    throw new Error(`${errors.length} outcomes were not recorded: ${messageOf(first)}`, { cause: first });
  }
}
