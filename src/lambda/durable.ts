import { Buffer } from 'node:buffer';
import { GetDurableExecutionCommand, type GetDurableExecutionResponse } from '@aws-sdk/client-lambda';
import { stopCauseOf } from './bounds.ts';
import { ExecutionHistory, type HistoryRead, type HistoryReading } from './durable-history.ts';
import { toStoppedFollowing, toUnfollowed } from './failures.ts';
import type { Expected } from './flaws.ts';
import type { Invocation, InvokeFailure, InvokeResponse } from './invocation.ts';
import { mayAskAgain, Poll, type Polling } from './polling.ts';

export type { ExecutionEvent, OperationKind, OperationState } from './durable-history.ts';

/** What following an execution needs: the API of its region, and who listens to its events. */
export type Following = HistoryReading & Polling;

// The payload and the response of an execution have up to 6 MB each, and twice that as text inside JSON.
const WITH_DATA: Expected = { statusCode: 200, longestBody: 32 * 1024 * 1024 };

// An execution that was just started may not be found at once.
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

/** An error in the form in which functions report theirs. */
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

/** How the execution ended, in place of the response that started it. */
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

/** Reads the state and then, so that the history is complete when the execution has ended, the new events. */
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

/**
 * Follows a durable execution until it ends or the bounds do; the response is then its own. A failure is one of
 * following: the execution goes on by itself. Never throws.
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
    mayAskAgain(failure) || (failure.statusCode === 404 && timing.now() < notFoundUntil);
  const giveUp = (failure: InvokeFailure): InvokeResponse | InvokeFailure => {
    if (invocation.invocationType !== 'RequestResponse') return failure;
    // The response itself says how the execution ended; only the history is missing.
    history.hide(failure, following);
    return started;
  };
  for (let lastFailure: InvokeFailure | undefined; ; ) {
    const found = await readOnce(started.durableExecutionArn, history, following);
    if (found.kind === 'execution') return toEndedResponse(started, found.execution);
    const cause = stopCauseOf(following);
    if (cause !== undefined) return giveUp(toStoppedFollowing(cause, started, lastFailure));
    if (found.kind === 'failure') {
      lastFailure = found;
      const end = mayClear(found) ? await poll.afterFailure(found) : found;
      if (end !== undefined) return giveUp(toUnfollowed(end, started));
    } else {
      lastFailure = undefined;
      await poll.afterResponse(found);
    }
  }
}
