import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ThrottleReason } from './capacity.ts';
import { logsErrorAnswer } from './logs/cloudwatch-logs.ts';
import { type Answer, ServiceError } from './service-errors.ts';

/** 'before': the handler does not run. 'after': it runs to its end, then the fault replaces the answer. */
export type When = 'before' | 'after';

/**
 * How a body ends too early: the connection closes or is reset, nothing more comes for as long as the client and
 * the server live, or, of a stream alone, HTTP sees a body that is complete. With a reset the last bytes may be lost.
 */
export type Cut = 'close' | 'reset' | 'stall' | 'complete';

/** Something that goes wrong with one request on purpose. */
export type Fault =
  /** The connection is reset (RST). */
  | Readonly<{ kind: 'reset'; when: When }>
  /** The connection is closed in good order (FIN), without an answer. */
  | Readonly<{ kind: 'close'; when: When }>
  /** No answer ever, until the client or the server goes. */
  | Readonly<{ kind: 'stall'; when: When }>
  /** An error in the shape of the service. */
  | Readonly<{
      kind: 'error';
      when: When;
      status: number;
      type: string;
      message: string;
      headers?: Readonly<Record<string, string>>;
      reason?: string;
    }>
  /** Any answer at all, a proxy's page for example. */
  | Readonly<{
      kind: 'raw';
      when: When;
      status: number;
      headers: Readonly<Record<string, string>>;
      body: Buffer | string;
    }>
  /** A pause, then all goes on; after the handler, or before a stream's first byte is sent. */
  | Readonly<{ kind: 'delay'; when: When; ms: number }>
  /** The right headers, but only this much of the body, then its end; default close. */
  | Readonly<{ kind: 'truncate'; bytes: number; cut?: Cut }>
  /** A stream that ends in good order, but for its last event. */
  | Readonly<{ kind: 'omit-invoke-complete' }>
  /** The body in pieces with a pause after each. */
  | Readonly<{ kind: 'slow-body'; chunkBytes: number; delayMs: number }>
  /** An answer without x-amzn-requestid. */
  | Readonly<{ kind: 'omit-request-id' }>;

/** A throttle as the service sends it, with its reason. */
export const throttle = (reason: ThrottleReason): Extract<Fault, { kind: 'error' }> => ({
  kind: 'error',
  when: 'before',
  status: 429,
  type: 'TooManyRequestsException',
  message: 'Rate Exceeded.',
  reason,
});

/** A throttle as CloudWatch Logs sends it. */
export const LOGS_THROTTLE: Extract<Fault, { kind: 'error' }> = {
  kind: 'error',
  when: 'before',
  status: 400,
  type: 'ThrottlingException',
  message: 'Rate exceeded',
};

/** True where the fault takes the place of the handler's run. */
export function replacesHandler(fault: Fault | undefined): fault is Fault & { when: 'before' } {
  return fault !== undefined && 'when' in fault && fault.when === 'before' && fault.kind !== 'delay';
}

type Body = Answer['body'];

const isWhole = (body: Body): body is Buffer => Buffer.isBuffer(body);

function sendHead(response: ServerResponse, { status, headers, body }: Answer): void {
  // HTTP forbids a content-length on a 204; a stream has none.
  const length = isWhole(body) && status !== 204 ? { 'content-length': String(body.length) } : {};
  response.writeHead(status, { ...headers, ...length });
  response.flushHeaders();
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  if (isWhole(answer.body)) {
    sendHead(response, answer);
    response.end(answer.status === 204 ? undefined : answer.body);
  } else {
    sendHead(response, answer);
    await pipeline(answer.body, response);
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

/** Resolves when the system has taken what was written. */
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
  answer: Answer;
  bytes: number;
  cut: Cut;
}): Promise<void> {
  const { response, answer, bytes, cut } = options;
  sendHead(response, answer);
  await written(response, Buffer.alloc(0));
  for await (const part of firstBytes(answer.body, bytes)) await written(response, part);
  CUTS[cut](response);
}

/** Lets a handler come to its end whose answer nobody will see. */
async function discard(body: Body): Promise<void> {
  for await (const _part of parts(body));
}

/** Sends an answer as the fault lets it through; a fault that replaces the handler uses only its request id. */
export async function deliver(options: {
  response: ServerResponse;
  answer: Answer;
  fault: Fault | undefined;
  requestIdHeader: string;
  /** In whose shape an error is. */
  service: 'lambda' | 'logs';
}): Promise<void> {
  const { response, answer, fault, requestIdHeader, service } = options;
  const requestId = answer.headers[requestIdHeader];
  if (fault !== undefined && 'when' in fault && fault.kind !== 'delay') await discard(answer.body);
  switch (fault?.kind) {
    case undefined:
      await send(response, answer);
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
      await send(response, service === 'logs' ? logsErrorAnswer(error) : error.toAnswer());
      break;
    }
    case 'raw':
      await send(response, { status: fault.status, headers: fault.headers, body: Buffer.from(fault.body) });
      break;
    case 'delay':
      if (fault.when === 'after') await sleep(fault.ms, undefined, { ref: false });
      await send(response, answer);
      break;
    case 'truncate':
      await truncate({ response, answer, bytes: fault.bytes, cut: fault.cut ?? 'close' });
      break;
    case 'slow-body':
      sendHead(response, answer);
      await pipeline(slowly(answer.body, fault), response);
      break;
    case 'omit-invoke-complete':
      await send(response, { ...answer, body: withoutLast(answer.body) });
      break;
    case 'omit-request-id': {
      const { [requestIdHeader]: _omitted, ...headers } = answer.headers;
      await send(response, { ...answer, headers });
      break;
    }
  }
}
