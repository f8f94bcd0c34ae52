import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ThrottleReason } from './capacity.ts';
import { logsErrorResponse } from './logs/cloudwatch-logs.ts';
import { ServiceError, type ServiceResponse } from './service-errors.ts';

/** 'before': the handler does not run. 'after': it runs to its end, then the fault replaces the response. */
export type When = 'before' | 'after';

/**
 * How a body ends too early: the connection is closed or reset, no more data arrives while the client and
 * the server are up, or (streams only) the HTTP body ends normally. With a reset, the last bytes may be lost.
 */
export type Cut = 'close' | 'reset' | 'stall' | 'complete';

/** A deliberate fault in one request. */
export type Fault =
  /** The connection is reset (RST). */
  | Readonly<{ kind: 'reset'; when: When }>
  /** The connection is closed normally (FIN), without a response. */
  | Readonly<{ kind: 'close'; when: When }>
  /** No response until the client disconnects or the server closes. */
  | Readonly<{ kind: 'stall'; when: When }>
  /** An error in the service's format. */
  | Readonly<{
      kind: 'error';
      when: When;
      status: number;
      type: string;
      message: string;
      headers?: Readonly<Record<string, string>>;
      reason?: string;
    }>
  /** Any response, for example a proxy's page. */
  | Readonly<{
      kind: 'raw';
      when: When;
      status: number;
      headers: Readonly<Record<string, string>>;
      body: Buffer | string;
    }>
  /** A pause: before the handler, after it, or before the first byte of a stream. */
  | Readonly<{ kind: 'delay'; when: When; ms: number }>
  /** The correct headers, but only this much of the body before it ends. Default: close. */
  | Readonly<{ kind: 'truncate'; bytes: number; cut?: Cut }>
  /** A stream that ends normally but without its last event. */
  | Readonly<{ kind: 'omit-invoke-complete' }>
  /** The body in pieces, with a pause after each. */
  | Readonly<{ kind: 'slow-body'; chunkBytes: number; delayMs: number }>
  /** A response without x-amzn-requestid. */
  | Readonly<{ kind: 'omit-request-id' }>;

/** A throttling error as the service sends it, with its reason. */
export const throttle = (reason: ThrottleReason): Extract<Fault, { kind: 'error' }> => ({
  kind: 'error',
  when: 'before',
  status: 429,
  type: 'TooManyRequestsException',
  message: 'Rate Exceeded.',
  reason,
});

/** A throttling error as CloudWatch Logs sends it. */
export const LOGS_THROTTLE: Extract<Fault, { kind: 'error' }> = {
  kind: 'error',
  when: 'before',
  status: 400,
  type: 'ThrottlingException',
  message: 'Rate exceeded',
};

/** True if the fault happens instead of the handler's run. */
export function replacesHandler(fault: Fault | undefined): fault is Fault & { when: 'before' } {
  return fault !== undefined && 'when' in fault && fault.when === 'before' && fault.kind !== 'delay';
}

type Body = ServiceResponse['body'];

const isWhole = (body: Body): body is Buffer => Buffer.isBuffer(body);

function sendHead(response: ServerResponse, { status, headers, body }: ServiceResponse): void {
  // HTTP forbids a content-length on a 204, and a stream has none.
  const length = isWhole(body) && status !== 204 ? { 'content-length': String(body.length) } : {};
  response.writeHead(status, { ...headers, ...length });
  response.flushHeaders();
}

async function send(response: ServerResponse, reply: ServiceResponse): Promise<void> {
  if (isWhole(reply.body)) {
    sendHead(response, reply);
    response.end(reply.status === 204 ? undefined : reply.body);
  } else {
    sendHead(response, reply);
    await pipeline(reply.body, response);
  }
}

async function* parts(body: Body): AsyncGenerator<Uint8Array, void, undefined> {
  if (isWhole(body)) yield body;
  else yield* body;
}

async function* firstBytes(body: Body, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes === 0) return;
  let left = bytes;
  for await (const part of parts(body)) {
    yield part.subarray(0, left);
    left -= part.length;
    if (left <= 0) return;
  }
}

async function* slowly(
  body: Body,
  { chunkBytes, delayMs }: Readonly<{ chunkBytes: number; delayMs: number }>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of parts(body)) {
    for (let offset = 0; offset < part.length; offset += chunkBytes) {
      yield part.subarray(offset, offset + chunkBytes);
      await sleep(delayMs, undefined, { ref: false });
    }
  }
}

async function* withoutLast(body: Body): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array | undefined;
  for await (const part of parts(body)) {
    if (held !== undefined) yield held;
    held = part;
  }
}

/** Resolves when the operating system has accepted the data. */
const written = (response: ServerResponse, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    response.write(bytes, (error) => (error ? reject(error) : resolve()));
  });

const CUTS: Readonly<Record<Cut, (response: ServerResponse) => void>> = {
  close: (response) => response.socket?.destroy(),
  reset: (response) => response.socket?.resetAndDestroy(),
  stall: () => undefined,
  complete: (response) => response.end(),
};

async function truncate(options: {
  response: ServerResponse;
  reply: ServiceResponse;
  bytes: number;
  cut: Cut;
}): Promise<void> {
  const { response, reply, bytes, cut } = options;
  sendHead(response, reply);
  await written(response, Buffer.alloc(0));
  for await (const part of firstBytes(reply.body, bytes)) await written(response, part);
  CUTS[cut](response);
}

/** Lets a handler finish although its response is not sent. */
async function discard(body: Body): Promise<void> {
  for await (const _part of parts(body));
}

/** Sends a response, changed by the fault. A fault that replaces the handler uses only the response's request ID. */
export async function deliver(options: {
  response: ServerResponse;
  reply: ServiceResponse;
  fault: Fault | undefined;
  requestIdHeader: string;
  /** The service whose error format is used. */
  service: 'lambda' | 'logs';
}): Promise<void> {
  const { response, reply, fault, requestIdHeader, service } = options;
  const requestId = reply.headers[requestIdHeader];
  if (fault !== undefined && 'when' in fault && fault.kind !== 'delay') await discard(reply.body);
  switch (fault?.kind) {
    case undefined:
      await send(response, reply);
      break;
    case 'reset':
      response.socket?.resetAndDestroy();
      break;
    case 'close':
      response.socket?.end();
      break;
    case 'stall':
      break;
    case 'error': {
      const { status, type, message, headers, reason } = fault;
      const body =
        reason === undefined
          ? { Type: status < 500 ? 'User' : 'Service', Message: message }
          : { Reason: reason, Type: 'User', message };
      const error = new ServiceError({
        status,
        type,
        body,
        headers: { ...(requestId === undefined ? {} : { [requestIdHeader]: requestId }), ...headers },
      });
      await send(response, service === 'logs' ? logsErrorResponse(error) : error.toResponse());
      break;
    }
    case 'raw':
      await send(response, { status: fault.status, headers: fault.headers, body: Buffer.from(fault.body) });
      break;
    case 'delay':
      if (fault.when === 'after') await sleep(fault.ms, undefined, { ref: false });
      await send(response, reply);
      break;
    case 'truncate':
      await truncate({ response, reply, bytes: fault.bytes, cut: fault.cut ?? 'close' });
      break;
    case 'slow-body':
      sendHead(response, reply);
      await pipeline(slowly(reply.body, fault), response);
      break;
    case 'omit-invoke-complete':
      await send(response, { ...reply, body: withoutLast(reply.body) });
      break;
    case 'omit-request-id': {
      const { [requestIdHeader]: _omitted, ...headers } = reply.headers;
      await send(response, { ...reply, headers });
      break;
    }
  }
}
