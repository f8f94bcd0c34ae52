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

/** Takes a chunk of a streamed response. The next chunk is read when the promise resolves. Never throws. */
export type OnChunk = (chunk: Uint8Array) => Promise<void>;

// Lambda streams at most 200 MB. A few more bytes may arrive before the event that reports the excess.
const STREAM: Expected = { statusCode: 200, longestBody: 209_715_200 + 64 * 1024, isStreamed: true };

// The limit of a buffered response. A stream up to this length is also kept in memory for the outcome.
const LONGEST_IN_MEMORY = 6_291_556;
// How much is kept of a longer stream. The status and the headers of an HTTP response fit into this.
const STREAM_START = 64 * 1024;

type Stream = AsyncIterable<InvokeWithResponseStreamResponseEvent>;

/** Passes on every chunk. Returns the event that ends the stream; undefined if there was none. */
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

/** The function error in the form of a plain invocation: JSON with errorType and errorMessage. */
function errorPayloadOf({
  ErrorCode: errorType,
  ErrorDetails: details = '',
}: InvokeWithResponseStreamCompleteEvent) {
  try {
    const parsed: unknown = JSON.parse(details);
    if (typeof parsed === 'object' && parsed !== null) return Buffer.from(details);
  } catch {
    // The details are a sentence instead of JSON.
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
    // Keep the whole response, or only its start.
    if ((progress.streamedBytes ?? 0) > LONGEST_IN_MEMORY) {
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

/**
 * Sends a synchronous invocation once and receives its response as a stream. Never throws: a broken stream is a
 * failure.
 */
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
