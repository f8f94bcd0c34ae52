import { Buffer } from 'node:buffer';
import { InvokeCommand, type InvokeCommandOutput } from '@aws-sdk/client-lambda';
import { isUuid } from '../shared/text.ts';
import type { LambdaApi } from './api.ts';
import type { AttemptProgress } from './attempt-progress.ts';
import { LONGEST_FOREIGN_TEXT } from './exchange.ts';
import { gotInvocationResponse } from './failures.ts';
import type { Invocation, InvokeFailure, InvokeResponse, LoadedInvocation } from './invocation.ts';
import type { Bounds } from './timing.ts';

/** The parameters of both operations. There are no defaults, because functions on capacity providers refuse $LATEST. */
export const parametersOf = (invocation: LoadedInvocation) => ({
  FunctionName: invocation.functionName,
  LogType: invocation.logType,
  Payload: invocation.payload,
  ...(invocation.qualifier !== undefined && { Qualifier: invocation.qualifier }),
  ...(invocation.clientContext !== undefined && { ClientContext: invocation.clientContext }),
  ...(invocation.tenantId !== undefined && { TenantId: invocation.tenantId }),
});

const commandFor = (invocation: LoadedInvocation): InvokeCommand =>
  new InvokeCommand({
    ...parametersOf(invocation),
    InvocationType: invocation.invocationType,
    ...(invocation.durableExecutionName !== undefined && {
      DurableExecutionName: invocation.durableExecutionName,
    }),
  });

function isJson(payload: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(payload).toString());
    return true;
  } catch {
    return false;
  }
}

// Lambda's limit, and some room, because the limit may be on the text of a response instead of its bytes.
const LONGEST_BODY = 6_291_556 + 64 * 1024;

const STATUS = { RequestResponse: 200, Event: 202, DryRun: 204 } as const;

/**
 * Whether a body is from Lambda. A custom runtime can respond with any bytes. Then the header that only an invocation
 * that ran has is required, because a proxy may reflect our request ID. Emulators respond with JSON, even to an event,
 * and with no request ID or one of their own.
 */
function isLambdas(
  { requestId, executedVersion, payload }: InvokeResponse,
  { invocationType }: Invocation,
): boolean {
  switch (invocationType) {
    case 'RequestResponse':
      return (isUuid(requestId ?? '') && executedVersion !== undefined) || isJson(payload);
    case 'Event':
      return payload.length === 0 || isJson(payload);
    case 'DryRun':
      return true;
    default:
      return invocationType satisfies never;
  }
}

/** Prevents retries of a dry run that got the response of an invocation. Emulators may have run the function. */
const withoutRetry = (result: InvokeResponse | InvokeFailure): InvokeResponse | InvokeFailure =>
  result.kind === 'failure' && gotInvocationResponse(result) ? { ...result, mayClear: false } : result;

function toInvokeResponse(output: InvokeCommandOutput, progress: AttemptProgress): InvokeResponse {
  const requestId = progress.head?.requestId;
  return {
    kind: 'response',
    statusCode: progress.head?.statusCode ?? 0,
    payload: output.Payload ?? new Uint8Array(),
    ...(output.FunctionError && { functionError: output.FunctionError }),
    ...(output.ExecutedVersion && { executedVersion: output.ExecutedVersion }),
    ...(requestId !== undefined && { requestId }),
    ...progress.sent,
    ...(output.DurableExecutionArn && { durableExecutionArn: output.DurableExecutionArn }),
    ...(output.LogResult && { logTail: Buffer.from(output.LogResult, 'base64') }),
  };
}

/** The bounds of an attempt, and our own ID of it. */
export type AttemptBounds = Bounds & Readonly<{ sentAs?: string | undefined }>;

/** Sends an invocation once. Never throws: an error becomes a failure that says whether the function ran. */
export async function invokeOnce(
  api: LambdaApi,
  invocation: LoadedInvocation,
  { sentAs, ...bounds }: AttemptBounds,
): Promise<InvokeResponse | InvokeFailure> {
  const { invocationType } = invocation;
  const result = await api.send(commandFor(invocation), {
    bounds,
    sentAs,
    expected: { statusCode: STATUS[invocationType], longestBody: LONGEST_BODY },
    read: (output, progress) => {
      const response = toInvokeResponse(output, progress);
      if (isLambdas(response, invocation)) return response;
      progress.receivedText(Buffer.from(response.payload).toString('utf8', 0, LONGEST_FOREIGN_TEXT));
      throw progress.flawFound('content');
    },
  });
  return invocationType === 'DryRun' ? withoutRetry(result) : result;
}
