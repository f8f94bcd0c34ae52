import { Buffer } from 'node:buffer';
import {
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCommandOutput,
  type InvokeWithResponseStreamCompleteEvent,
  type InvokeWithResponseStreamResponseEvent,
} from '@aws-sdk/client-lambda';
import type { LambdaApi } from './api.ts';
import type { AttemptProgress } from './attempt-progress.ts';
import { type Expected, GatheredBytes } from './exchange.ts';
import { toIncompleteStream } from './failures.ts';
import type { InvokeFailure, InvokeResponse, LoadedInvocation } from './invocation.ts';
import { type AttemptBounds, parametersOf } from './invoke.ts';

/** Takes a chunk of a streamed response as it arrives; the next one is read when it is done. Never throws. */
export type OnChunk = (chunk: Uint8Array) => Promise<void>;

// Lambda streams 200 MB at most; what is too long may arrive before the event that says so.
const STREAM: Expected = { statusCode: 200, longestBody: 209_715_200 + 64 * 1024, isStreamed: true };

// As long as a buffered response may be: up to here it is also kept for the outcome.
const LONGEST_HELD = 6_291_556;
// Of a longer one, the status and the headers of an HTTP response fit into this much.
const STREAM_START = 64 * 1024;

type Stream = AsyncIterable<InvokeWithResponseStreamResponseEvent>;

/** Hands on every chunk. Returns the event that ends the stream; undefined if there was none. */
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
function errorPayloadOf({
  ErrorCode: errorType,
  ErrorDetails: details = '',
}: InvokeWithResponseStreamCompleteEvent) {
  try {
    const parsed: unknown = JSON.parse(details);
    if (typeof parsed === 'object' && parsed !== null) return Buffer.from(details);
  } catch {
    // No JSON: a sentence.
  }
  return Buffer.from(JSON.stringify({ errorType, errorMessage: details }));
}

async function toStreamedResponse(
  output: InvokeWithResponseStreamCommandOutput,
  progress: AttemptProgress,
  onChunk: OnChunk,
): Promise<InvokeResponse | InvokeFailure> {
  const { EventStream: stream, ExecutedVersion: executedVersion } = output;
  if (stream === undefined) throw progress.flawFound('content');
  let held: GatheredBytes | undefined = new GatheredBytes();
  let start: Uint8Array | undefined;
  const end = await readStream(stream, progress, async (chunk) => {
    held?.add(chunk);
    // All of it, or its start alone.
    if ((progress.streamedBytes ?? 0) > LONGEST_HELD) {
      start ??= held && Buffer.from(held.take().subarray(0, STREAM_START));
      held = undefined;
    }
    await onChunk(chunk);
  });
  if (end === undefined) return toIncompleteStream(progress);
  const { head, sent, streamedBytes = 0 } = progress;
  return {
    kind: 'response',
    statusCode: head?.statusCode ?? 0,
    ...(executedVersion && { executedVersion }),
    ...(head?.requestId !== undefined && { requestId: head.requestId }),
    ...sent,
    streamedBytes,
    ...(start !== undefined && { streamStart: start }),
    payload: end.ErrorCode ? errorPayloadOf(end) : (held?.take() ?? new Uint8Array()),
    ...(end.ErrorCode && { functionError: end.ErrorCode }),
    ...(end.LogResult && { logTail: Buffer.from(end.LogResult, 'base64') }),
  };
}

/** Sends a synchronous invocation once and takes its response as a stream. Never throws; one that breaks is a failure. */
export function streamOnce(
  api: LambdaApi,
  invocation: LoadedInvocation,
  { onChunk, sentAs, ...bounds }: AttemptBounds & { onChunk: OnChunk },
): Promise<InvokeResponse | InvokeFailure> {
  return api.send(new InvokeWithResponseStreamCommand(parametersOf(invocation)), {
    bounds,
    sentAs,
    expected: STREAM,
    read: (output, progress) => toStreamedResponse(output, progress, onChunk),
  });
}
