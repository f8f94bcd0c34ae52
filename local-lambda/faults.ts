import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ThrottleReason } from './capacity.ts';
import { type Answer, ServiceError } from './service-errors.ts';

/** 'before': the handler does not run. 'after': it runs to its end, then the fault replaces the answer. */
export type When = 'before' | 'after';

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
  /** A pause, then all goes on. */
  | Readonly<{ kind: 'delay'; when: When; ms: number }>
  /** The right headers, but only this much of the body before the connection ends. */
  | Readonly<{ kind: 'truncate'; bytes: number }>
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

/** True where the fault takes the place of the handler's run. */
export function replacesHandler(fault: Fault | undefined): fault is Fault & { when: 'before' } {
  return fault !== undefined && 'when' in fault && fault.when === 'before' && fault.kind !== 'delay';
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': String(answer.body.length) });
  response.end(answer.body);
}

function sendAnswer(response: ServerResponse, answer: Answer): void {
  // HTTP forbids a content-length on a 204.
  if (answer.status === 204) {
    response.writeHead(204, { ...answer.headers });
    response.end();
  } else {
    send(response, answer);
  }
}

function truncated(response: ServerResponse, answer: Answer, bytes: number): void {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': String(answer.body.length) });
  response.flushHeaders();
  response.write(answer.body.subarray(0, bytes), () => response.socket?.destroy());
}

async function sendSlowly(options: {
  response: ServerResponse;
  answer: Answer;
  chunkBytes: number;
  delayMs: number;
}): Promise<void> {
  const { response, answer, chunkBytes, delayMs } = options;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': String(answer.body.length) });
  response.flushHeaders();
  for (let offset = 0; offset < answer.body.length && !response.destroyed; offset += chunkBytes) {
    response.write(answer.body.subarray(offset, offset + chunkBytes));
    await sleep(delayMs, undefined, { ref: false });
  }
  response.end();
}

/** Sends an answer as the fault lets it through; a fault that replaces the handler uses only its request id. */
export async function deliver(options: {
  response: ServerResponse;
  answer: Answer;
  fault: Fault | undefined;
  requestIdHeader: string;
}): Promise<void> {
  const { response, answer, fault, requestIdHeader } = options;
  const requestId = answer.headers[requestIdHeader];
  switch (fault?.kind) {
    case undefined:
      sendAnswer(response, answer);
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
      send(response, error.toAnswer());
      break;
    }
    case 'raw':
      send(response, { status: fault.status, headers: fault.headers, body: Buffer.from(fault.body) });
      break;
    case 'delay':
      if (fault.when === 'after') await sleep(fault.ms, undefined, { ref: false });
      sendAnswer(response, answer);
      break;
    case 'truncate':
      truncated(response, answer, fault.bytes);
      break;
    case 'slow-body':
      await sendSlowly({ response, answer, chunkBytes: fault.chunkBytes, delayMs: fault.delayMs });
      break;
    case 'omit-request-id': {
      const { [requestIdHeader]: _omitted, ...headers } = answer.headers;
      sendAnswer(response, { ...answer, headers });
      break;
    }
  }
}
