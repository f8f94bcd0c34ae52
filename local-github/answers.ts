import type { ServerResponse } from 'node:http';

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

/** Sends an answer with the headers that each of GitHub's has. */
export function sendAnswer(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  const limits = {
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': '4999',
    'x-ratelimit-resource': 'core',
    'x-github-media-type': 'github.v3; format=json',
  };
  if (body === undefined) {
    response.writeHead(status, { ...limits, ...headers });
    response.end();
    return;
  }
  const isText = typeof body === 'string';
  response.writeHead(status, {
    ...limits,
    'content-type': isText ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
    ...headers,
  });
  response.end(isText ? body : JSON.stringify(body));
}
