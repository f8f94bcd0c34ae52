import type { LambdaApi } from '../lambda/api.ts';
import { readConfiguration } from '../lambda/configuration.ts';
import type { Invocation } from '../lambda/invocation.ts';
import type { Bounds } from '../lambda/timing.ts';
import type { LogFailure, LogPage, LogsApi } from './client.ts';
import { loggedLineOf } from './platform.ts';

/** The log group of a function, and the properties of its log. */
export type LogSource = Readonly<{
  functionName: string;
  region: string;
  logGroup: string;
  /** If the default log group is assumed: the name of the error of reading the configuration. */
  assumedFor?: string;
  /** Whether the log has no START and REPORT lines. */
  lacksPlatformLines: boolean;
  /** Whether concurrent requests write into one stream. */
  sharesStreams: boolean;
}>;

/**
 * Finds the log group of an invocation's function. If its configuration can't be read, assumes the default log group.
 */
export async function findLogSource(
  { api, region, ...bounds }: Bounds & Readonly<{ api: LambdaApi; region: string }>,
  invocation: Pick<Invocation, 'functionName' | 'qualifier' | 'reference'>,
): Promise<LogSource> {
  const { clockOffsetMs } = api;
  const first = await readConfiguration(api, invocation, bounds);
  // If a request was refused because of its time, the response has AWS's time, and a retry can succeed.
  const isClockCorrected = first.kind === 'failure' && api.clockOffsetMs !== clockOffsetMs;
  const found = isClockCorrected ? await readConfiguration(api, invocation, bounds) : first;
  const functionName = invocation.reference.name;
  const where = { functionName, region, logGroup: `/aws/lambda/${functionName}` };
  if (found.kind === 'failure') {
    return { ...where, assumedFor: found.name, lacksPlatformLines: false, sharesStreams: false };
  }
  return {
    ...where,
    ...(found.logGroup !== undefined && { logGroup: found.logGroup }),
    lacksPlatformLines: found.lacksPlatformLines,
    sharesStreams: found.sharesStreams,
  };
}

/** A request to find in the log: its ID, and the earliest time of its log events, in milliseconds since 1970. */
export type LoggedRequest = Readonly<{ requestId: string; since: number }>;

/** Where to look for a request, and until when. */
type StreamSearch = LoggedRequest & Readonly<{ mark: StreamMark; stop: AbortSignal }>;

/** How to recognize the stream of a request: by its START, or by any line with its ID if there is no START. */
export type StreamMark = 'start' | 'id';

/** The stream of a request, and the time of the line by which it was found. */
export type FoundStream = Readonly<{ kind: 'stream'; name: string; at: number }>;

type Hit = LogPage['events'][number];

const isStartOf = ({ message }: Hit, requestId: string): boolean => {
  const line = loggedLineOf(message);
  return line?.kind === 'start' && line.requestId === requestId;
};

/** Picks a hit in a stream of the function. In a shared log group, another function may log the ID. */
const byId = (hits: readonly Hit[], functionName: string): Hit | undefined =>
  hits.find(({ stream = '' }) => stream.includes(`/${functionName}[`)) ?? hits[0];

// How many pages are read before the next wait. In the log group of a busy function, many are empty although more follow,
// and each search begins with the first one.
const MOST_PAGES = 200;

/** A search in a log group: a text, such as a request ID, and a period. */
export type LogSearch = Readonly<{
  logGroup: string;
  text: string;
  from: number;
  until?: number | undefined;
  stop: AbortSignal;
}>;

/** Finds all events that contain a text, in all streams, in the order of their time. */
export async function searchAll(api: LogsApi, search: LogSearch): Promise<LogPage | LogFailure> {
  const { logGroup, text, from, until, stop } = search;
  const events: Hit[][] = [];
  let token: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await api.search({ logGroup, startTime: from, token, stop }, { text, endTime: until });
    if (page.kind === 'failure') return page;
    events.push([...page.events]);
    if (page.next === undefined) break;
    token = page.next;
  }
  return { kind: 'page', events: events.flat() };
}

/** Looks once for the stream of a request; undefined if it is not in the log yet. */
export async function findStream(
  api: LogsApi,
  { logGroup, functionName }: LogSource,
  { requestId, since, mark, stop }: StreamSearch,
): Promise<FoundStream | LogFailure | undefined> {
  let token: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await api.search({ logGroup, startTime: since, token, stop }, { text: requestId });
    if (page.kind === 'failure') return page;
    const hit =
      mark === 'start'
        ? page.events.find((event) => isStartOf(event, requestId))
        : byId(page.events, functionName);
    if (hit?.stream !== undefined) return { kind: 'stream', name: hit.stream, at: hit.timestamp };
    if (page.next === undefined) return undefined;
    token = page.next;
  }
  return undefined;
}
