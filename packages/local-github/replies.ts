import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A response as it is sent. A 204 has no body. */
export type Reply = Readonly<{
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
}>;

const DOCUMENTATION = 'https://docs.github.com/rest';

/** An error as GitHub sends it: a message, optional details, and the status as a string. */
export function errorReply(
  status: number,
  message: string,
  more: Readonly<{ errors?: readonly unknown[]; headers?: Readonly<Record<string, string>> }> = {},
): Reply {
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
  badCredentials: errorReply(401, 'Bad credentials'),
  noCredentials: errorReply(401, 'Requires authentication'),
  notFound: errorReply(404, 'Not Found'),
  badJson: errorReply(400, 'Problems parsing JSON'),
  locked: errorReply(403, 'Unable to create comment because issue is locked.'),
} as const;

/** Writes the status and headers of a response, with the headers that GitHub always sends. Returns the body. */
function sendHead(response: ServerResponse, { status, headers = {}, body }: Reply): string {
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
export function sendReply(response: ServerResponse, reply: Reply): void {
  response.end(sendHead(response, reply));
}

/** Sends the headers, then one byte at a time with a pause before each, until the client disconnects. */
export async function sendSlowly(response: ServerResponse, reply: Reply, delayMs: number): Promise<void> {
  const body = Buffer.from(sendHead(response, reply));
  response.flushHeaders();
  for (let at = 0; at < body.length && !response.destroyed; at += 1) {
    await sleep(delayMs, undefined, { ref: false });
    response.write(body.subarray(at, at + 1));
  }
  response.end();
}
