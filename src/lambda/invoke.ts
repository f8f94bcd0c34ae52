import { Buffer } from 'node:buffer';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { follow } from './abort.ts';
import { observe } from './connection.ts';
import { type Stop, toFailure, toStopped, toStrangeAnswer } from './failures.ts';
import type { Answer, Failure, Invocation } from './invocation.ts';
import { type Head, Progress } from './progress.ts';
import type { Timing } from './timing.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const LONGEST_STRANGE_TEXT = 64 * 1024;

/** What bounds one attempt. */
export type Bounds = Readonly<{ deadline: AbortSignal; cancel: AbortSignal; timing: Timing }>;

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
    ...(invocation.durableExecutionName !== undefined && {
      DurableExecutionName: invocation.durableExecutionName,
    }),
  });
}

/** The raw answer, as the SDK's handler gives it before anything reads it. */
type RawResponse = { statusCode: number; headers: Record<string, string>; body?: unknown };

const isRawResponse = (value: unknown): value is RawResponse =>
  typeof value === 'object' && value !== null && 'statusCode' in value && 'headers' in value;

const isByteStream = (value: unknown): value is AsyncIterable<Uint8Array> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

function readHead({ statusCode, headers }: RawResponse): Head {
  const requestId = headers['x-amzn-requestid'];
  const retryAfter = Number(headers['retry-after']);
  return {
    statusCode,
    ...(requestId !== undefined && { requestId }),
    ...(retryAfter > 0 && { retryAfterSeconds: retryAfter }),
  };
}

async function readBody(body: unknown): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  try {
    if (isByteStream(body)) for await (const chunk of body) chunks.push(chunk);
  } catch {
    // What came before it broke is what there is; the status has said the rest.
  }
  return Buffer.concat(chunks);
}

/** Notes an answer's head, and the text of one that is no success, before the SDK makes an error of it. */
async function noteAnswer(response: unknown, progress: Progress): Promise<void> {
  if (!isRawResponse(response)) return;
  progress.headCame(readHead(response));
  if (response.statusCode < 300) return;
  const body = await readBody(response.body);
  progress.textCame(body.toString('utf8', 0, LONGEST_STRANGE_TEXT));
  response.body = body;
}

function isJson(payload: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(payload).toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(new Error('stopped'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

const STATUS = { RequestResponse: 200, Event: 202, DryRun: 204 } as const;

/** Lambda names every answer by its request id. Emulators may not, but then status and body are as Lambda's. */
function isLambdas(answer: Answer, { invocationType }: Invocation): boolean {
  if (answer.requestId !== undefined) return true;
  if (answer.statusCode !== STATUS[invocationType]) return false;
  return invocationType === 'RequestResponse' ? isJson(answer.payload) : answer.payload.length === 0;
}

/** Sends an invocation once. Never throws: what went wrong is a Failure that says whether the function ran. */
export async function invokeOnce(
  client: LambdaClient,
  invocation: Invocation,
  { deadline, cancel, timing }: Bounds,
): Promise<Answer | Failure> {
  const progress = new Progress(timing.now);
  const connectLimit = new AbortController();
  const command = commandFor(invocation);
  // Innermost of all middleware: credentials, which may need requests of their own, are found by then.
  command.middlewareStack.add(
    (next) => async (args) => {
      const stopWaiting = timing.after(CONNECT_TIMEOUT_MS, () => {
        if (progress.sentAt === undefined) connectLimit.abort();
      });
      try {
        const output = await observe(progress, () => next(args));
        await noteAnswer(output.response, progress);
        return output;
      } catch (error) {
        progress.networkFailed(error);
        throw error;
      } finally {
        stopWaiting();
      }
    },
    { step: 'deserialize', priority: 'low', name: 'observeDelivery' },
  );
  const stopped = (): Stop | undefined => {
    if (cancel.aborted) return 'cancelled';
    if (deadline.aborted) return 'deadline';
    return connectLimit.signal.aborted ? 'connect' : undefined;
  };
  const { signal: abortSignal, letGo } = follow(deadline, cancel, connectLimit.signal);
  try {
    // The SDK heeds the signal only once the request is under way; credentials may hang before.
    const output = await Promise.race([client.send(command, { abortSignal }), rejectOn(abortSignal)]);
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
  } catch (error) {
    const stop = stopped();
    return stop === undefined ? toFailure(error, progress) : toStopped(stop, progress);
  } finally {
    letGo();
  }
}
