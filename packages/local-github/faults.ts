import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorReply, type Reply, sendReply, sendSlowly } from './replies.ts';

/** 'before': the request has no effect. 'after': it takes effect, then the fault replaces the response. */
export type When = 'before' | 'after';

/** A deliberate fault in one request. */
export type Fault =
  /** The connection is reset (RST). */
  | Readonly<{ kind: 'reset'; when: When }>
  /** No response until the client disconnects or the server closes. */
  | Readonly<{ kind: 'stall'; when: When }>
  /** A different response: an error or a proxy's page. A string body is sent as HTML. */
  | Readonly<{ kind: 'reply'; when: When; reply: Reply }>
  /** The request waits for the promise, so that a test decides how writers overlap. */
  | Readonly<{ kind: 'hold'; when: When; until: Promise<unknown> }>
  /** The request takes effect, and the response is sent after a pause. */
  | Readonly<{ kind: 'delay'; ms: number }>
  /** The request takes effect. The response arrives one byte at a time, with a pause before each. */
  | Readonly<{ kind: 'slow-body'; delayMs: number }>
  /** Every page of a list links to a next page. */
  | Readonly<{ kind: 'endless-pages' }>;

const SECONDARY = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
const PRIMARY = 'API rate limit exceeded for installation ID 1.';

const limited = (status: 403 | 429, message: string, headers: Readonly<Record<string, string>>): Fault => ({
  kind: 'reply',
  when: 'before',
  reply: errorReply(status, message, { headers }),
});

/** The secondary rate limit. Without `retryAfter`, GitHub does not say how long it lasts. */
export function secondaryLimit(status: 403 | 429, retryAfter?: number): Fault {
  return limited(status, SECONDARY, retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) });
}

/** The primary rate limit. `reset` is in seconds since 1970. */
export function primaryLimit(status: 403 | 429, reset: number): Fault {
  return limited(status, PRIMARY, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) });
}

/** Whether a request takes effect, whatever the response is. */
export const hasEffect = (fault: Fault | undefined): boolean =>
  fault === undefined || fault.kind === 'hold' || !('when' in fault) || fault.when === 'after';

/** A response with a link to the page after the requested one. */
function withNextPage(reply: Reply, url: URL): Reply {
  const next = new URL(url);
  next.searchParams.set('page', String(Number(url.searchParams.get('page') ?? '1') + 1));
  return { ...reply, headers: { ...reply.headers, link: `<${next.href}>; rel="next"` } };
}

/** Sends a response, changed by the fault. */
export async function deliver(
  response: ServerResponse,
  reply: Reply,
  { fault, url }: Readonly<{ fault: Fault | undefined; url: URL }>,
): Promise<void> {
  switch (fault?.kind) {
    case undefined:
    case 'hold':
      sendReply(response, reply);
      break;
    case 'delay':
      await sleep(fault.ms, undefined, { ref: false });
      sendReply(response, reply);
      break;
    case 'slow-body':
      await sendSlowly(response, reply, fault.delayMs);
      break;
    case 'endless-pages':
      sendReply(response, withNextPage(reply, url));
      break;
    case 'reset':
      response.socket?.resetAndDestroy();
      break;
    case 'stall':
      break;
    case 'reply':
      sendReply(response, fault.reply);
      break;
    default:
      fault satisfies never;
  }
}
