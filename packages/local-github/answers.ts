import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes back over the wire; no body for a 204. */
export type Answer = Readonly<{
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
}>;

const DOCUMENTATION = 'https://docs.github.com/rest';

/** GitHub's errors: a message, at times details, and the status as a string. */
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

/** Refusals by name, as GitHub words them. */
export const REFUSED = {
  badCredentials: errorAnswer(401, 'Bad credentials'),
  noCredentials: errorAnswer(401, 'Requires authentication'),
  notFound: errorAnswer(404, 'Not Found'),
  badJson: errorAnswer(400, 'Problems parsing JSON'),
  locked: errorAnswer(403, 'Unable to create comment because issue is locked.'),
} as const;

/** Writes the head of an answer with the headers that each of GitHub's has; returns the body. */
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

/** Sends an answer. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  response.end(sendHead(response, answer));
}

/** Sends the head of an answer, then byte after byte with a pause before each, until the client has gone. */
export async function sendSlowly(response: ServerResponse, answer: Answer, delayMs: number): Promise<void> {
  const body = Buffer.from(sendHead(response, answer));
  response.flushHeaders();
  for (let at = 0; at < body.length && !response.destroyed; at += 1) {
    await sleep(delayMs, undefined, { ref: false });
    response.write(body.subarray(at, at + 1));
  }
  response.end();
}
