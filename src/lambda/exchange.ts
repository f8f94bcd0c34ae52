import { Buffer } from 'node:buffer';
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type Agents, connectionStands } from './connection.ts';
import type { Head, Progress } from './progress.ts';
import { type Query, queryText } from './signature.ts';
import type { Timing } from './timing.ts';

/** A request as the SDK gives it. */
export type Request = Readonly<{
  protocol: string;
  hostname: string;
  port?: number | undefined;
  method: string;
  path: string;
  query?: Query | undefined;
  headers: Record<string, string>;
  body?: string | Uint8Array | undefined;
}>;

/** An answer as the SDK reads it: what is streamed comes as a stream, all else is there. */
export type RawAnswer = Readonly<{
  statusCode: number;
  headers: IncomingHttpHeaders;
  body: Buffer | IncomingMessage;
}>;

/** How a request is sent: over which agents, what ends it early, and where it is noted how far it came. */
export type Sending = Readonly<{
  agents: Agents;
  stop: AbortSignal;
  timing: Timing;
  progress: Progress;
  /** Whether the body of a success is handed on as it comes. */
  isStreamed: boolean;
}>;

const CONNECT_LIMIT_MS = 10_000;

/** No connection came to stand in time. */
export class NoConnectionError extends Error {}

/** How much is read, in bytes, of what somebody else answered in Lambda's place. */
export const LONGEST_STRANGE_TEXT = 64 * 1024;

const isRefused = (statusCode: number): boolean => statusCode >= 300;

function headOf(statusCode: number, headers: IncomingHttpHeaders): Head {
  const requestId = headers['x-amzn-requestid'];
  const retryAfter = Number(headers['retry-after']);
  return {
    statusCode,
    ...(typeof requestId === 'string' && { requestId }),
    ...(retryAfter > 0 && { retryAfterSeconds: retryAfter }),
    ...(headers['content-type'] !== undefined && { mediaType: headers['content-type'] }),
  };
}

/** Calls back with the whole body, or with what came before it broke and the error. */
function readBody(answer: IncomingMessage, onEnd: (body: Buffer, error?: Error) => void): void {
  const chunks: Buffer[] = [];
  // Once it is put together, the pieces need not live on with the answer.
  const whole = (): Buffer => Buffer.concat(chunks.splice(0));
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  answer.on('end', () => onEnd(whole()));
  answer.on('error', (error) => onEnd(whole(), error));
}

/**
 * Sends a request once and reads its answer, noting in `progress` how far both came. Rejects where no answer or no
 * whole one came; of an answer that is no success, what came before it broke is what there is.
 */
export function exchange(
  { protocol, hostname, port, method, path, query, headers, body }: Request,
  { agents, progress, stop, timing, isStreamed }: Sending,
): Promise<RawAnswer> {
  if (stop.aborted) return Promise.reject(new Error('aborted'));
  const isTls = protocol === 'https:';
  const search = queryText(query);
  return new Promise((resolve, reject) => {
    const options = {
      agent: isTls ? agents.httpsAgent : agents.httpAgent,
      // A literal IPv6 address has brackets in a URL only.
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      method,
      path: search === '' ? path : `${path}?${search}`,
      headers,
      // For the agent, which hears of sockets and not of invocations.
      progress,
    };
    const sent = (isTls ? requestHttps : requestHttp)(options);
    const abort = (): void => {
      sent.destroy(new Error('aborted'));
    };
    stop.addEventListener('abort', abort);
    const callOff = timing.after(CONNECT_LIMIT_MS, () => {
      if (progress.sentAt === undefined) sent.destroy(new NoConnectionError());
    });
    sent.on('close', () => {
      stop.removeEventListener('abort', abort);
      callOff();
    });
    sent.on('socket', (socket) => {
      if (sent.reusedSocket) connectionStands(socket, progress);
    });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      const { statusCode = 0 } = answer;
      progress.headCame(headOf(statusCode, answer.headers));
      if (isStreamed && !isRefused(statusCode)) {
        resolve({ statusCode, headers: answer.headers, body: answer });
        return;
      }
      readBody(answer, (whole, error) => {
        if (isRefused(statusCode)) progress.textCame(whole.toString('utf8', 0, LONGEST_STRANGE_TEXT));
        else if (error !== undefined) return reject(error);
        resolve({ statusCode, headers: answer.headers, body: whole });
      });
    });
    sent.end(body);
  });
}
