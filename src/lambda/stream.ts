import { Buffer } from 'node:buffer';
import {
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCompleteEvent,
  type InvokeWithResponseStreamResponseEvent,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { type Bounds, perform } from './api.ts';
import type { AttemptProgress } from './attempt-progress.ts';
import { toBrokenStream } from './evidence.ts';
import type { Expected } from './flaws.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import type { Invocation, InvokeFailure, InvokeResponse } from './invocation.ts';
import { parametersOf } from './invoke.ts';

/** Takes a chunk of a streamed response as it arrives; the next one is read when it is done. Never throws. */
export type OnChunk = (chunk: Uint8Array) => Promise<void>;

// Lambda streams 200 MB at most; what is too long may arrive before the event that says so.
const STREAM: Expected = { statusCode: 200, longestBody: 209_715_200 + 64 * 1024, isStreamed: true };

// As long as a buffered response may be: up to here it is also held for the outcome.
const LONGEST_HELD = 6_291_556;

type Stream = AsyncIterable<InvokeWithResponseStreamResponseEvent>;

/** Hands on every chunk; the answer is the event that ends the stream, undefined where none came. */
async function readStream(
  stream: Stream,
  progress: AttemptProgress,
  take: OnChunk,
): Promise<InvokeWithResponseStreamCompleteEvent | undefined> {
  for await (const { PayloadChunk: chunk, InvokeComplete: end } of stream) {
    progress.receivedBytes(chunk?.Payload?.length ?? 0);
    if ((progress.streamedBytes ?? 0) > STREAM.longestBody) throw progress.flawFound('length');
    if (chunk?.Payload !== undefined) await take(chunk.Payload);
    // Lambda may close the connection late, or never.
    if (end !== undefined) return end;
  }
  return undefined;
}

/** A function error as plain invocations have it: JSON with errorType and errorMessage. */
function errorPayload({
  ErrorCode: errorType,
  ErrorDetails: details = '',
}: InvokeWithResponseStreamCompleteEvent) {
  try {
    const told: unknown = JSON.parse(details);
    if (typeof told === 'object' && told !== null) return Buffer.from(details);
  } catch {
    // No JSON: a sentence.
  }
  return Buffer.from(JSON.stringify({ errorType, errorMessage: details }));
}

function answerOf(
  progress: AttemptProgress,
  executedVersion: string | undefined,
): Omit<InvokeResponse, 'payload'> {
  const requestId = progress.head?.requestId;
  return {
    kind: 'answer',
    statusCode: progress.head?.statusCode ?? 0,
    ...(executedVersion && { executedVersion }),
    ...(requestId !== undefined && { requestId }),
  };
}

/** Sends a synchronous invocation once and takes its response as a stream. Never throws; one that breaks is a Failure. */
export function streamOnce(
  client: LambdaClient,
  invocation: Invocation,
  { onChunk, ...bounds }: Bounds & { onChunk: OnChunk },
): Promise<InvokeResponse | InvokeFailure> {
  const send = async (progress: AttemptProgress): Promise<InvokeResponse | InvokeFailure> => {
    const command = new InvokeWithResponseStreamCommand(parametersOf(invocation));
    const output = await client.send(command);
    const answer = answerOf(progress, output.ExecutedVersion);
    if (output.EventStream === undefined) throw progress.flawFound('content');

    let held: GatheredBytes | undefined = new GatheredBytes();
    const end = await readStream(output.EventStream, progress, async (chunk) => {
      // All of it, or nothing.
      if ((progress.streamedBytes ?? 0) > LONGEST_HELD) held = undefined;
      held?.add(chunk);
      await onChunk(chunk);
    });
    if (end === undefined) return toBrokenStream(progress);
    return {
      ...answer,
      streamedBytes: progress.streamedBytes ?? 0,
      payload: end.ErrorCode ? errorPayload(end) : (held?.take() ?? new Uint8Array()),
      ...(end.ErrorCode && { functionError: end.ErrorCode }),
      ...(end.LogResult && { logTail: Buffer.from(end.LogResult, 'base64') }),
    };
  };
  return perform(bounds, send, STREAM);
}
