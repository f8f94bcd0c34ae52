import { partitionOf } from '../function-name.ts';
import { fieldOf, numberOf, textOf } from '../json-fields.ts';
import type { RecordedRequest } from '../request.ts';
import { ServiceError, type ServiceResponse, serialization } from '../service-errors.ts';
import { filterPattern } from './filter-pattern.ts';
import { indexAfter, type LogEvent, type LogStore, positionOf } from './log-store.ts';

const OPERATIONS = ['FilterLogEvents', 'GetLogEvents'] as const;

/** An operation of CloudWatch Logs that this server supports. */
export type LogsOperation = (typeof OPERATIONS)[number];

/** The paging behavior, within the limits of a request. */
export type Paging = Readonly<{
  /** The maximum number of events on a page. Default: 10,000, as on AWS. */
  events?: number;
  /** The number of empty pages before each page with events. Default: 0. */
  emptyPages?: number;
  /** The number of events that FilterLogEvents scans for one page. Default: all. */
  searched?: number;
}>;

/** The number of requests per second that an operation allows, on the clock of the logs. Default: no limit. */
export type LogsRates = Readonly<Partial<Record<LogsOperation, number>>>;

/** The part of a log that a request asks for. */
export type LogsRequest = Readonly<{
  operation: LogsOperation;
  logGroup: string;
  /** Only for GetLogEvents. */
  logStream: string | undefined;
  body: unknown;
}>;

/** Where a page starts: after or before an event, and how many empty pages preceded it. */
type Place = Readonly<{ position: string; empty: number }>;

type Page = Readonly<{ events: readonly LogEvent[]; more: boolean }>;

const TARGET_PREFIX = 'Logs_20140328.';
const MOST_EVENTS = 10_000;
const MOST_BYTES = 1_048_576;
/** The bytes that CloudWatch adds to each message for its limits. */
const EVENT_BYTES = 26;

const error = (type: string, message: string): ServiceError =>
  new ServiceError({ status: 400, type, body: { message } });

const invalidParameter = (message: string): ServiceError => error('InvalidParameterException', message);

/** 400 for an operation that this server does not support. */
export const unknownLogsOperation = (): ServiceError =>
  new ServiceError({ status: 400, type: 'UnknownOperationException', body: {} });

const notFound = (what: 'group' | 'stream'): ServiceError =>
  error('ResourceNotFoundException', `The specified log ${what} does not exist.`);

/** The operation that a request names, if it is a CloudWatch Logs request. */
export function logsTarget({ method, path, headers }: RecordedRequest): string | undefined {
  const target = headers['x-amz-target'];
  if (method !== 'POST' || path !== '/' || target?.startsWith(TARGET_PREFIX) !== true) return undefined;
  return target.slice(TARGET_PREFIX.length);
}

/** The operation by its name, if this server supports it. */
export const logsOperation = (name: string | undefined): LogsOperation | undefined =>
  OPERATIONS.find((operation) => operation === name);

/** An error of the service in JSON 1.1: the type is in the body, and the status is 400 or 500. */
export function logsErrorResponse({ status, type, body, headers }: ServiceError): ServiceResponse {
  const { Type: _ofLambda, Reason: _ofLambdaToo, ...message } = body;
  return {
    status: status < 500 ? 400 : status,
    headers: { 'content-type': 'application/x-amz-json-1.1', ...headers },
    body: Buffer.from(JSON.stringify({ __type: type, ...message })),
  };
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw serialization();
  }
}

/** The name of a log group, from a name or an ARN. An ARN can end in ":*". */
const groupName = (identifier: string): string =>
  /^arn:[^:]+:logs:[^:]+:\d+:log-group:([^:]+)(?::\*)?$/.exec(identifier)?.[1] ?? identifier;

/** The log group and the log stream that a body names, if any. */
export function describeLogsBody(
  body: unknown,
): Readonly<Record<'logGroup' | 'logStream', string | undefined>> {
  const name = textOf(body, 'logGroupName') ?? textOf(body, 'logGroupIdentifier');
  return {
    logGroup: name === undefined ? undefined : groupName(name),
    logStream: textOf(body, 'logStreamName'),
  };
}

/** Reads a request for a supported operation. Throws the ServiceError that the service would return. */
export function readLogsRequest(operation: LogsOperation, bytes: Buffer): LogsRequest {
  const body = parseBody(bytes);
  const named = [textOf(body, 'logGroupName'), textOf(body, 'logGroupIdentifier')];
  const { logGroup, logStream } = describeLogsBody(body);
  if (logGroup === undefined || named.every((name) => name !== undefined)) {
    throw invalidParameter('Exactly one of logGroupName and logGroupIdentifier must be specified.');
  }
  if (operation === 'GetLogEvents' && logStream === undefined) {
    throw invalidParameter(
      "1 validation error detected: Value null at 'logStreamName' failed to satisfy constraint: Member must not be null",
    );
  }
  return { operation, logGroup, logStream, body };
}

/** The ARN that IAM checks. */
export function logsArn(
  { logGroup, logStream = '' }: Pick<LogsRequest, 'logGroup' | 'logStream'>,
  { region, accountId }: Readonly<{ region: string; accountId: string }>,
): string {
  return `arn:${partitionOf(region)}:logs:${region}:${accountId}:log-group:${logGroup}:log-stream:${logStream}`;
}

function readLimit(body: unknown): number {
  const limit = numberOf(body, 'limit') ?? MOST_EVENTS;
  const violated = (bound: string) =>
    invalidParameter(
      `1 validation error detected: Value '${limit}' at 'limit' failed to satisfy constraint: Member must have value ${bound}`,
    );
  if (limit < 1) throw violated('greater than or equal to 1');
  if (limit > MOST_EVENTS) throw violated(`less than or equal to ${MOST_EVENTS}`);
  return limit;
}

function readFilter(body: unknown): (message: string) => boolean {
  if (fieldOf(body, 'startFromHead') === false) {
    throw invalidParameter('startFromHead: false is not supported by the local Lambda.');
  }
  const isMatch = filterPattern(textOf(body, 'filterPattern') ?? '');
  if (isMatch === undefined) throw invalidParameter('Invalid filter pattern');
  return isMatch;
}

/** The events that fit on a page, from the start or from the end. */
function fill(events: readonly LogEvent[], limit: number, fromBack: boolean): Page {
  const page: LogEvent[] = [];
  let bytes = 0;
  for (let index = 0; index < events.length && page.length < limit; index += 1) {
    const event = events.at(fromBack ? -1 - index : index);
    if (event === undefined) break;
    bytes += Buffer.byteLength(event.message) + EVENT_BYTES;
    if (bytes > MOST_BYTES && page.length > 0) break;
    page.push(event);
  }
  return { events: fromBack ? page.reverse() : page, more: page.length < events.length };
}

const jsonResponse = (document: Readonly<Record<string, unknown>>): ServiceResponse => ({
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: Buffer.from(JSON.stringify(document)),
});

/** The read operations of CloudWatch Logs, on the content of a LogStore. */
export class CloudWatchLogs {
  readonly #store: LogStore;
  readonly #now: () => number;
  #paging: Paging = {};
  #rates: LogsRates = {};
  /** The times of the requests in the last second. */
  #taken: Readonly<{ operation: LogsOperation; at: number }>[] = [];

  constructor(store: LogStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  reset(): void {
    this.setPaging(undefined);
    this.setRates(undefined);
  }

  setRates(rates: LogsRates | undefined): void {
    this.#rates = rates ?? {};
    this.#taken = [];
  }

  setPaging(paging: Paging | undefined): void {
    this.#paging = paging ?? {};
  }

  /** Responds to an authorized request. Throws the ServiceError that the service would return. */
  respond(request: LogsRequest): ServiceResponse {
    this.#limit(request.operation);
    switch (request.operation) {
      case 'FilterLogEvents':
        return jsonResponse(this.#filterLogEvents(request));
      case 'GetLogEvents':
        return jsonResponse(this.#getLogEvents(request));
    }
  }

  #limit(operation: LogsOperation): void {
    const rate = this.#rates[operation];
    if (rate === undefined) return;
    const now = this.#now();
    this.#taken = this.#taken.filter(({ at }) => at > now - 1_000);
    const taken = this.#taken.filter((request) => request.operation === operation);
    if (taken.length >= rate) throw error('ThrottlingException', 'Rate exceeded');
    this.#taken.push({ operation, at: now });
  }

  #filterLogEvents({ logGroup, body }: LogsRequest): Readonly<Record<string, unknown>> {
    const isMatch = readFilter(body);
    const limit = Math.min(readLimit(body), this.#paging.events ?? MOST_EVENTS);
    const startTime = numberOf(body, 'startTime') ?? 0;
    const endTime = numberOf(body, 'endTime') ?? Number.POSITIVE_INFINITY;
    const place = readSearchToken(textOf(body, 'nextToken')) ?? { position: positionOf(startTime), empty: 0 };
    if (!this.#store.hasGroup(logGroup)) throw notFound('group');
    const isAsked = this.#streamFilter(logGroup, body);
    const rest = this.#eventsFrom(logGroup, place.position, endTime + 1).filter(({ logStream }) =>
      isAsked(logStream),
    );
    if (this.#isEmptyPage(rest, place)) {
      return {
        events: [],
        nextToken: searchToken({ ...place, empty: place.empty + 1 }),
        searchedLogStreams: [],
      };
    }
    const searched = rest.slice(0, this.#paging.searched);
    const page = fill(
      searched.filter(({ message }) => isMatch(message)),
      limit,
      false,
    );
    const last = page.more ? page.events.at(-1) : searched.at(-1);
    const isLast = last === undefined || last === rest.at(-1);
    return {
      events: page.events.map(({ logStream, timestamp, message, ingestionTime, eventId }) => ({
        logStreamName: logStream,
        timestamp,
        message,
        ingestionTime,
        eventId,
      })),
      ...(isLast ? {} : { nextToken: searchToken({ position: last.eventId, empty: 0 }) }),
      searchedLogStreams: [],
    };
  }

  #getLogEvents({ logGroup, logStream = '', body }: LogsRequest): Readonly<Record<string, unknown>> {
    const limit = Math.min(readLimit(body), this.#paging.events ?? MOST_EVENTS);
    const startTime = numberOf(body, 'startTime') ?? 0;
    const endTime = numberOf(body, 'endTime') ?? Number.POSITIVE_INFINITY;
    const token = textOf(body, 'nextToken');
    const read = readStreamToken(token);
    const fromHead = fieldOf(body, 'startFromHead') === true;
    if (read?.direction === 'f' && !fromHead) {
      throw invalidParameter('startFromHead must be true with a nextForwardToken.');
    }
    if (!this.#store.hasGroup(logGroup)) throw notFound('group');
    if (!this.#store.hasStream(logGroup, logStream)) throw notFound('stream');
    const backward = read === undefined ? !fromHead : read.direction === 'b';
    const start = positionOf(startTime);
    const place = read ?? { position: backward ? positionOf(Number.MAX_SAFE_INTEGER) : start, empty: 0 };
    const inRange = this.#eventsFrom(
      logGroup,
      backward || place.position < start ? start : place.position,
      endTime,
    ).filter((event) => event.logStream === logStream && (!backward || event.eventId < place.position));
    const isEmpty = this.#isEmptyPage(inRange, place);
    const { events } = isEmpty ? { events: [] } : fill(inRange, limit, backward);
    const moved = isEmpty ? { ...place, empty: place.empty + 1 } : place;
    const [first, last] = [events.at(0), events.at(-1)];
    return {
      events: events.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
      nextForwardToken: streamToken('f', last === undefined ? moved : { position: last.eventId, empty: 0 }),
      nextBackwardToken: streamToken(
        'b',
        first === undefined ? moved : { position: first.eventId, empty: 0 },
      ),
    };
  }

  /** The events that have arrived after a position, up to but not including a time. */
  #eventsFrom(logGroup: string, position: string, before: number): LogEvent[] {
    const events = this.#store.eventsOf(logGroup);
    const arrived = this.#store.arrival();
    const found: LogEvent[] = [];
    for (let index = indexAfter(events, position); index < events.length; index += 1) {
      const event = events[index];
      if (event === undefined || event.timestamp >= before) break;
      if (arrived(event)) found.push(event);
    }
    return found;
  }

  #isEmptyPage(events: readonly LogEvent[], { empty }: Place): boolean {
    return events.length > 0 && empty < (this.#paging.emptyPages ?? 0);
  }

  #streamFilter(logGroup: string, body: unknown): (logStream: string) => boolean {
    const names = fieldOf(body, 'logStreamNames');
    const prefix = textOf(body, 'logStreamNamePrefix');
    if (!Array.isArray(names)) return (logStream) => prefix === undefined || logStream.startsWith(prefix);
    if (prefix !== undefined) {
      throw invalidParameter('LogStreamNamePrefix and LogStreamNames are mutually exclusive.');
    }
    const wanted = new Set(names.map(String));
    for (const name of wanted) if (!this.#store.hasStream(logGroup, name)) throw notFound('stream');
    return (logStream) => wanted.has(logStream);
  }
}

const searchToken = ({ position, empty }: Place): string =>
  Buffer.from(`${position}/${empty}`).toString('base64url');

const TOKEN = /^(\d{56})\/(\d{1,9})$/;
const invalidToken = (): ServiceError => invalidParameter('The specified nextToken is invalid.');

function readSearchToken(token: string | undefined): Place | undefined {
  if (token === undefined) return undefined;
  const [, position, empty] = TOKEN.exec(Buffer.from(token, 'base64url').toString('latin1')) ?? [];
  if (position === undefined) throw invalidToken();
  return { position, empty: Number(empty) };
}

type Direction = 'f' | 'b';

const streamToken = (direction: Direction, { position, empty }: Place): string =>
  `${direction}/${position}/${empty === 0 ? 's' : `s${empty}`}`;

function readStreamToken(
  token: string | undefined,
): (Place & Readonly<{ direction: Direction }>) | undefined {
  if (token === undefined) return undefined;
  const [, direction, position, empty] = /^([fb])\/(\d{56})\/s(\d{0,9})$/.exec(token) ?? [];
  if (position === undefined) throw invalidToken();
  return { direction: direction === 'b' ? 'b' : 'f', position, empty: Number(empty) };
}
