import { Buffer } from 'node:buffer';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { LONGEST_STRANGE_TEXT } from './exchange.ts';
import { toStrangeAnswer } from './failures.ts';
import type { Answer, Failure, Invocation } from './invocation.ts';
import { type Bounds, perform } from './request.ts';

/** What both ways of invoking send; nothing that was not given, since functions on capacity providers refuse $LATEST. */
export const parametersOf = (invocation: Invocation) => ({
  FunctionName: invocation.functionName,
  LogType: invocation.logType,
  Payload: invocation.payload,
  ...(invocation.qualifier !== undefined && { Qualifier: invocation.qualifier }),
  ...(invocation.clientContext !== undefined && { ClientContext: invocation.clientContext }),
  ...(invocation.tenantId !== undefined && { TenantId: invocation.tenantId }),
});

const commandFor = (invocation: Invocation): InvokeCommand =>
  new InvokeCommand({
    ...parametersOf(invocation),
    InvocationType: invocation.invocationType,
    ...(invocation.durableExecutionName !== undefined && {
      DurableExecutionName: invocation.durableExecutionName,
    }),
  });

function isJson(payload: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(payload).toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

const STATUS = { RequestResponse: 200, Event: 202, DryRun: 204 } as const;

/** Lambda names every answer by its request id. Emulators may not, but then status and body are as Lambda's. */
function isLambdas(answer: Answer, { invocationType }: Invocation): boolean {
  if (answer.requestId !== undefined) return true;
  if (answer.statusCode !== STATUS[invocationType]) return false;
  return invocationType === 'RequestResponse' ? isJson(answer.payload) : answer.payload.length === 0;
}

/** Sends an invocation once. Never throws: what went wrong is a Failure that says whether the function ran. */
export function invokeOnce(
  client: LambdaClient,
  invocation: Invocation,
  bounds: Bounds,
): Promise<Answer | Failure> {
  return perform(bounds, async (progress) => {
    const output = await client.send(commandFor(invocation));
    const requestId = progress.head?.requestId;
    const answer: Answer = {
      kind: 'answer',
      statusCode: progress.head?.statusCode ?? 0,
      payload: output.Payload ?? new Uint8Array(),
      ...(output.FunctionError && { functionError: output.FunctionError }),
      ...(output.ExecutedVersion && { executedVersion: output.ExecutedVersion }),
      ...(requestId !== undefined && { requestId }),
      ...(output.DurableExecutionArn && { durableExecutionArn: output.DurableExecutionArn }),
      ...(output.LogResult && { logTail: Buffer.from(output.LogResult, 'base64') }),
    };
    return isLambdas(answer, invocation)
      ? answer
      : toStrangeAnswer(Buffer.from(answer.payload).toString('utf8', 0, LONGEST_STRANGE_TEXT), progress);
  });
}
