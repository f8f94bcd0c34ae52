import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A response as it is sent. A 204 has no body. */
export type Answer = Readonly<{
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
}>;

const DOCUMENTATION = 'https://docs.github.com/rest';

/** An error as GitHub sends it: a message, optional details, and the status as a string. */
export function errorAnswer(
  status: number,
  message: string,
  more: Readonly<{ errors?: readonly unknown[]; headers?: Readonly<Record<string, string>> }> = {},
): Answer {
  const { errors, headers = {} } = more;
  const details = errors === undefined ? {} : { errors };
  return {
    status,
    headers,
    body: { message, ...details, documentation_url: DOCUMENTATION, status: String(status) },
  };
}

/** Common errors in GitHub's words. */
export const REFUSED = {
  badCredentials: errorAnswer(401, 'Bad credentials'),
  noCredentials: errorAnswer(401, 'Requires authentication'),
  notFound: errorAnswer(404, 'Not Found'),
  badJson: errorAnswer(400, 'Problems parsing JSON'),
  locked: errorAnswer(403, 'Unable to create comment because issue is locked.'),
} as const;

/** Writes the status and headers of a response, with the headers that GitHub always sends. Returns the body. */
function sendHead(response: ServerResponse, { status, headers = {}, body }: Answer): string {
  const isText = typeof body === 'string';
  const media = isText ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8';
  response.writeHead(status, {
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': '4999',
    'x-ratelimit-resource': 'core',
    'x-github-media-type': 'github.v3; format=json',
    ...(body !== undefined && { 'content-type': media }),
    ...headers,
  });
  if (body === undefined) return '';
  return isText ? body : JSON.stringify(body);
}

/** Sends a response. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  response.end(sendHead(response, answer));
}

/** Sends the headers, then one byte at a time with a pause before each, until the client disconnects. */
export async function sendSlowly(response: ServerResponse, answer: Answer, delayMs: number): Promise<void> {
  const body = Buffer.from(sendHead(response, answer));
  response.flushHeaders();
  for (let at = 0; at < body.length && !response.destroyed; at += 1) {
    await sleep(delayMs, undefined, { ref: false });
    response.write(body.subarray(at, at + 1));
  }
  response.end();
}
