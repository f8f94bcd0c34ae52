import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import type { ServiceSettings } from '../lambda/client.ts';
import { boundsFor, type Timing } from '../lambda/timing.ts';
import { isFields, messageOf } from '../shared/values.ts';

/** What a function, or Lambda about it, wrote at once: usually one line. Its time is in milliseconds since 1970. */
export type LogEvent = Readonly<{ timestamp: number; message: string }>;

/** Some events in the order of the log, and the token to read on with. A page can be empty although more follow. */
export type LogPage = Readonly<{
  kind: 'page';
  events: readonly (LogEvent & Readonly<{ stream?: string }>)[];
  next?: string;
}>;

/** Why a request failed: not authorized, nothing there yet, throttled, not reachable, or not readable. */
export type LogRefusal = 'denied' | 'missing' | 'busy' | 'unreachable' | 'unreadable';

/** A log that could not be read. The name is the error's in the API's model or Node's error code. */
export type LogFailure = Readonly<{ kind: 'failure'; refusal: LogRefusal; name: string; message: string }>;

/** A log group and, in it, what to read. */
export type LogQuery = Readonly<{ logGroup: string; startTime: number; token?: string | undefined }>;

// Source: the errors of FilterLogEvents and GetLogEvents, and those that all of AWS's services have.
const REFUSALS: Readonly<Record<string, LogRefusal>> = {
  AccessDeniedException: 'denied',
  ResourceNotFoundException: 'missing',
  ThrottlingException: 'busy',
  Throttling: 'busy',
  TooManyRequestsException: 'busy',
  ServiceUnavailableException: 'busy',
};

const WORD = /^[A-Za-z][A-Za-z0-9_.]{0,80}$/;

function toLogFailure(error: unknown): LogFailure {
  const fields = isFields(error) ? error : {};
  const { name, code, $metadata: metadata } = fields;
  const status = isFields(metadata) ? metadata['httpStatusCode'] : undefined;
  const words = [code, name].filter((word) => typeof word === 'string').filter((word) => WORD.test(word));
  const word = words[0] ?? 'Error';
  const byStatus = typeof status !== 'number' ? 'unreachable' : status >= 500 ? 'busy' : 'unreadable';
  return {
    kind: 'failure',
    refusal: Object.hasOwn(REFUSALS, word) ? (REFUSALS[word] ?? byStatus) : byStatus,
    name: word,
    message: messageOf(error),
  };
}

// A page has 1 MB at most, which takes a moment; a request that hangs is repeated.
const LONGEST_REQUEST_MS = 15_000;

/** What all requests of a step share: time, what cancels them, and how far apart they are at least. */
export type LogRequests = Readonly<{ timing: Timing; cancel: AbortSignal; apartMs: number }>;

/** Spaces requests: an account has a few a second in a region, for everybody in it together. */
class RequestPace {
  readonly #requests: LogRequests;
  #freeAt = 0;

  constructor(requests: LogRequests) {
    this.#requests = requests;
  }

  async turn(): Promise<void> {
    const { timing, cancel, apartMs } = this.#requests;
    const now = timing.now();
    const at = Math.max(now, this.#freeAt);
    this.#freeAt = at + apartMs;
    if (at > now) await timing.sleep(at - now, cancel);
  }
}

/** CloudWatch's logs in one region. Sends each request once; none throws. */
export class LogsApi {
  readonly #client: CloudWatchLogsClient;
  readonly #requests: LogRequests;
  readonly #pace: RequestPace;

  constructor(parts: { client: CloudWatchLogsClient; requests: LogRequests; pace: RequestPace }) {
    this.#client = parts.client;
    this.#requests = parts.requests;
    this.#pace = parts.pace;
  }

  /** Events of all streams of a group that have a text in them, such as a request id. */
  search(
    { logGroup, startTime, token }: LogQuery,
    search: Readonly<{ text: string; endTime?: number | undefined }>,
  ): Promise<LogPage | LogFailure> {
    const input: FilterLogEventsCommandInput = {
      logGroupName: logGroup,
      filterPattern: `"${search.text}"`,
      startTime,
      ...(search.endTime !== undefined && { endTime: search.endTime }),
      ...(token !== undefined && { nextToken: token }),
    };
    return this.#send(async (abortSignal) => {
      const found = await this.#client.send(new FilterLogEventsCommand(input), { abortSignal });
      return { events: found.events, next: found.nextToken };
    });
  }

  /** Events of one stream from a time on, oldest first. The same token back says that there are no more for now. */
  read({ logGroup, startTime, token }: LogQuery, stream: string): Promise<LogPage | LogFailure> {
    const input: GetLogEventsCommandInput = {
      logGroupName: logGroup,
      logStreamName: stream,
      startFromHead: true,
      startTime,
      ...(token !== undefined && { nextToken: token }),
    };
    return this.#send(async (abortSignal) => {
      const found = await this.#client.send(new GetLogEventsCommand(input), { abortSignal });
      return { events: found.events, next: found.nextForwardToken };
    });
  }

  async #send(request: (signal: AbortSignal) => Promise<SentPage>): Promise<LogPage | LogFailure> {
    await this.#pace.turn();
    const { bounds, release } = boundsFor(LONGEST_REQUEST_MS, this.#requests);
    try {
      const { events = [], next } = await request(bounds.stop);
      return { kind: 'page', events: events.map(toLogEvent), ...(next !== undefined && { next }) };
    } catch (error) {
      return toLogFailure(error);
    } finally {
      release();
    }
  }
}

type SentEvent = Readonly<{
  timestamp?: number | undefined;
  message?: string | undefined;
  logStreamName?: string | undefined;
}>;
type SentPage = Readonly<{ events?: readonly SentEvent[] | undefined; next?: string | undefined }>;

const toLogEvent = ({
  timestamp = 0,
  message = '',
  logStreamName,
}: SentEvent): LogPage['events'][number] => ({
  timestamp,
  message,
  ...(logStreamName !== undefined && { stream: logStreamName }),
});

/**
 * The clients for logs, one a region, with the credentials, the connections and the user agent of Lambda's client,
 * which closes the connections.
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
    // The code that polls repeats a request that fails, so that waits are bounded in one place.
    const client = new CloudWatchLogsClient({ ...this.#settings(region), region, maxAttempts: 1 });
    const api = new LogsApi({ client, requests: this.#requests, pace: this.#pace });
    this.#byRegion.set(region, api);
    return api;
  }
}
