import { Buffer } from 'node:buffer';
import {
  type Event,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  type GetDurableExecutionResponse,
} from '@aws-sdk/client-lambda';
import type { LambdaApi } from './api.ts';
import type { Expected } from './exchange.ts';
import { toStoppedFollowing, toUnknownExecution } from './failures.ts';
import type { Invocation, InvokeFailure, InvokeResponse } from './invocation.ts';
import { mayPollAgain, Poll, type Polling } from './polling.ts';
import { type Stopping, stopExecution } from './stop-execution.ts';
import { type Bounds, type StopCause, stopCauseOf } from './timing.ts';

/** The operations of a durable execution, by their names in its history. */
export type OperationKind = 'Step' | 'Wait' | 'Callback' | 'ChainedInvoke' | 'Context';
/** The states of an operation. */
export type OperationState = 'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Stopped' | 'Cancelled';

/** Something that happened in a durable execution. The name is the function's: foreign text. */
export type ExecutionEvent = Readonly<{
  invocation: Invocation;
  kind: OperationKind;
  state: OperationState;
  name?: string;
  /** The duration of a wait, or the time until a step is retried. */
  seconds?: number;
}>;

/** What reading a history needs: the API of the execution's region, and callbacks. */
export type HistoryReading = Bounds &
  Readonly<{
    api: LambdaApi;
    onExecutionEvent: (event: ExecutionEvent) => void;
    /** Called once if the history can't be read. The execution is followed nevertheless. */
    onHiddenHistory: (invocation: Invocation, failure: InvokeFailure) => void;
  }>;

/** The history was read to its current end. */
export type HistoryRead = Readonly<{ kind: 'history'; hasNewEvents: boolean }>;

const EVENTS_PER_PAGE = 1000;
// How many pages are read before the state of the execution is read again. An execution has a few thousand events.
const MOST_PAGES = 100;

const KINDS: readonly OperationKind[] = ['Step', 'Wait', 'Callback', 'ChainedInvoke', 'Context'];
const STATES: readonly OperationState[] = [
  'Started',
  'Succeeded',
  'Failed',
  'TimedOut',
  'Stopped',
  'Cancelled',
];
const EVENT_TYPE = new RegExp(`^(${KINDS.join('|')})(${STATES.join('|')})$`);

/** The event of an operation; undefined for an event of the execution itself or its invocations. */
function readEvent(event: Event, invocation: Invocation): ExecutionEvent | undefined {
  const [, kindText, stateText] = EVENT_TYPE.exec(event.EventType ?? '') ?? [];
  const kind = KINDS.find((known) => known === kindText);
  const state = STATES.find((known) => known === stateText);
  if (kind === undefined || state === undefined) return undefined;
  const seconds =
    event.WaitStartedDetails?.Duration ?? event.StepFailedDetails?.RetryDetails?.NextAttemptDelaySeconds;
  return {
    invocation,
    kind,
    state,
    ...(event.Name !== undefined && { name: event.Name }),
    ...(seconds !== undefined && { seconds }),
  };
}

/** Continues reading a history where the last read ended, so that each event is reported once, even after failures. */
class ExecutionHistory {
  readonly #arn: string;
  readonly #invocation: Invocation;
  #lastId = 0;
  #marker: string | undefined;
  #isHidden = false;

  constructor(arn: string, invocation: Invocation) {
    this.#arn = arn;
    this.#invocation = invocation;
  }

  /** Reports the new events. After a failure, the next call continues from there. */
  async read(reading: HistoryReading): Promise<HistoryRead | InvokeFailure> {
    const before = this.#lastId;
    for (let pages = 0; pages < MOST_PAGES && !this.#isHidden; pages += 1) {
      const page = await this.#readPage(reading);
      if (page.kind === 'failure') {
        if (reading.stop.aborted || mayPollAgain(page)) return page;
        this.hide(page, reading);
        break;
      }
      for (const event of page.events) this.#report(event, reading);
      if (page.next === undefined || page.next === this.#marker) break;
      this.#marker = page.next;
    }
    return { kind: 'history', hasNewEvents: this.#lastId > before };
  }

  /** Stops reading the history, and reports why, once. */
  hide(failure: InvokeFailure, { onHiddenHistory }: HistoryReading): void {
    if (!this.#isHidden) onHiddenHistory(this.#invocation, failure);
    this.#isHidden = true;
  }

  #readPage({ api, ...bounds }: HistoryReading) {
    const command = new GetDurableExecutionHistoryCommand({
      DurableExecutionArn: this.#arn,
      IncludeExecutionData: false,
      MaxItems: EVENTS_PER_PAGE,
      ...(this.#marker !== undefined && { Marker: this.#marker }),
    });
    return api.send(command, {
      bounds,
      read: ({ Events: events = [], NextMarker: next }) => ({ kind: 'page', events, next }) as const,
    });
  }

  #report(event: Event, { onExecutionEvent }: HistoryReading): void {
    const { EventId: id = 0 } = event;
    if (id <= this.#lastId) return;
    this.#lastId = id;
    const reported = readEvent(event, this.#invocation);
    if (reported !== undefined) onExecutionEvent(reported);
  }
}

/** What following an execution needs, in addition to reading its history. */
export type Following = HistoryReading &
  Polling &
  Readonly<{
    /** When the first attempt began, in milliseconds since 1970. */
    beganAt: number;
    /** How to stop an execution that is no longer followed; absent if it is left running. */
    stopping?: Stopping;
  }>;

// The payload and the response of an execution have up to 6 MB each, and up to twice that as text inside JSON.
const WITH_DATA: Expected = { statusCode: 200, longestBody: 32 * 1024 * 1024 };

// Lambda may need a moment to find an execution that was just started.
const NOT_FOUND_MS = 30_000;

type Execution = Readonly<{ kind: 'execution'; execution: GetDurableExecutionResponse }>;

function readExecution(
  arn: string,
  { api, ...bounds }: Following,
  data: { IncludeExecutionData: boolean },
): Promise<Execution | InvokeFailure> {
  return api.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn, ...data }), {
    bounds,
    expected: WITH_DATA,
    read: (execution): Execution => ({ kind: 'execution', execution }),
  });
}

/** The error of an execution in the form of a function error. */
function toErrorPayload({ Status: status, Error: error }: GetDurableExecutionResponse): Uint8Array {
  const {
    ErrorType: errorType,
    ErrorMessage: errorMessage,
    StackTrace: stackTrace,
    ErrorData: errorData,
  } = error ?? {};
  return Buffer.from(
    JSON.stringify({
      errorType: errorType ?? `DurableExecution.${status}`,
      errorMessage: errorMessage ?? `The durable execution ended with status ${status}.`,
      ...(stackTrace !== undefined && { stackTrace }),
      ...(errorData !== undefined && { errorData }),
    }),
  );
}

/** How the execution ended, as a response that replaces the one that started it. */
function toEndedResponse(started: InvokeResponse, execution: GetDurableExecutionResponse): InvokeResponse {
  const { functionError: _, ...rest } = started;
  const ended: InvokeResponse = {
    ...rest,
    ...(execution.Version !== undefined && { executedVersion: execution.Version }),
  };
  return execution.Status === 'SUCCEEDED'
    ? { ...ended, payload: Buffer.from(execution.Result ?? 'null') }
    : {
        ...ended,
        payload: toErrorPayload(execution),
        functionError: started.functionError ?? execution.Status ?? 'Unknown',
      };
}

type Started = InvokeResponse & Readonly<{ durableExecutionArn: string }>;

/** Reads the state and then the new events, so that the history is complete when the execution has ended. */
async function readOnce(
  arn: string,
  history: ExecutionHistory,
  following: Following,
): Promise<Execution | HistoryRead | InvokeFailure> {
  const found = await readExecution(arn, following, { IncludeExecutionData: false });
  if (found.kind === 'failure') return found;
  const read = await history.read(following);
  return found.execution.Status === 'RUNNING'
    ? read
    : readExecution(arn, following, { IncludeExecutionData: true });
}

/** Stops following an execution that continues, and stops the execution itself if `on_cancel` says so. */
async function leave(
  left: Readonly<{ cause: Exclude<StopCause, 'connect'>; lastFailure: InvokeFailure | undefined }>,
  { started, invocation }: Readonly<{ started: Started; invocation: Invocation }>,
  following: Following,
): Promise<InvokeFailure> {
  const { cause, lastFailure } = left;
  const { stopping } = following;
  const failure = toStoppedFollowing(cause, started, lastFailure);
  // A synchronous response arrives only when the execution has ended.
  if (stopping === undefined || invocation.invocationType === 'RequestResponse') return failure;
  const arn = started.durableExecutionArn;
  return {
    ...failure,
    executionStop: await stopExecution({ ...following, ...stopping, cause, arn, invocation }),
  };
}

/**
 * Follows a durable execution until it ends or the bounds are reached, and returns its response. A failure is about
 * following only: the execution continues. Never throws.
 */
export async function followExecution(
  started: Started,
  invocation: Invocation,
  following: Following,
): Promise<InvokeResponse | InvokeFailure> {
  const { timing } = following;
  const history = new ExecutionHistory(started.durableExecutionArn, invocation);
  const poll = new Poll(invocation, following);
  const notFoundUntil = timing.now() + NOT_FOUND_MS;
  const mayClear = (failure: InvokeFailure): boolean =>
    mayPollAgain(failure) || (failure.statusCode === 404 && timing.now() < notFoundUntil);
  const giveUp = (failure: InvokeFailure): InvokeResponse | InvokeFailure => {
    if (invocation.invocationType !== 'RequestResponse') return failure;
    // The response itself says how the execution ended. Only the history is missing.
    history.hide(failure, following);
    return started;
  };
  for (let lastFailure: InvokeFailure | undefined; ; ) {
    const found = await readOnce(started.durableExecutionArn, history, following);
    if (found.kind === 'execution') return toEndedResponse(started, found.execution);
    const cause = stopCauseOf(following);
    if (cause !== undefined)
      return giveUp(await leave({ cause, lastFailure }, { started, invocation }, following));
    if (found.kind === 'failure') {
      lastFailure = found;
      const end = mayClear(found) ? await poll.afterFailure(found) : found;
      if (end !== undefined) return giveUp(toUnknownExecution(end, started));
    } else {
      lastFailure = undefined;
      await poll.afterResponse(found);
    }
  }
}
