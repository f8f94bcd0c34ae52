import { Buffer } from 'node:buffer';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isUuid } from '../shared/text.ts';
import type { Agents, Transport } from './agents.ts';
import type { AttemptProgress, Flaw, ResponseHead } from './attempt-progress.ts';
import { isTunnel, Opening, whenConnected } from './connection.ts';
import { CONNECT_LIMIT_MS, type Timing } from './timing.ts';

/**
 * Collects bytes as they arrive. They take at most twice their length in memory, even if they arrive in small pieces.
 */
export class GatheredBytes {
  #buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }

  /** Returns the bytes, and starts again without bytes. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#length));
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    return bytes;
  }
}

/** What Lambda's response to a request looks like. Any other response is from a proxy or another server. */
export type Expected = Readonly<{
  statusCode: number;
  /** The longest body, in bytes. */
  longestBody: number;
  /** Whether the body is passed on as it arrives. Its events then identify it and mark its end. */
  isStreamed?: boolean;
}>;

type IncomingHead = Pick<IncomingMessage, 'statusCode' | 'httpVersion' | 'headers'>;

/** The header with the request ID, of a request and of a response. */
export const REQUEST_ID = 'x-amzn-RequestId';

/**
 * The request ID of a response, and whether a proxy may have reflected it. If there are two, a proxy added ours to
 * Lambda's. Only the response to an invocation that ran has the header with its version.
 */
function requestIdOf(
  headers: IncomingHttpHeaders,
  sentAs: string | undefined,
): Pick<ResponseHead, 'requestId' | 'isReflected'> {
  const value = headers[REQUEST_ID.toLowerCase()];
  const ids = typeof value === 'string' && value !== '' ? value.split(/, */) : [];
  const requestId = ids.find((id) => id !== sentAs) ?? ids[0];
  if (requestId === undefined) return {};
  const isReflected = requestId === sentAs && headers['x-amz-executed-version'] === undefined;
  return { requestId, ...(isReflected && { isReflected }) };
}

/** Whether a response is a page of a proxy or a captive portal. A stream can have any type, which the function sets. */
function isPage({ headers }: IncomingHead, { isStreamed }: Expected, sentAs: string | undefined): boolean {
  const mediaType = headers['content-type']?.toLowerCase() ?? '';
  if (!isStreamed) return mediaType.startsWith('text/html');
  const { requestId = '', isReflected } = requestIdOf(headers, sentAs);
  return mediaType.startsWith('text/') && (isReflected === true || !isUuid(requestId));
}

/** Whether a body that is cut can be distinguished from a complete one (RFC 9112, section 6.3). */
const isFramed = ({ httpVersion, headers }: IncomingHead): boolean =>
  headers['content-length'] !== undefined ||
  (httpVersion === '1.1' && headers['transfer-encoding']?.toLowerCase() === 'chunked');

/** What is wrong with the head of a success response to a request with our ID; undefined if it may be from Lambda. */
function flawOf(head: IncomingHead, expected: Expected, sentAs?: string): Flaw | undefined {
  const { statusCode, headers } = head;
  if (statusCode !== expected.statusCode) return 'status';
  if (isPage(head, expected, sentAs)) return 'page';
  // No request asks for an encoding.
  if (headers['content-encoding'] !== undefined) return 'encoding';
  // A 204 has no body.
  if (!expected.isStreamed && statusCode !== 204 && !isFramed(head)) return 'framing';
  return undefined;
}

/** Parameters of a query, not encoded. A parameter without a value is null. */
type Query = Record<string, string | string[] | null>;

/** A request from the SDK. */
export type Request = Readonly<{
  protocol: string;
  hostname: string;
  port?: number;
  method: string;
  path: string;
  query: Query;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}>;

/** A response for the SDK. The body of a stream arrives in pieces; any other body is complete. */
export type RawResponse = Readonly<{
  statusCode: number;
  headers: IncomingHttpHeaders;
  body: Buffer | AsyncIterable<Buffer>;
}>;

/** How to exchange a request for its response: the agents, what ends it early, and where to record its progress. */
export type Exchange = Readonly<{
  agents: Agents;
  /** Closes everything that the request has open, including a streamed response. */
  stop: AbortSignal;
  timing: Timing;
  progress: AttemptProgress;
  expected: Expected;
}>;

/** The request could not connect in time. */
export class NoConnectionError extends Error {}

const CLOSED_EARLY = 'the connection was closed without a response';

/** The connection was closed without a response or an error. */
class ConnectionClosedError extends Error {
  override readonly name = 'ConnectionClosed';
}

/** How many bytes are read of an error response, and of a response that is not from Lambda. */
export const LONGEST_FOREIGN_TEXT = 64 * 1024;
// How long such a text may take. Its status counts, whether or not the text is complete.
const LONGEST_FOREIGN_MS = 10_000;

// The event stream encoding allows 16 MB for an event's payload and 128 KB for its headers.
const LONGEST_EVENT = 17 * 1024 * 1024;

const isRefused = (statusCode: number): boolean => statusCode >= 300;

function responseHeadOf(
  { statusCode = 0, headers }: IncomingMessage,
  sentAs: string | undefined,
): ResponseHead {
  const retryAfter = Number(headers['retry-after']);
  return {
    statusCode,
    ...requestIdOf(headers, sentAs),
    ...(retryAfter > 0 && { retryAfterSeconds: retryAfter }),
    ...(headers['content-type'] !== undefined && { mediaType: headers['content-type'] }),
  };
}

/** The bytes of a body, and why it is incomplete: the connection was closed, or the body is longer than `longest`. */
type Body = Readonly<{ bytes: Buffer; error?: Error; isTooLong?: boolean }>;

/** Reads a body of at most `longest` bytes. Closes the connection if the body is longer. */
export function readBody(response: IncomingMessage, longest: number, onEnd: (body: Body) => void): void {
  const gathered = new GatheredBytes();
  let isOver = false;
  const end = (why: Omit<Body, 'bytes'> = {}): void => {
    if (isOver) return;
    isOver = true;
    onEnd({ bytes: gathered.take(), ...why });
  };
  response.on('data', (chunk: Buffer) => {
    const left = longest - gathered.length;
    gathered.add(chunk.subarray(0, left));
    if (chunk.length <= left) return;
    response.destroy();
    end({ isTooLong: true });
  });
  response.on('end', () => end());
  response.on('error', (error) => end({ error }));
}

/**
 * Passes on a stream, and ends it at an event that is too long, because the decoder buffers an event until it is
 * complete.
 */
async function* boundedEvents(
  response: IncomingMessage,
  progress: AttemptProgress,
): AsyncGenerator<Buffer, void> {
  for await (const chunk of response) {
    progress.receivedRawBytes(chunk.length);
    if (progress.undecodedBytes > LONGEST_EVENT) throw progress.flawFound('length');
    yield chunk;
  }
}

/** Reads a response. Rejects if it is not from Lambda or is incomplete. */
function receive(
  response: IncomingMessage,
  { expected, progress, timing }: Exchange,
  settle: Readonly<{ resolve: (response: RawResponse) => void; reject: (error: Error) => void }>,
): void {
  const { statusCode = 0, headers } = response;
  progress.receivedHead(responseHeadOf(response, progress.sentAs));
  const flaw = isRefused(statusCode) ? undefined : flawOf(response, expected, progress.sentAs);
  if (isRefused(statusCode) || flaw !== undefined) {
    const clearLimit = timing.after(LONGEST_FOREIGN_MS, () => response.destroy(new Error('incomplete')));
    readBody(response, LONGEST_FOREIGN_TEXT, ({ bytes }) => {
      clearLimit();
      progress.receivedText(bytes.toString());
      if (flaw === undefined) settle.resolve({ statusCode, headers, body: bytes });
      else settle.reject(progress.flawFound(flaw));
    });
  } else if (expected.isStreamed) {
    // The head of a streamed response proves that the function is running.
    progress.receivedBytes(0);
    settle.resolve({ statusCode, headers, body: boundedEvents(response, progress) });
  } else {
    readBody(response, expected.longestBody, ({ bytes, error, isTooLong }) => {
      if (isTooLong) settle.reject(progress.flawFound('length'));
      else if (error !== undefined) settle.reject(error);
      else settle.resolve({ statusCode, headers, body: bytes });
    });
  }
}

/**
 * Records whether a request goes through a proxy, as its agent decided, and when its first byte leaves this machine.
 */
function watchConnection(
  sent: ClientRequest,
  { path, opening }: Readonly<{ path: string; opening: Opening }>,
  progress: AttemptProgress,
): void {
  // Without TLS, a proxy gets the whole URL.
  if (sent.path !== path) progress.viaProxy();
  sent.on('socket', (socket) => {
    if (isTunnel(socket)) progress.viaProxy();
    whenConnected(socket, () => progress.connected());
  });
  // A request gets a direct connection at once. It gets a tunnel, or the early connection, only when that is open.
  process.nextTick(() => {
    if (sent.socket === null && !opening.isEarly) progress.viaProxy();
  });
}

/** Percent-encodes all but unreserved characters (RFC 3986), as a signed query has to be. */
const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** The encoded query, with one `name=value` for each value. */
export const queryText = (query: Query): string =>
  Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((one) => [name, one ?? ''].map(percentEncoded).join('=')))
    .join('&');

function optionsOf(request: Request, { agent }: Transport, opening: Opening) {
  const { hostname, port, method, path, query, headers } = request;
  const search = queryText(query);
  return {
    agent,
    // A literal IPv6 address has brackets in a URL only.
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    method,
    path: search === '' ? path : `${path}?${search}`,
    headers,
    // The agent reads this option.
    opening,
  };
}

/** Ends a request that is stopped, or that does not get a connection in time. */
function boundRequest(sent: ClientRequest, opening: Opening, { progress, stop, timing }: Exchange): void {
  const abandon = (error: Error): void => {
    if (sent.socket === null) opening.abandon(error);
    // After a whole response, even if it is not read yet, Node.js no longer listens for errors of the connection.
    sent.destroy(progress.head === undefined ? error : undefined);
  };
  const abort = (): void => abandon(new Error('aborted'));
  stop.addEventListener('abort', abort);
  const clearConnectLimit = timing.after(CONNECT_LIMIT_MS, () => {
    if (progress.sentAt === undefined) abandon(new NoConnectionError());
  });
  sent.on('close', () => {
    stop.removeEventListener('abort', abort);
    clearConnectLimit();
  });
}

/**
 * Sends a request once and reads its response. Records in `progress` how far both got. Rejects if there is no complete
 * response. For an error response, the part that was received is enough.
 */
export async function exchange(request: Request, sending: Exchange): Promise<RawResponse> {
  const { agents, progress, stop } = sending;
  const transport = await agents.transport(request.protocol);
  if (stop.aborted) throw new Error('aborted');
  return new Promise((resolve, reject) => {
    const opening = new Opening();
    const options = optionsOf(request, transport, opening);
    const sent = transport.request(options);
    boundRequest(sent, opening, sending);
    watchConnection(sent, options, progress);
    sent.on('error', reject);
    sent.on('close', () => {
      // After a 101, Node.js emits neither an error nor a response.
      if (progress.head === undefined) reject(new ConnectionClosedError(CLOSED_EARLY));
    });
    sent.on('response', (response) => receive(response, sending, { resolve, reject }));
    sent.end(request.body);
  });
}
