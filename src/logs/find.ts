import type { LambdaApi } from '../lambda/api.ts';
import { readConfiguration } from '../lambda/configuration.ts';
import type { Invocation } from '../lambda/invocation.ts';
import type { Bounds } from '../lambda/timing.ts';
import type { LogFailure, LogPage, LogsApi } from './client.ts';
import { loggedLineOf } from './platform.ts';

/** Where a function logs, and what its log is like. */
export type LogSource = Readonly<{
  functionName: string;
  region: string;
  logGroup: string;
  /** Why the log group is the default one of the function's name: the name of the error of its configuration. */
  assumedFor?: string;
  /** Whether there are no START and REPORT to read from and to. */
  lacksPlatformLines: boolean;
  /** Whether requests that run at once write into one stream. */
  sharesStreams: boolean;
}>;

/** Finds where the function of an invocation logs. Where its configuration can't be read, in its default log group. */
export async function findLogSource(
  { api, region, ...bounds }: Bounds & Readonly<{ api: LambdaApi; region: string }>,
  invocation: Pick<Invocation, 'functionName' | 'qualifier' | 'reference'>,
): Promise<LogSource> {
  const { clockOffsetMs } = api;
  const first = await readConfiguration(api, invocation, bounds);
  // A request that was refused for its time tells AWS's time, by which the next one is signed.
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

/** A request to find in the log: its ID, and since when it can be there, in milliseconds since 1970. */
export type LoggedRequest = Readonly<{ requestId: string; since: number }>;

/** Where to look for a request, and until when. */
type StreamSearch = LoggedRequest & Readonly<{ mark: StreamMark; stop: AbortSignal }>;

/** How a request's stream is told: by its START, or, where there is none, by any line with the request's ID. */
export type StreamMark = 'start' | 'id';

/** The stream that a request's log is in, and the time of the line that it was found by. */
export type FoundStream = Readonly<{ kind: 'stream'; name: string; at: number }>;

type Hit = LogPage['events'][number];

const isStartOf = ({ message }: Hit, requestId: string): boolean => {
  const line = loggedLineOf(message);
  return line?.kind === 'start' && line.requestId === requestId;
};

/** In a group that functions share, another one may log the id: a stream there has the name of its function. */
const byId = (hits: readonly Hit[], functionName: string): Hit | undefined =>
  hits.find(({ stream = '' }) => stream.includes(`/${functionName}[`)) ?? hits[0];

// A page can be empty although more follow. This many in a row are read before the next wait.
const MOST_PAGES = 20;

/** What to search a log group for: a text such as a request ID, in events from one time to another. */
export type LogSearch = Readonly<{
  logGroup: string;
  text: string;
  from: number;
  until?: number | undefined;
  stop: AbortSignal;
}>;

/** All events that have a text in them, of all streams, in the order of their time. */
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

/** Looks once for the stream of a request; undefined if it is not there yet. */
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
