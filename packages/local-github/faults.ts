import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, errorAnswer, sendAnswer, sendSlowly } from './answers.ts';

/** 'before': the request has no effect. 'after': it takes effect, then the fault replaces the answer. */
export type When = 'before' | 'after';

/** Something that goes wrong with one request on purpose. */
export type Fault =
  /** The connection is reset (RST). */
  | Readonly<{ kind: 'reset'; when: When }>
  /** No answer ever, until the client or the server goes. */
  | Readonly<{ kind: 'stall'; when: When }>
  /** Another answer: an error, a proxy's page (a body of text is sent as HTML). */
  | Readonly<{ kind: 'answer'; when: When; answer: Answer }>
  /** The request waits until then, so that writers overlap as a test wants them to. */
  | Readonly<{ kind: 'hold'; when: When; until: Promise<unknown> }>
  /** The request takes effect, and is answered after a pause. */
  | Readonly<{ kind: 'delay'; ms: number }>
  /** The request takes effect; of its answer comes the head, then one byte after another with a pause before each. */
  | Readonly<{ kind: 'slow-body'; delayMs: number }>
  /** Every page of a list names a next one, for ever. */
  | Readonly<{ kind: 'endless-pages' }>;

const SECONDARY = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
const PRIMARY = 'API rate limit exceeded for installation ID 1.';

const limited = (status: 403 | 429, message: string, headers: Readonly<Record<string, string>>): Fault => ({
  kind: 'answer',
  when: 'before',
  answer: errorAnswer(status, message, { headers }),
});

/** The secondary rate limit; without `retryAfter` GitHub does not say how long it lasts. */
export function secondaryLimit(status: 403 | 429, retryAfter?: number): Fault {
  return limited(status, SECONDARY, retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) });
}

/** The primary rate limit; `reset` is in seconds since 1970. */
export function primaryLimit(status: 403 | 429, reset: number): Fault {
  return limited(status, PRIMARY, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) });
}

/** Whether a request has its effect, whatever is answered. */
export const hasEffect = (fault: Fault | undefined): boolean =>
  fault === undefined || fault.kind === 'hold' || !('when' in fault) || fault.when === 'after';

/** An answer with a link to a page that comes after the one that was asked for. */
function withNextPage(answer: Answer, url: URL): Answer {
  const next = new URL(url);
  next.searchParams.set('page', String(Number(url.searchParams.get('page') ?? '1') + 1));
  return { ...answer, headers: { ...answer.headers, link: `<${next.href}>; rel="next"` } };
}

/** Sends an answer as the fault lets it through. */
export async function deliver(
  response: ServerResponse,
  answer: Answer,
  { fault, url }: Readonly<{ fault: Fault | undefined; url: URL }>,
): Promise<void> {
  switch (fault?.kind) {
    case undefined:
    case 'hold':
      sendAnswer(response, answer);
      break;
    case 'delay':
      await sleep(fault.ms, undefined, { ref: false });
      sendAnswer(response, answer);
      break;
    case 'slow-body':
      await sendSlowly(response, answer, fault.delayMs);
      break;
    case 'endless-pages':
      sendAnswer(response, withNextPage(answer, url));
      break;
    case 'reset':
      response.socket?.resetAndDestroy();
      break;
    case 'stall':
      break;
    case 'answer':
      sendAnswer(response, fault.answer);
      break;
    default:
      fault satisfies never;
  }
}
