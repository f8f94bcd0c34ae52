import { Buffer } from 'node:buffer';
import { grouped } from '../shared/text.ts';
import type { RawResponse } from './exchange.ts';

// Lambda's message contains the times. Other services have a separate error for this.
const REFUSED_FOR_ITS_TIME = /Signature expired|Signature not yet current|RequestTimeTooSkewed/;
const LONGEST_REFUSAL = 64 * 1024;

// AWS refuses a signature that is 5 minutes off. A smaller difference can come from the whole seconds of a Date header
// and the time that the response took.
const LEAST_SKEW_MS = 60_000;

/** AWS's time in milliseconds since 1970, if a response refuses a signature because of its time. */
export function timeOfRefusal(response: RawResponse, signedAt: number): number | undefined {
  const { statusCode, headers, body } = response;
  if (statusCode < 400 || statusCode >= 500 || !Buffer.isBuffer(body)) return undefined;
  const name = String(headers['x-amzn-errortype'] ?? '');
  const refusal = `${name}\n${body.toString('utf8', 0, LONGEST_REFUSAL)}`;
  const time = Date.parse(headers.date ?? '');
  const isClockWrong = REFUSED_FOR_ITS_TIME.test(refusal) && Math.abs(time - signedAt) > LEAST_SKEW_MS;
  return isClockWrong ? time : undefined;
}

/** How much this machine's clock is wrong, worded for a message. */
export function clockNote(offsetMs: number): string {
  // AWS refuses a difference of over 5 minutes, and its Date header has whole seconds.
  const minutes = grouped(Math.round(Math.abs(offsetMs) / 60_000));
  return `the runner's clock is ${minutes} min ${offsetMs < 0 ? 'ahead of' : 'behind'} AWS's`;
}
