import { Buffer } from 'node:buffer';
import {
  type Event,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  type GetDurableExecutionResponse,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { type Bounds, perform } from './api.ts';
import { toUnfollowed } from './evidence.ts';
import type { Expected } from './flaws.ts';
import type { Invocation, InvokeFailure, InvokeResponse } from './invocation.ts';
import { mayAskAgain, Poll, type Polling } from './polling.ts';

/** What a durable execution consists of, as its history names it. */
export type OperationKind = 'Step' | 'Wait' | 'Callback' | 'ChainedInvoke' | 'Context';
/** What can become of an operation. */
export type OperationState = 'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Stopped' | 'Cancelled';

/** Something that happened in a durable execution. The name is the function's: foreign text. */
export type ExecutionEvent = Readonly<{
  invocation: Invocation;
  kind: OperationKind;
  state: OperationState;
  name?: string;
  /** How long a wait takes, or how long it is until a step is tried again. */
  seconds?: number;
}>;

/** What following needs: the client of the execution's region, and whom to tell what happens. */
export type Following = Bounds &
  Polling &
  Readonly<{
    client: LambdaClient;
    onExecutionEvent: (event: ExecutionEvent) => void;
    /** Told once, where the history can't be read; the execution is followed all the same. */
    onHiddenHistory: (invocation: Invocation, failure: InvokeFailure) => void;
  }>;

const PAGE = 1000;
// The payload and the response of an execution have up to 6 MB each, and twice that as text inside JSON.
const WITH_DATA: Expected = { statusCode: 200, longestBody: 32 * 1024 * 1024 };

// An execution that was just started may not be found at once.
const UNFOUND_MS = 30_000;

const TYPE =
  /^(Step|Wait|Callback|ChainedInvoke|Context)(Started|Succeeded|Failed|TimedOut|Stopped|Cancelled)$/;
const KINDS: readonly OperationKind[] = ['Step', 'Wait', 'Callback', 'ChainedInvoke', 'Context'];
const STATES: readonly OperationState[] = [
  'Started',
  'Succeeded',
  'Failed',
  'TimedOut',
  'Stopped',
  'Cancelled',
];

/** The event in our words; undefined where it is about the execution itself or its invocations. */
function readEvent(event: Event, invocation: Invocation): ExecutionEvent | undefined {
  const [, kindText, stateText] = TYPE.exec(event.EventType ?? '') ?? [];
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

type Read<Output> = Readonly<{ kind: 'read'; output: Output }>;
type Running = Readonly<{ kind: 'running'; isNews: boolean }>;

/** Reads a history from where it was read to, so that each event is told once, whatever gets lost between. */
class History {
  readonly #arn: string;
  readonly #invocation: Invocation;
  #lastId = 0;
  #marker: string | undefined;
  #isHidden = false;

  constructor(arn: string, invocation: Invocation) {
    this.#arn = arn;
    this.#invocation = invocation;
  }

  /** Tells what is new. A Failure is one that may pass: the next time it is read from there on. */
  async read(following: Following): Promise<Running | InvokeFailure> {
    const before = this.#lastId;
    while (!this.#isHidden) {
      const page = await this.#readPage(following);
      if (page.kind === 'failure') {
        if (following.stop.aborted || mayAskAgain(page)) return page;
        this.hide(page, following);
        break;
      }
      const { Events: events = [], NextMarker: next } = page.output;
      for (const event of events) this.#tell(event, following);
      if (next === undefined) break;
      this.#marker = next;
    }
    return { kind: 'running', isNews: this.#lastId > before };
  }

  /** Reads no more of it, and says once why. */
  hide(failure: InvokeFailure, { onHiddenHistory }: Following): void {
    if (!this.#isHidden) onHiddenHistory(this.#invocation, failure);
    this.#isHidden = true;
  }

  #readPage({ client, ...bounds }: Following) {
    return perform(bounds, async () => {
      const command = new GetDurableExecutionHistoryCommand({
        DurableExecutionArn: this.#arn,
        IncludeExecutionData: false,
        MaxItems: PAGE,
        ...(this.#marker !== undefined && { Marker: this.#marker }),
      });
      return { kind: 'read', output: await client.send(command) } as const;
    });
  }

  #tell(event: Event, { onExecutionEvent }: Following): void {
    const { EventId: id = 0 } = event;
    if (id <= this.#lastId) return;
    this.#lastId = id;
    const told = readEvent(event, this.#invocation);
    if (told !== undefined) onExecutionEvent(told);
  }
}

function readExecution(
  arn: string,
  { client, ...bounds }: Following,
  data: { IncludeExecutionData: boolean },
): Promise<Read<GetDurableExecutionResponse> | InvokeFailure> {
  const send = async () => {
    const command = new GetDurableExecutionCommand({ DurableExecutionArn: arn, ...data });
    return { kind: 'read', output: await client.send(command) } as const;
  };
  return perform(bounds, send, WITH_DATA);
}

/** An error in the form in which functions report theirs. */
function errorPayload({ Status: status, Error: error }: GetDurableExecutionResponse): Uint8Array {
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

/** What the execution came to, in place of the answer that started it. */
function toAnswer(started: InvokeResponse, execution: GetDurableExecutionResponse): InvokeResponse {
  const { functionError: _, ...rest } = started;
  const ended: InvokeResponse = {
    ...rest,
    ...(execution.Version !== undefined && { executedVersion: execution.Version }),
  };
  return execution.Status === 'SUCCEEDED'
    ? { ...ended, payload: Buffer.from(execution.Result ?? 'null') }
    : {
        ...ended,
        payload: errorPayload(execution),
        functionError: started.functionError ?? execution.Status ?? 'Unknown',
      };
}

const STOPS = {
  cancelled: {
    name: 'Cancelled',
    message: 'the workflow was cancelled while the durable execution was running',
  },
  deadline: {
    name: 'DeadlineExceeded',
    message: 'timeout_seconds was over while the durable execution was running',
  },
} as const;

type Started = InvokeResponse & Readonly<{ durableExecutionArn: string }>;

/** Why an execution is followed no longer, with why nothing was heard of it in the end. */
function toStoppedFollowing(
  started: Started,
  unread: InvokeFailure | undefined,
  { cancel }: Following,
): InvokeFailure {
  const { name, message } = STOPS[cancel.aborted ? 'cancelled' : 'deadline'];
  const why = unread === undefined ? '' : `; it could not be read any more: ${unread.message}`;
  return toUnfollowed({ name, message: `${message}${why}` }, started);
}

/** Asks for the state and then, so that the history is whole when the end is seen, for what led to it. */
async function look(
  arn: string,
  history: History,
  following: Following,
): Promise<InvokeFailure | Running | Read<GetDurableExecutionResponse>> {
  const found = await readExecution(arn, following, { IncludeExecutionData: false });
  if (found.kind === 'failure') return found;
  const told = await history.read(following);
  return found.output.Status === 'RUNNING'
    ? told
    : readExecution(arn, following, { IncludeExecutionData: true });
}

/**
 * Follows a durable execution until it ends or the bounds do; the answer is then its own. A Failure is one of
 * following: the execution goes on by itself. Never throws.
 */
export async function followExecution(
  started: Started,
  invocation: Invocation,
  following: Following,
): Promise<InvokeResponse | InvokeFailure> {
  const { timing, stop } = following;
  const history = new History(started.durableExecutionArn, invocation);
  const poll = new Poll(invocation, following);
  const unfoundUntil = timing.now() + UNFOUND_MS;
  const mayCome = (failure: InvokeFailure): boolean =>
    mayAskAgain(failure) || (failure.statusCode === 404 && timing.now() < unfoundUntil);
  const giveUp = (failure: InvokeFailure): InvokeResponse | InvokeFailure => {
    if (invocation.invocationType !== 'RequestResponse') return failure;
    // The answer itself says how it ended; only the history is missing.
    history.hide(failure, following);
    return started;
  };
  for (let unread: InvokeFailure | undefined; ; ) {
    const found = await look(started.durableExecutionArn, history, following);
    if (found.kind === 'read') return toAnswer(started, found.output);
    if (stop.aborted) return giveUp(toStoppedFollowing(started, unread, following));
    if (found.kind === 'failure') {
      unread = found;
      const end = mayCome(found) ? await poll.afterFailure(found) : found;
      if (end !== undefined) return giveUp(toUnfollowed(end, started));
    } else {
      unread = undefined;
      await poll.afterAnswer(found);
    }
  }
}
