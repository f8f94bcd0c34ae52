import type { IncomingMessage } from 'node:http';
import { isUuid } from '../shared/text.ts';
import type { Flaw } from './attempt-progress.ts';

/** What Lambda's response to a request is like; any other was sent by somebody in its place. */
export type Expected = Readonly<{
  statusCode: number;
  /** Bytes of its body at most. */
  longestBody: number;
  /** Whether the body is handed on as it arrives. Its events then say what it is and where it ends. */
  isStreamed?: boolean;
}>;

type IncomingHead = Pick<IncomingMessage, 'statusCode' | 'httpVersion' | 'headers'>;

/** A page of a proxy or a captive portal. The type of a stream is the function's own, and may be any. */
function isPage({ headers }: IncomingHead, { isStreamed }: Expected): boolean {
  const mediaType = headers['content-type']?.toLowerCase() ?? '';
  if (!isStreamed) return mediaType.startsWith('text/html');
  const requestId = headers['x-amzn-requestid'];
  return mediaType.startsWith('text/') && !(typeof requestId === 'string' && isUuid(requestId));
}

/** Whether a body that is cut can be distinguished from a complete one (RFC 9112, section 6.3). */
const isFramed = ({ httpVersion, headers }: IncomingHead): boolean =>
  headers['content-length'] !== undefined ||
  (httpVersion === '1.1' && headers['transfer-encoding']?.toLowerCase() === 'chunked');

/** What is wrong with the head of a response that is no refusal; undefined where it may be Lambda's. */
export function flawOf(head: IncomingHead, expected: Expected): Flaw | undefined {
  const { statusCode, headers } = head;
  if (statusCode !== expected.statusCode) return 'status';
  if (isPage(head, expected)) return 'page';
  // No encoding is ever asked for.
  if (headers['content-encoding'] !== undefined) return 'encoding';
  // A 204 has no body.
  if (!expected.isStreamed && statusCode !== 204 && !isFramed(head)) return 'framing';
  return undefined;
}
