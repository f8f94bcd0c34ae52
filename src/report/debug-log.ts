import { debug } from '@actions/core';

/** A request that is about to be sent, and the source of its credentials. */
type SentRequest = Readonly<{ kind: 'request'; method: string; url: string; credentials: string }>;

/** A request that has ended. Without a status there was no response. */
type EndedRequest = Readonly<{
  kind: 'end';
  operation: string;
  target: string;
  ms: number;
  sentAt?: Date | undefined;
  statusCode?: number | undefined;
  requestId?: string | undefined;
  error?: string | undefined;
  throughProxy: boolean;
}>;

/** Lines for a job with debug logging. None has a payload, a response or a credential. */
export type DebugEvent = SentRequest | EndedRequest;

function requestEndLine({ operation, target, ms, sentAt, throughProxy, ...ended }: EndedRequest): string {
  const { statusCode, requestId, error } = ended;
  const result = statusCode === undefined ? (error ?? 'no response') : `HTTP ${statusCode}`;
  return [
    `${operation} ${target}: ${result} after ${ms} ms`,
    sentAt === undefined ? 'not sent' : `sent at ${sentAt.toISOString()}`,
    ...(requestId === undefined ? [] : [`request ID ${requestId}`]),
    ...(throughProxy ? ['through the proxy'] : []),
  ].join(', ');
}

function debugLine(event: DebugEvent): string {
  switch (event.kind) {
    case 'request':
      return `${event.method} ${event.url}, with credentials from ${event.credentials}`;
    case 'end':
      return requestEndLine(event);
    default:
      return event satisfies never;
  }
}

/** Writes what a client does. A runner shows it if ACTIONS_STEP_DEBUG is true. */
export const writeDebugEvent = (event: DebugEvent): void => debug(debugLine(event));

/** Writes that the step waits. */
export const writeDebugWait = (ms: number): void => debug(`Waiting ${(ms / 1000).toFixed(1)} s`);

/** Writes the host of each proxy. Its URL is not shown, because it may have a password. */
export function writeDebugProxies(proxies: Readonly<Record<string, string | undefined>>): void {
  for (const name of ['https_proxy', 'http_proxy']) {
    const host = URL.parse(proxies[name] ?? '')?.host;
    if (host) debug(`${name}: ${host}`);
  }
}
