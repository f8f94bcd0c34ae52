import type { IncomingMessage } from 'node:http';
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import type { ServiceSettings } from '../lambda/client.ts';
import { readBody } from '../lambda/exchange.ts';
import { boundsFor, linkAbort, type Timing } from '../lambda/timing.ts';
import { onOneLine, shortened, utf8Start } from '../shared/text.ts';
import { type Fields, fieldsOf, isFields, messageOf } from '../shared/values.ts';

/** A log event of a function or of Lambda, usually one line. Its time is in milliseconds since 1970. */
export type LogEvent = Readonly<{ timestamp: number; message: string }>;

/** Some events in the order of the log, and the token for the next page. A page can be empty although more follow. */
export type LogPage = Readonly<{
  kind: 'page';
  events: readonly (LogEvent & Readonly<{ stream?: string }>)[];
  next?: string;
}>;

/** Why a request failed: not authorized, log not found, throttled, not reachable, or not readable. */
export type LogRefusal = 'denied' | 'missing' | 'busy' | 'unreachable' | 'unreadable';

/** A log that could not be read. The name is that of the error in the API's model, or an error code of Node.js. */
export type LogFailure = Readonly<{ kind: 'failure'; refusal: LogRefusal; name: string; message: string }>;

/** What to read in a log group, and what ends the request early. */
export type LogQuery = Readonly<{
  logGroup: string;
  startTime: number;
  token?: string | undefined;
  stop: AbortSignal;
}>;

// Source: the errors of FilterLogEvents and GetLogEvents, and the errors that all AWS services have in common.
const REFUSALS: Readonly<Record<string, LogRefusal>> = {
  AccessDeniedException: 'denied',
  ResourceNotFoundException: 'missing',
  ThrottlingException: 'busy',
  Throttling: 'busy',
  TooManyRequestsException: 'busy',
  ServiceUnavailableException: 'busy',
  // The SDK takes AWS's time from such a response, and signs the next request with it.
  InvalidSignatureException: 'unreachable',
  RequestTimeTooSkewed: 'unreachable',
};

const WORD = /^[A-Za-z][A-Za-z0-9_.]{0,80}$/;

function refusalByStatus(status: unknown): LogRefusal {
  if (typeof status !== 'number') return 'unreachable';
  // An emulator without logs sends 501.
  return status === 429 || (status >= 500 && status !== 501) ? 'busy' : 'unreadable';
}

// A page has 1 MB of messages and up to 10,000 events, and JSON can write a character in six bytes.
const LONGEST_BODY = 32 * 1024 * 1024;
const QUOTED_BYTES = 1_024;

/** The beginnings of responses by their streams. The SDK's errors have the stream, but not what was read from it. */
const beginnings = new WeakMap<object, string>();

/** Reads a response with a limit. The SDK would read a response that never ends. */
const collectBody = (response: IncomingMessage): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    readBody(response, LONGEST_BODY, ({ bytes, error, isTooLong }) => {
      beginnings.set(response, utf8Start(bytes, QUOTED_BYTES));
      if (isTooLong) reject(new Error('the response is longer than a page of a log can be'));
      else if (error !== undefined) reject(error);
      else resolve(bytes);
    });
  });

// 200 characters, and the … of a longer text.
const SHOWN_CHARACTERS = 201;

const NOT_TEXT = /[\p{Cc}\ufffd]/u;

/**
 * Describes a response that is not JSON. Its start is not quoted if it looks like JSON, which may have lines of a log.
 */
function foreignMessage({ $response: response }: Fields): string {
  const { body } = fieldsOf(response);
  const start = isFields(body) ? onOneLine(beginnings.get(body) ?? '') : '';
  return start === '' || start.startsWith('{') || NOT_TEXT.test(start)
    ? 'the response is not valid JSON'
    : `a proxy or firewall responded instead of CloudWatch Logs: ${shortened(start, SHOWN_CHARACTERS)}`;
}

/** The text that the SDK adds to the error of a response that it could not read. */
const SDK_HINT = /\n {2}Deserialization error: [^\n]*$/;

function toLogFailure(error: unknown): LogFailure {
  const fields = isFields(error) ? error : {};
  const { name, code, $metadata: metadata } = fields;
  const status = isFields(metadata) ? metadata['httpStatusCode'] : undefined;
  const byStatus = refusalByStatus(status);
  if (error instanceof SyntaxError && typeof status === 'number') {
    return { kind: 'failure', refusal: byStatus, name: `HTTP ${status}`, message: foreignMessage(fields) };
  }
  const words = [code, name].filter((word) => typeof word === 'string').filter((word) => WORD.test(word));
  const word = words[0] ?? 'Error';
  return {
    kind: 'failure',
    refusal: Object.hasOwn(REFUSALS, word) ? (REFUSALS[word] ?? byStatus) : byStatus,
    name: word,
    message: messageOf(error).replace(SDK_HINT, ''),
  };
}

const STOPPED: LogFailure = {
  kind: 'failure',
  refusal: 'unreachable',
  name: 'DeadlineExceeded',
  message: 'could not be read in time',
};

// A page has at most 1 MB, which takes a moment. A request that takes longer hangs, and the next look repeats it.
const LONGEST_REQUEST_MS = 15_000;

/** What all requests of a step share: time, the signal that cancels them, and the shortest time between two of them. */
export type LogRequests = Readonly<{ timing: Timing; cancel: AbortSignal; apartMs: number }>;

/** Spaces out requests, because all clients of an account share a quota of a few requests per second in a region. */
class RequestPace {
  readonly #requests: LogRequests;
  #freeAt = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(requests: LogRequests) {
    this.#requests = requests;
  }

  /** Resolves when it is the caller's turn. A request that was stopped before its turn does not delay later ones. */
  turn(stop: AbortSignal): Promise<void> {
    this.#last = this.#last.then(async () => {
      const { timing, apartMs } = this.#requests;
      const waitMs = this.#freeAt - timing.now();
      if (waitMs > 0 && !stop.aborted) await timing.sleep(waitMs, stop);
      if (!stop.aborted) this.#freeAt = timing.now() + apartMs;
    });
    return this.#last;
  }
}

/** CloudWatch Logs in one region. Each method sends one request and never throws. */
export class LogsApi {
  readonly #client: CloudWatchLogsClient;
  readonly #requests: LogRequests;
  readonly #pace: RequestPace;

  constructor(parts: { client: CloudWatchLogsClient; requests: LogRequests; pace: RequestPace }) {
    this.#client = parts.client;
    this.#requests = parts.requests;
    this.#pace = parts.pace;
  }

  /** Finds events that contain a text, such as a request ID, in all streams of a group. */
  search(
    { logGroup, startTime, token, stop }: LogQuery,
    search: Readonly<{ text: string; endTime?: number | undefined }>,
  ): Promise<LogPage | LogFailure> {
    const input: FilterLogEventsCommandInput = {
      logGroupName: logGroup,
      filterPattern: `"${search.text}"`,
      startTime,
      ...(search.endTime !== undefined && { endTime: search.endTime }),
      ...(token !== undefined && { nextToken: token }),
    };
    return this.#send(stop, async (abortSignal) => {
      const found = await this.#client.send(new FilterLogEventsCommand(input), { abortSignal });
      return { events: found.events, next: found.nextToken };
    });
  }

  /**
   * Reads events of one stream from a time on, oldest first. If the token is the same as before, there are no more yet.
   */
  read({ logGroup, startTime, token, stop }: LogQuery, stream: string): Promise<LogPage | LogFailure> {
    const input: GetLogEventsCommandInput = {
      logGroupName: logGroup,
      logStreamName: stream,
      startFromHead: true,
      startTime,
      ...(token !== undefined && { nextToken: token }),
    };
    return this.#send(stop, async (abortSignal) => {
      const found = await this.#client.send(new GetLogEventsCommand(input), { abortSignal });
      return { events: found.events, next: found.nextForwardToken };
    });
  }

  async #send(
    stop: AbortSignal,
    request: (signal: AbortSignal) => Promise<SentPage>,
  ): Promise<LogPage | LogFailure> {
    const { signal: cancel, unlink } = linkAbort(stop, this.#requests.cancel);
    await orAbort(this.#pace.turn(cancel), cancel);
    const { bounds, release } = boundsFor(LONGEST_REQUEST_MS, { ...this.#requests, cancel });
    try {
      const sent = bounds.stop.aborted ? undefined : await orAbort(request(bounds.stop), bounds.stop);
      return sent === undefined ? STOPPED : toLogPage(sent);
    } catch (error) {
      return bounds.stop.aborted ? STOPPED : toLogFailure(error);
    } finally {
      release();
      unlink();
    }
  }
}

/**
 * Waits for work, or until the signal aborts (undefined). The signal does not stop the SDK from waiting for
 * credentials.
 */
async function orAbort<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => aborted.resolve(undefined);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** A page from the SDK. The SDK does not check types, and an emulator may use other types. */
type SentPage = Readonly<{ events: unknown; next: unknown }>;

function toLogEvent(event: unknown): LogPage['events'] {
  if (!isFields(event)) return [];
  const { timestamp, message, logStreamName: stream } = event;
  if (typeof timestamp !== 'number' || typeof message !== 'string') return [];
  return [{ timestamp, message, ...(typeof stream === 'string' && { stream }) }];
}

const toLogPage = ({ events, next }: SentPage): LogPage => ({
  kind: 'page',
  events: Array.isArray(events) ? events.flatMap(toLogEvent) : [],
  ...(typeof next === 'string' && { next }),
});

/**
 * The clients for logs, one for each region. They share the credentials, the connections and the user agent of the
 * Lambda client, which closes the connections.
 */
export class LogsClients {
  readonly #settings: (region: string) => ServiceSettings;
  readonly #requests: LogRequests;
  readonly #pace: RequestPace;
  readonly #byRegion = new Map<string, LogsApi>();

  /** @param settings what a client shares with Lambda's client in the same region */
  constructor(settings: (region: string) => ServiceSettings, requests: LogRequests) {
    this.#settings = settings;
    this.#requests = requests;
    this.#pace = new RequestPace(requests);
  }

  /** The logs of a region. */
  of(region: string): LogsApi {
    const known = this.#byRegion.get(region);
    if (known) return known;
    // The code that polls repeats failed requests, so that all waits are bounded in one place.
    const client = new CloudWatchLogsClient({
      ...this.#settings(region),
      region,
      maxAttempts: 1,
      streamCollector: collectBody,
    });
    const api = new LogsApi({ client, requests: this.#requests, pace: this.#pace });
    this.#byRegion.set(region, api);
    return api;
  }
}
