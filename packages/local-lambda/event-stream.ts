import { EventStreamCodec } from '@smithy/core/event-streams';
import type { StreamError } from './invocation-runner.ts';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
);

// Headers in the order in which the service sends them.
function encode(eventType: string, contentType: string, body: Uint8Array): Uint8Array {
  return codec.encode({
    headers: {
      ':event-type': { type: 'string', value: eventType },
      ':content-type': { type: 'string', value: contentType },
      ':message-type': { type: 'string', value: 'event' },
    },
    body,
  });
}

/** Encodes a part of the response as an event of the stream. */
export const payloadChunk = (payload: Uint8Array): Uint8Array =>
  encode('PayloadChunk', 'application/octet-stream', payload);

/** The last event of a stream. Empty if there is neither an error nor a log. */
export function invokeComplete(options: {
  error: StreamError | undefined;
  logResult: string | undefined;
}): Uint8Array {
  const { error, logResult } = options;
  const document = { ErrorCode: error?.code, ErrorDetails: error?.details, LogResult: logResult };
  return encode('InvokeComplete', 'application/json', Buffer.from(JSON.stringify(document)));
}
