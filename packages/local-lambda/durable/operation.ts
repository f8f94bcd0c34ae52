import type { ErrorObject, Operation, OperationStatus } from '@aws-sdk/client-lambda';

type Common = Readonly<{
  id: string;
  parentId: string | undefined;
  name: string | undefined;
  subType: string | undefined;
  status: OperationStatus;
  startedAt: number;
  endedAt: number | undefined;
}>;

type Outcome = Readonly<{ result: string | undefined; error: ErrorObject | undefined }>;

/** An operation of a durable execution: the execution itself, a step, a wait, etc. Times are milliseconds since 1970. */
export type DurableOperation =
  | (Common & Readonly<{ type: 'EXECUTION'; input: string }>)
  | (Common & Outcome & Readonly<{ type: 'CONTEXT'; replayChildren: boolean }>)
  /** `attempt` counts the completed attempts. */
  | (Common & Outcome & Readonly<{ type: 'STEP'; attempt: number; nextAttemptAt: number | undefined }>)
  | (Common & Readonly<{ type: 'WAIT'; seconds: number; endsAt: number }>)
  /** This server does not support completing a callback, so it waits until the execution ends. */
  | (Common & Outcome & Readonly<{ type: 'CALLBACK'; callbackId: string }>);

/** Formats a timestamp: in seconds for the API, and in milliseconds for a handler's event. */
export type TimeFormat = (milliseconds: number) => number;
export const inSeconds: TimeFormat = (milliseconds) => milliseconds / 1000;
export const inMilliseconds: TimeFormat = (milliseconds) => milliseconds;

type DetailsName = Extract<keyof Operation, `${string}Details`>;

function detailsOf(
  operation: DurableOperation,
  format: TimeFormat,
): Readonly<Partial<Record<DetailsName, unknown>>> {
  const timestamp = (at: number | undefined) => (at === undefined ? undefined : format(at));
  switch (operation.type) {
    case 'EXECUTION':
      return { ExecutionDetails: { InputPayload: operation.input } };
    case 'CONTEXT': {
      const { result, error, replayChildren } = operation;
      return { ContextDetails: { Result: result, Error: error, ReplayChildren: replayChildren } };
    }
    case 'STEP': {
      const { result, error, attempt, nextAttemptAt } = operation;
      return {
        StepDetails: {
          Attempt: attempt,
          NextAttemptTimestamp: timestamp(nextAttemptAt),
          Result: result,
          Error: error,
        },
      };
    }
    case 'WAIT':
      return { WaitDetails: { ScheduledEndTimestamp: format(operation.endsAt) } };
    case 'CALLBACK': {
      const { result, error, callbackId } = operation;
      return { CallbackDetails: { CallbackId: callbackId, Result: result, Error: error } };
    }
  }
}

/** Turns the operation into an Operation of the API. Missing fields are undefined, so JSON omits them. */
export function operationDocument(
  operation: DurableOperation,
  format: TimeFormat,
): Readonly<Partial<Record<keyof Operation, unknown>>> {
  return {
    Id: operation.id,
    ParentId: operation.parentId,
    Name: operation.name,
    Type: operation.type,
    SubType: operation.subType,
    StartTimestamp: format(operation.startedAt),
    EndTimestamp: operation.endedAt === undefined ? undefined : format(operation.endedAt),
    Status: operation.status,
    ...detailsOf(operation, format),
  };
}
