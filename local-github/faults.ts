import type { ServerResponse } from 'node:http';
import { type Answer, errorAnswer, sendAnswer } from './answers.ts';

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
  | Readonly<{ kind: 'hold'; when: When; until: Promise<unknown> }>;

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

/** Sends an answer as the fault lets it through. */
export function deliver(response: ServerResponse, answer: Answer, fault: Fault | undefined): void {
  switch (fault?.kind) {
    case undefined:
    case 'hold':
      sendAnswer(response, answer);
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
