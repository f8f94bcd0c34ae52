import { invokeComplete, payloadChunk } from './event-stream.ts';
import type { RunResult, StreamError } from './invocation-runner.ts';
import { STREAM_BYTES } from './limits.ts';
import type { StreamedResponse } from './streamed-response.ts';

const CHUNK_BYTES = 65_536;

const TOO_LARGE: StreamError = { code: 'Function.ResponseSizeTooLarge' };

function* pieces(body: Buffer): Generator<Buffer> {
  for (let offset = 0; offset < body.length; offset += CHUNK_BYTES) {
    yield body.subarray(offset, offset + CHUNK_BYTES);
  }
}

/** The events of a streamed invocation, as they become available. */
export async function* responseEvents(options: {
  /** Undefined if the handler does not stream. Its return value is then sent in chunks. */
  response: StreamedResponse | undefined;
  running: Promise<RunResult>;
  reportsErrors: boolean;
  logResultOf: (result: RunResult) => string | undefined;
}): AsyncGenerator<Uint8Array, void, undefined> {
  const { response, running, reportsErrors, logResultOf } = options;
  // Awaited below, unless the client disconnects first.
  running.catch(() => undefined);
  let left = STREAM_BYTES + 1;
  for await (const chunk of response?.body ?? []) {
    // Lambda detects a response that is too large by one extra byte. The rest is discarded.
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) yield payloadChunk(part);
  }
  const result = await running;
  if (response === undefined) {
    for (const piece of pieces(result.body)) yield payloadChunk(piece);
  }
  const error = left === 0 ? TOO_LARGE : result.streamError;
  yield invokeComplete({ error: reportsErrors ? error : undefined, logResult: logResultOf(result) });
}
