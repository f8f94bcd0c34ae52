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

/** The events of one streamed invocation, as they come. */
export async function* responseEvents(options: {
  /** Undefined where the handler does not stream: its result comes in pieces. */
  response: StreamedResponse | undefined;
  running: Promise<RunResult>;
  reportsErrors: boolean;
  logResultOf: (result: RunResult) => string | undefined;
}): AsyncGenerator<Uint8Array, void, undefined> {
  const { response, running, reportsErrors, logResultOf } = options;
  // Waited for below, unless the client goes first.
  running.catch(() => undefined);
  let left = STREAM_BYTES + 1;
  for await (const chunk of response?.body ?? []) {
    // One byte too many is how Lambda notices that a response is too large; what follows it is thrown away.
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
