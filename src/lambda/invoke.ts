import { Buffer } from 'node:buffer';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { type Clock, observe, Progress } from './connection.ts';
import { toFailure } from './failures.ts';
import type { Answer, Failure, Invocation } from './invocation.ts';

function commandFor(invocation: Invocation): InvokeCommand {
  return new InvokeCommand({
    FunctionName: invocation.functionName,
    InvocationType: invocation.invocationType,
    LogType: invocation.logType,
    Payload: invocation.payload,
    // Not sent when not given: functions on capacity providers refuse $LATEST.
    ...(invocation.qualifier !== undefined && { Qualifier: invocation.qualifier }),
    ...(invocation.clientContext !== undefined && { ClientContext: invocation.clientContext }),
    ...(invocation.tenantId !== undefined && { TenantId: invocation.tenantId }),
  });
}

/** Sends an invocation once. Never throws: what went wrong is a Failure that says whether the function ran. */
export async function invokeOnce(
  client: LambdaClient,
  invocation: Invocation,
  clock: Clock,
): Promise<Answer | Failure> {
  const progress = new Progress(clock);
  const command = commandFor(invocation);
  // Innermost of all middleware: credentials, which may need requests of their own, are found by then.
  command.middlewareStack.add((next) => (args) => observe(progress, () => next(args)), {
    step: 'deserialize',
    priority: 'low',
    name: 'observeConnection',
  });
  try {
    const output = await client.send(command);
    return {
      kind: 'answer',
      statusCode: output.StatusCode ?? output.$metadata.httpStatusCode ?? 0,
      payload: output.Payload ?? new Uint8Array(),
      ...(output.FunctionError && { functionError: output.FunctionError }),
      ...(output.ExecutedVersion && { executedVersion: output.ExecutedVersion }),
      ...(output.$metadata.requestId && { requestId: output.$metadata.requestId }),
      ...(output.DurableExecutionArn && { durableExecutionArn: output.DurableExecutionArn }),
      ...(output.LogResult && { logTail: Buffer.from(output.LogResult, 'base64') }),
    };
  } catch (error) {
    return toFailure(error, progress.sentAt);
  }
}
