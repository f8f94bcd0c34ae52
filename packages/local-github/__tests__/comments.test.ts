import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalGitHub, primaryLimit, secondaryLimit, startLocalGitHub } from '../server.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const COMMENTS = '/repos/octo/checks/issues/7/comments';

let github: LocalGitHub;

beforeEach(async () => {
  github = await startLocalGitHub({
    repositories: {
      'octo/checks': [
        { number: 7, commits: [SHA] },
        { number: 8, commits: [], isLocked: true },
      ],
    },
    tokens: {
      job: { kind: 'installation', access: 'write' },
      fork: { kind: 'installation', access: 'read' },
      nothing: { kind: 'installation', access: 'none' },
      ann: { kind: 'user', login: 'ann', access: 'write' },
      ben: { kind: 'user', login: 'ben', access: 'read' },
    },
  });
});

afterEach(() => github.close());

type Ask = Readonly<{ token?: string; method?: string; body?: unknown; base?: string }>;

async function ask(path: string, { token = 'job', method = 'GET', body, base = github.url }: Ask = {}) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: token === '' ? {} : { authorization: `token ${token}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const data: unknown = text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, data };
}

const post = (body: unknown, more: Ask = {}) => ask(COMMENTS, { method: 'POST', body, ...more });
const lengthOf = (data: unknown): number => (Array.isArray(data) ? data.length : -1);

describe('comments', () => {
  test('are created, listed, updated and deleted in the format of GitHub', async () => {
    const created = await post({ body: 'hello' });
    const [{ id } = { id: 0 }] = github.comments('octo/checks', 7);
    expect(created.status).toBe(201);
    expect(created.data).toMatchObject({
      id,
      body: 'hello',
      url: `${github.url}/repos/octo/checks/issues/comments/${id}`,
      html_url: `https://github.com/octo/checks/pull/7#issuecomment-${id}`,
      user: { login: 'github-actions[bot]', type: 'Bot' },
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await ask(COMMENTS)).data).toEqual([created.data]);
    const path = `/repos/octo/checks/issues/comments/${id}`;
    const changed = await ask(path, { method: 'PATCH', body: { body: 'bye' } });
    expect(changed).toMatchObject({ status: 200, data: { id, body: 'bye' } });
    expect(await ask(path, { method: 'DELETE' })).toMatchObject({ status: 204, data: '' });
    expect(await ask(path, { method: 'DELETE' })).toMatchObject({
      status: 404,
      data: { message: 'Not Found' },
    });
    expect(await ask(path, { method: 'PATCH', body: { body: 'x' } })).toMatchObject({ status: 404 });
    expect(github.comments('octo/checks', 7)).toEqual([]);
  });

  test('are paginated with links, 30 per page by default and at most 100', async () => {
    for (let n = 0; n < 205; n += 1)
      github.addComment({ repository: 'octo/checks', number: 7, login: 'ann', body: `${n}` });
    expect(lengthOf((await ask(COMMENTS)).data)).toBe(30);
    const first = await ask(`${COMMENTS}?per_page=500&page=1`);
    expect(lengthOf(first.data)).toBe(100);
    expect(first.headers.get('link')).toBe(
      `<${github.url}${COMMENTS}?per_page=500&page=2>; rel="next", <${github.url}${COMMENTS}?per_page=500&page=3>; rel="last"`,
    );
    const last = await ask(`${COMMENTS}?per_page=100&page=3`);
    expect(lengthOf(last.data)).toBe(5);
    expect(last.headers.get('link')).toMatch(/page=2>; rel="prev", .*page=1>; rel="first"$/);
    expect(lengthOf((await ask(`${COMMENTS}?per_page=100&page=4`)).data)).toBe(0);
  });

  test('have at most 65,536 characters, whatever their length in UTF-16', async () => {
    expect((await post({ body: '😀'.repeat(65_536) })).status).toBe(201);
    expect(await post({ body: 'x'.repeat(65_537) })).toMatchObject({
      status: 422,
      data: {
        message: 'Validation Failed',
        errors: [
          {
            resource: 'IssueComment',
            code: 'unprocessable',
            field: 'data',
            message: 'Body is too long (maximum is 65536 characters)',
          },
        ],
        status: '422',
      },
    });
    expect(github.comments('octo/checks', 7)).toHaveLength(1);
  });

  test.each([
    ['nothing', {}, 422, /"body" wasn't supplied/],
    ['a number', { body: 7 }, 422, /7 is not a string/],
    ['whitespace', { body: ' \n' }, 422, /Validation Failed/],
    ['invalid JSON', '{"body":', 400, /Problems parsing JSON/],
  ])('of %s are refused', async (_what, body, status, message) => {
    expect(await post(body)).toMatchObject({ status, data: { message: expect.stringMatching(message) } });
  });

  test('need a pull request that exists and is not locked', async () => {
    const to = (path: string) => ask(path, { method: 'POST', body: { body: 'x' } });
    expect((await to('/repos/octo/checks/issues/99/comments')).status).toBe(404);
    expect((await to('/repos/octo/nope/issues/7/comments')).status).toBe(404);
    expect(await to('/repos/octo/checks/issues/8/comments')).toMatchObject({
      status: 403,
      data: { message: 'Unable to create comment because issue is locked.' },
    });
  });
});

describe('tokens', () => {
  test.each([
    ['ann', 200, { login: 'ann', type: 'User' }],
    ['job', 403, { message: 'Resource not accessible by integration', status: '403' }],
    ['wrong', 401, { message: 'Bad credentials' }],
    ['', 401, { message: 'Requires authentication' }],
  ])('the token %j asks for its user: %d', async (token, status, data) => {
    expect(await ask('/user', { token })).toMatchObject({ status, data });
  });

  test.each([
    ['ann', 'ann'],
    ['job', 'github-actions[bot]'],
  ])('the token %s asks GraphQL for its login: %s', async (token, login) => {
    const body = { query: 'query { viewer { login } }' };
    for (const [base, path] of [[github.url, '/graphql'] as const, [github.url, '/api/graphql'] as const]) {
      const { data } = await ask(path, { token, method: 'POST', body, base });
      expect(data).toEqual({ data: { viewer: { login } } });
    }
  });

  test('have only their own permissions', async () => {
    expect((await ask(COMMENTS, { token: 'fork' })).status).toBe(200);
    expect((await post({ body: 'x' }, { token: 'fork' })).status).toBe(403);
    expect((await ask(COMMENTS, { token: 'nothing' })).status).toBe(403);
    expect(await post({ body: 'x' }, { token: 'ben' })).toMatchObject({
      data: { message: 'Resource not accessible by personal access token' },
    });
    expect(github.comments('octo/checks', 7)).toEqual([]);
  });
});

test('the pull requests of a commit are listed', async () => {
  const path = (sha: string) => `/repos/octo/checks/commits/${sha}/pulls`;
  expect((await ask(path(SHA))).data).toMatchObject([{ number: 7, state: 'open', head: { sha: SHA } }]);
  expect((await ask(path('b'.repeat(40)))).data).toEqual([]);
  expect(await ask(path('gone'))).toMatchObject({ status: 422 });
});

test('an Enterprise Server has the same API below /api/v3', async () => {
  await post({ body: 'hello' }, { base: github.enterpriseUrl });
  expect(lengthOf((await ask(COMMENTS, { base: github.enterpriseUrl })).data)).toBe(1);
  expect(github.requests).toMatchObject([
    { method: 'POST', path: COMMENTS, isEnterprise: true, body: { body: 'hello' } },
    { method: 'GET', path: COMMENTS, isEnterprise: true },
  ]);
});

describe('faults', () => {
  const count = () => github.comments('octo/checks', 7).length;

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('a reset %s the effect', async (when, expected) => {
    github.setFault((_request, n) => (n === 0 ? { kind: 'reset', when } : undefined));
    await expect(post({ body: 'x' })).rejects.toThrow();
    expect(count()).toBe(expected);
    expect((await post({ body: 'x' })).status).toBe(201);
  });

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('a different response %s the effect', async (when, expected) => {
    github.setFault(() => ({ kind: 'reply', when, reply: { status: 502, body: '<h1>' } }));
    expect(await post({ body: 'x' })).toMatchObject({ status: 502, data: '<h1>' });
    expect(count()).toBe(expected);
  });

  test('rate limits', async () => {
    github.setFault(() => secondaryLimit(429, 7));
    const secondary = await post({ body: 'x' });
    expect(secondary).toMatchObject({ status: 429, data: { message: expect.stringMatching(/secondary/) } });
    expect(secondary.headers.get('retry-after')).toBe('7');
    github.setFault(() => primaryLimit(403, 1_800_000_000));
    const primary = await post({ body: 'x' });
    expect(primary.status).toBe(403);
    expect(primary.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(primary.headers.get('x-ratelimit-reset')).toBe('1800000000');
    expect(count()).toBe(0);
  });

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('a request that waits %s the effect', async (when, expected) => {
    const { promise: until, resolve } = Promise.withResolvers<void>();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    github.setFault((request) => {
      if (request.method !== 'POST') return undefined;
      arrive();
      return { kind: 'hold', when, until };
    });
    let isSettled = false;
    const posted = post({ body: 'x' }).finally(() => {
      isSettled = true;
    });
    await arrived;
    await ask('/user');
    expect(lengthOf((await ask(COMMENTS)).data)).toBe(expected);
    expect(isSettled).toBe(false);
    resolve();
    expect((await posted).status).toBe(201);
    expect(count()).toBe(1);
  });

  test('a delayed response', async () => {
    github.setFault(() => ({ kind: 'delay', ms: 30 }));
    const before = performance.now();
    expect((await post({ body: 'x' })).status).toBe(201);
    // A timer may fire slightly early.
    expect(performance.now() - before).toBeGreaterThan(25);
    expect(count()).toBe(1);
  });

  test('a response that arrives one byte at a time', async () => {
    github.setFault(() => ({ kind: 'slow-body', delayMs: 1 }));
    expect(await ask('/user', { token: 'ann' })).toMatchObject({ status: 200, data: { login: 'ann' } });
    github.setFault(() => ({ kind: 'slow-body', delayMs: 1_000 }));
    const { status, body } = await fetch(`${github.url}${COMMENTS}`, {
      method: 'POST',
      body: '{"body":"x"}',
      headers: { authorization: 'token job' },
    });
    expect(status).toBe(201);
    expect(count()).toBe(1);
    await body?.cancel();
  });

  test('pages that never end', async () => {
    github.setFault(() => ({ kind: 'endless-pages' }));
    await post({ body: 'x' });
    for (const page of [1, 2, 99]) {
      const { headers, data } = await ask(`${COMMENTS}?per_page=100&page=${page}`);
      expect(headers.get('link')).toBe(
        `<${github.url}${COMMENTS}?per_page=100&page=${page + 1}>; rel="next"`,
      );
      expect(lengthOf(data)).toBe(page === 1 ? 1 : 0);
    }
  });

  test('a stall', async () => {
    github.setFault(() => ({ kind: 'stall', when: 'before' }));
    await expect(fetch(`${github.url}/user`, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
    expect(github.requests).toHaveLength(1);
  });
});
