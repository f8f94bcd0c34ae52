import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Fault,
  type LocalGitHub,
  primaryLimit,
  type RecordedRequest,
  secondaryLimit,
  startLocalGitHub,
} from '../../packages/local-github/server.ts';
import { composeComment } from '../../src/report/comment/comment-text.ts';
import type { CommentJob } from '../../src/report/comment/comments-api.ts';
import { CommentError } from '../../src/report/comment/refusals.ts';
import { writeComment } from '../../src/report/comment/upsert-comment.ts';

const REPOSITORY = 'octo/checks';
const SHA = '0123456789abcdef0123456789abcdef01234567';
const OTHER_SHA = 'fedcba9876543210fedcba9876543210fedcba98';
const CLOSED_SHA = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const NOW = 1_800_000_000_000;
const BOT = 'github-actions[bot]';

let github: LocalGitHub;
let slept: number[];

beforeEach(async () => {
  slept = [];
  github = await startLocalGitHub({
    repositories: {
      [REPOSITORY]: [
        { number: 7, commits: [SHA, OTHER_SHA] },
        { number: 8, commits: [OTHER_SHA] },
        { number: 9, commits: [SHA, CLOSED_SHA], state: 'closed' },
        { number: 10, commits: [], isLocked: true },
      ],
    },
    tokens: {
      job: { kind: 'installation', access: 'write' },
      fork: { kind: 'installation', access: 'read' },
      nothing: { kind: 'installation', access: 'none' },
      app: { kind: 'installation', access: 'write', app: 'checker' },
      ann: { kind: 'user', login: 'ann', access: 'write' },
      ben: { kind: 'user', login: 'ben', access: 'read' },
    },
  });
  // If a machine has a proxy, the toolkit uses this URL to decide whether to use it.
  process.env['GITHUB_API_URL'] = github.url;
});

afterEach(async () => {
  delete process.env['GITHUB_API_URL'];
  await github.close();
});

/** A clock that advances only during sleeps. A timer fires after real or slept time. */
function clock(): CommentJob['timing'] {
  let skew = 0;
  const due = new Map<() => void, number>();
  return {
    now: () => NOW + skew,
    sleep: async (ms) => {
      slept.push(ms);
      skew += ms;
      for (const [callback, at] of due) if (skew >= at) callback();
    },
    after: (ms, callback) => {
      due.set(callback, skew + ms);
      const timer = setTimeout(callback, ms);
      return () => {
        clearTimeout(timer);
        due.delete(callback);
      };
    },
  };
}

function jobWith(more: Partial<CommentJob> = {}): CommentJob {
  return {
    apiUrl: github.url,
    token: 'job',
    repository: REPOSITORY,
    pullRequest: { kind: 'number', number: 7 },
    key: 'ci/deploy/check',
    timing: clock(),
    signal: new AbortController().signal,
    ...more,
  };
}

const compose = (table: string, more: Partial<Parameters<typeof composeComment>[0]> = {}): string =>
  composeComment({
    key: 'ci/deploy/check',
    title: 'Permission check',
    table,
    details: [],
    commit: SHA,
    runUrl: 'https://github.com/octo/checks/actions/runs/1',
    ...more,
  });

const RED = compose('❌ red');
const GREEN = compose('✅ green');

const comments = (number = 7) =>
  github.comments(REPOSITORY, number).map(({ author, body }) => [author.login, body]);
const addComment = (login: string, body: string) =>
  github.addComment({ repository: REPOSITORY, number: 7, login, body });
const writes = () => github.requests.filter(({ method, path }) => method !== 'GET' && path !== '/graphql');
const methods = () => writes().map(({ method }) => method);
const isPost = ({ method, path }: RecordedRequest) => method === 'POST' && path.endsWith('/comments');
const isList = ({ method, path }: RecordedRequest) => method === 'GET' && path.endsWith('/comments');

/** Makes the first requests of a kind fail, one fault per request. */
function failFirst(isMeant: (request: RecordedRequest) => boolean, ...faults: readonly Fault[]): void {
  const left = [...faults];
  github.setFault((request) => (isMeant(request) ? left.shift() : undefined));
}

async function failureOf(job: CommentJob, markdown = RED): Promise<CommentError> {
  const error: unknown = await writeComment(job, markdown).then(
    (written) => written,
    (reason: unknown) => reason,
  );
  if (error instanceof CommentError) return error;
  throw new Error(`This is no CommentError: ${String(error)}`);
}

const unavailable: Fault = { kind: 'reply', when: 'before', reply: { status: 502, body: '<h1>502</h1>' } };
const lostUnavailable: Fault = { ...unavailable, when: 'after' };
const proxyPage: Fault = { kind: 'reply', when: 'before', reply: { status: 200, body: '<html>' } };
const halfResponse: Fault = { kind: 'reply', when: 'after', reply: { status: 201, body: '<html>' } };

describe('one comment', () => {
  test('is created, not changed while it is the same, and updated', async () => {
    expect(await writeComment(jobWith(), RED)).toBe('created');
    expect(comments()).toEqual([[BOT, RED]]);
    expect(await writeComment(jobWith(), RED)).toBe('unchanged');
    expect(methods()).toEqual(['POST']);
    expect(await writeComment(jobWith(), GREEN)).toBe('updated');
    expect(comments()).toEqual([[BOT, GREEN]]);
    expect(methods()).toEqual(['POST', 'PATCH']);
    expect(slept).toEqual([]);
  });

  test('is the same after GitHub has changed its line endings', async () => {
    addComment(BOT, RED.trimEnd().replaceAll('\n', '\r\n'));
    expect(await writeComment(jobWith(), RED)).toBe('unchanged');
    expect(writes()).toEqual([]);
  });

  test('gets the marker if the text has none', async () => {
    expect(await writeComment(jobWith(), 'plain')).toBe('created');
    expect(await writeComment(jobWith(), 'plain')).toBe('unchanged');
    expect(comments()).toEqual([[BOT, '<!-- aws-lambda-invoke-action: ci%2Fdeploy%2Fcheck -->\nplain']]);
  });

  test('exists once per key', async () => {
    const keys = ['a', 'a -->', '--', '-', '%2D%2D', 'a b', 'ä', '\ud800'];
    for (const key of keys) {
      expect(await writeComment(jobWith({ key }), compose('red', { key }))).toBe('created');
    }
    for (const key of keys) {
      expect(await writeComment(jobWith({ key }), compose('red', { key }))).toBe('unchanged');
    }
    expect(comments()).toHaveLength(keys.length);
    for (const [, body = ''] of comments()) {
      const [marker = ''] = body.split('\n');
      expect(marker).toMatch(/^<!-- [^>]* -->$/);
      expect(marker.slice(4, -3)).not.toContain('--');
    }
  });

  test('is found among more than 100', async () => {
    for (let n = 0; n < 230; n += 1) addComment('ann', `hello ${n}`);
    addComment(BOT, RED);
    addComment('ann', 'bye');
    expect(await writeComment(jobWith(), GREEN)).toBe('updated');
    expect(comments()).toHaveLength(232);
    expect(comments()[230]).toEqual([BOT, GREEN]);
    expect(github.requests.filter(isList).map(({ query }) => query)).toEqual([
      { per_page: '100', page: '1' },
      { per_page: '100', page: '2' },
      { per_page: '100', page: '3' },
    ]);
  });

  test('is not that of another user who pastes the marker', async () => {
    addComment('mallory', RED);
    addComment('github-actions', RED);
    expect(await writeComment(jobWith(), GREEN)).toBe('created');
    expect(comments()).toEqual([
      ['mallory', RED],
      ['github-actions', RED],
      [BOT, GREEN],
    ]);
    expect(await writeComment(jobWith(), RED)).toBe('updated');
    expect(methods()).toEqual(['POST', 'PATCH']);
  });

  const MARKER = '<!-- aws-lambda-invoke-action: ci%2Fdeploy%2Fcheck -->';

  test.each([
    ['quotes the marker', `See:\n\n${RED}`],
    ['continues after the marker', `${MARKER} is how this action finds its comment.`],
    ['has another comment after the marker', `${MARKER}<!-- of another action -->\n# Report`],
    ['has a blank before the marker', ` ${MARKER}\n# Report`],
  ])('is not another comment of the same bot that %s', async (_what, body) => {
    addComment(BOT, body);
    expect(await writeComment(jobWith(), GREEN)).toBe('created');
    expect(await writeComment(jobWith(), RED)).toBe('updated');
    expect(comments()).toEqual([
      [BOT, body],
      [BOT, RED],
    ]);
  });

  test.each([
    ['alone', MARKER],
    ['before a blank', `${MARKER} \nred`],
    ['before CR LF', `${MARKER}\r\nred`],
  ])('is the comment with the marker %s in its first line', async (_what, body) => {
    addComment(BOT, body);
    expect(await writeComment(jobWith(), GREEN)).toBe('updated');
    expect(comments()).toEqual([[BOT, GREEN]]);
  });

  test('has its own marker if the text starts with more than a marker', async () => {
    expect(await writeComment(jobWith(), `${MARKER} and more`)).toBe('created');
    expect(comments()).toEqual([[BOT, `${MARKER}\n${MARKER} and more`]]);
  });

  test.each([
    ['ann', 'ann', ['/user']],
    ['job', BOT, ['/user', '/graphql']],
    ['app', 'checker[bot]', ['/user', '/graphql']],
  ])("with the token %s is %s's", async (token, login, asked) => {
    addComment(token === 'job' ? 'ann' : BOT, RED);
    expect(await writeComment(jobWith({ token }), RED)).toBe('created');
    expect(await writeComment(jobWith({ token }), GREEN)).toBe('updated');
    expect(comments()[1]).toEqual([login, GREEN]);
    const paths = github.requests.map(({ path }) => path).filter((path) => !path.startsWith('/repos/'));
    expect(paths).toEqual([...asked, ...asked]);
  });

  test.each([
    ['403', { status: 403, body: { message: 'Resource not accessible by integration' } }],
    ['errors', { status: 200, body: { errors: [{ message: 'No.' }] } }],
  ])('is by github-actions[bot] if GraphQL responds with %s', async (_what, reply) => {
    failFirst(({ path }) => path === '/graphql', { kind: 'reply', when: 'before', reply });
    addComment(BOT, RED);
    expect(await writeComment(jobWith(), GREEN)).toBe('updated');
    expect(slept).toEqual([]);
  });

  test('is not attributed to someone else if GitHub does not return the user', async () => {
    addComment('ann', RED);
    const page: Fault = { kind: 'reply', when: 'before', reply: { status: 200, body: '<html>' } };
    failFirst(({ path }) => path === '/user', page);
    expect(await writeComment(jobWith({ token: 'ann' }), GREEN)).toBe('updated');
  });

  test('is written through the API of an Enterprise Server', async () => {
    for (const apiUrl of [github.enterpriseUrl, `${github.enterpriseUrl}/`]) {
      await writeComment(jobWith({ apiUrl, token: 'app' }), apiUrl);
    }
    expect(comments()).toHaveLength(1);
    expect(github.requests.every(({ isEnterprise }) => isEnterprise)).toBe(true);
    expect(github.requests.map(({ path }) => path)).toContain('/graphql');
  });
});

describe('a pull request found by its commit', () => {
  test('is the open one', async () => {
    expect(await writeComment(jobWith({ pullRequest: { kind: 'commit', sha: SHA } }), RED)).toBe('created');
    expect(comments(7)).toHaveLength(1);
    expect(comments(9)).toEqual([]);
  });

  test.each([
    [CLOSED_SHA, 'The commit aaaaaaa belongs to no open pull request. A comment needs exactly one.'],
    ['b'.repeat(40), 'The commit bbbbbbb belongs to no open pull request. A comment needs exactly one.'],
    [OTHER_SHA, 'The commit fedcba9 belongs to 2 open pull requests. A comment needs exactly one.'],
    ['gone', 'GitHub does not know the commit of this run (422: No commit found for SHA: gone).'],
  ])('has no comment: %s', async (sha, what) => {
    expect((await failureOf(jobWith({ pullRequest: { kind: 'commit', sha } }))).what).toBe(what);
    expect(writes()).toEqual([]);
  });
});

describe('never doubled', () => {
  const both = async (one: CommentJob, other: CommentJob) =>
    Promise.all([writeComment(one, RED), writeComment(other, GREEN)]);

  test('two concurrent jobs leave one comment', async () => {
    // Neither sees the other's comment: both lists are sent before either comment exists.
    let lists = 0;
    const { promise: bothListed, resolve } = Promise.withResolvers<void>();
    github.setFault((request) => {
      if (!isList(request)) return undefined;
      lists += 1;
      if (lists === 2) resolve();
      return lists <= 2 ? { kind: 'hold', when: 'after', until: bothListed } : undefined;
    });
    const written = await both(jobWith(), jobWith());
    expect(methods().filter((method) => method === 'POST')).toHaveLength(2);
    expect(comments()).toHaveLength(1);
    expect([...written].sort()).toEqual(['created', 'updated']);
    // The second job has the last word.
    expect(comments()).toEqual([[BOT, written[0] === 'updated' ? RED : GREEN]]);
    expect(methods().filter((method) => method === 'DELETE')).toHaveLength(1);
  });

  test('the older comment of another job is kept, and only ours is deleted', async () => {
    addComment('mallory', GREEN);
    github.setFault((request) => {
      if (isPost(request)) addComment(BOT, RED);
      return undefined;
    });
    expect(await writeComment(jobWith(), GREEN)).toBe('updated');
    expect(comments()).toEqual([
      ['mallory', GREEN],
      [BOT, GREEN],
    ]);
    expect(methods()).toEqual(['POST', 'PATCH', 'DELETE']);
  });

  test('the duplicate of a killed job is deleted by the next', async () => {
    addComment(BOT, RED);
    addComment(BOT, RED);
    addComment('ann', RED);
    expect(await writeComment(jobWith(), GREEN)).toBe('updated');
    expect(comments()).toEqual([
      [BOT, GREEN],
      ['ann', RED],
    ]);
  });

  test('a duplicate that is already deleted is not a failure', async () => {
    addComment(BOT, RED);
    addComment(BOT, RED);
    failFirst(({ method }) => method === 'DELETE', lostUnavailable);
    expect(await writeComment(jobWith(), GREEN)).toBe('updated');
    expect(methods()).toEqual(['PATCH', 'DELETE', 'DELETE']);
    expect(comments()).toEqual([[BOT, GREEN]]);
  });

  test.each<[string, Fault]>([
    ['the connection reset', { kind: 'reset', when: 'after' }],
    ['a 502', lostUnavailable],
    ['half a response', halfResponse],
  ])('%s after the comment was created: it is not created again', async (_what, fault) => {
    failFirst(isPost, fault);
    expect(await writeComment(jobWith(), RED)).toBe('created');
    expect(methods()).toEqual(['POST']);
    expect(comments()).toEqual([[BOT, RED]]);
    expect(slept).toEqual([1_000]);
  });

  test.each<[string, Fault]>([
    ['the connection reset', { kind: 'reset', when: 'before' }],
    ['a 502', unavailable],
  ])('%s before the comment was created: listed first, then created', async (_what, fault) => {
    failFirst(isPost, fault, fault);
    expect(await writeComment(jobWith(), RED)).toBe('created');
    const asked = github.requests.filter((request) => isPost(request) || isList(request));
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET', 'POST', 'GET', 'POST', 'GET']);
    expect(comments()).toEqual([[BOT, RED]]);
    expect(slept).toEqual([1_000, 2_000]);
  });

  test('a created comment counts, even if the check for duplicates fails', async () => {
    github.setFault((request) =>
      isList(request) && methods().includes('POST') ? { kind: 'reset', when: 'before' } : undefined,
    );
    expect(await writeComment(jobWith(), RED)).toBe('created');
    expect(methods()).toEqual(['POST']);
  });
});

describe('GitHub out of reach', () => {
  test.each<[string, Fault]>([
    ['a 502', unavailable],
    ['the connection reset', { kind: 'reset', when: 'before' }],
    ['a page of a proxy', proxyPage],
  ])('%s: two failures are retried', async (_what, fault) => {
    failFirst(isList, fault, fault);
    expect(await writeComment(jobWith(), RED)).toBe('created');
    expect(slept).toEqual([1_000, 2_000]);
  });

  test('an update with a lost response is retried', async () => {
    addComment(BOT, RED);
    failFirst(({ method }) => method === 'PATCH', { kind: 'reset', when: 'after' });
    expect(await writeComment(jobWith(), GREEN)).toBe('updated');
    expect(methods()).toEqual(['PATCH', 'PATCH']);
  });

  test('three failures end it', async () => {
    github.setFault(() => unavailable);
    const { what, fix, cause } = await failureOf(jobWith());
    expect(what).toBe("GitHub's API responded with 502.");
    expect(fix).toMatch(/githubstatus/);
    expect(cause).toBeInstanceOf(Error);
    expect(github.requests).toHaveLength(3);
    expect(slept).toEqual([1_000, 2_000]);
  });

  test('a create request without a response ends after three attempts', async () => {
    github.setFault((request) => (isPost(request) ? { kind: 'reset', when: 'before' } : undefined));
    expect((await failureOf(jobWith())).what).toMatch(/^GitHub's API gave no usable response: /);
    expect(methods()).toEqual(['POST', 'POST', 'POST']);
  });

  test('without a server', async () => {
    const { url: apiUrl, close } = await startLocalGitHub({ repositories: {}, tokens: {} });
    await close();
    expect((await failureOf(jobWith({ apiUrl }))).what).toMatch(/no usable response: .*ECONNREFUSED/);
    expect(slept).toEqual([1_000, 2_000]);
  });

  test('a stalled request is aborted', async () => {
    github.setFault(() => ({ kind: 'stall', when: 'before' }));
    expect((await failureOf(jobWith({ requestMs: 50 }))).what).toMatch(
      /no usable response: timed out after 0\.1 s/,
    );
    expect(github.requests).toHaveLength(3);
  });

  test('a request with a response that arrives byte by byte is aborted', async () => {
    github.setFault(() => ({ kind: 'slow-body', delayMs: 20 }));
    expect((await failureOf(jobWith({ requestMs: 200 }))).what).toMatch(/timed out after 0\.2 s/);
    expect(github.requests).toHaveLength(3);
  });

  test('a late response is awaited', async () => {
    github.setFault(() => ({ kind: 'delay', ms: 20 }));
    expect(await writeComment(jobWith(), RED)).toBe('created');
    expect(slept).toEqual([]);
  });
});

describe('the limits for the whole comment', () => {
  test('end a list of comments with endless pages', async () => {
    for (let n = 0; n < 3; n += 1) addComment(BOT, RED);
    github.setFault((request) => (isList(request) ? { kind: 'endless-pages' } : undefined));
    expect((await failureOf(jobWith())).what).toBe(
      'The list of comments on the pull request did not end after 5,000 comments.',
    );
    expect(github.requests.filter(isList).map(({ query }) => query['page'])).toEqual(
      Array.from({ length: 50 }, (_, at) => String(at + 1)),
    );
    // Duplicates are not known before the end of the list.
    expect(writes()).toEqual([]);
  });

  test.each<[string, Fault]>([
    ['without a response', { kind: 'stall', when: 'before' }],
    ['with a response that arrives byte by byte', { kind: 'slow-body', delayMs: 20 }],
  ])('end requests %s', async (_what, fault) => {
    addComment('ann', 'hello');
    github.setFault((request) => (isList(request) ? fault : undefined));
    // Enough to send the request on a busy machine.
    const { what, fix } = await failureOf(jobWith({ totalMs: 1_000 }));
    expect([what, fix]).toEqual(['It took longer than 1 s.', expect.stringContaining('githubstatus')]);
    expect(github.requests.filter(isList)).toHaveLength(1);
  });

  test('end slow endless pages', async () => {
    github.setFault((request) => (isList(request) ? { kind: 'delay', ms: 20 } : undefined));
    for (let n = 0; n < 4_000; n += 1) addComment('ann', 'hello');
    expect((await failureOf(jobWith({ totalMs: 100 }))).what).toBe('It took longer than 0.1 s.');
    expect(github.requests.filter(isList).length).toBeLessThan(40);
  });

  test('include waits', async () => {
    github.setFault((request) => (isList(request) ? secondaryLimit(403, 20) : undefined));
    expect((await failureOf(jobWith({ totalMs: 30_000 }))).what).toBe('It took longer than 30 s.');
    expect(slept).toEqual([20_000, 20_000]);
    expect(github.requests.filter(isList)).toHaveLength(2);
  });

  test('are 120 s without progress', async () => {
    const asked: number[] = [];
    const timing = clock();
    const after: CommentJob['timing']['after'] = (ms, callback) => {
      asked.push(ms);
      return timing.after(ms, callback);
    };
    await writeComment(jobWith({ timing: { ...timing, after } }), RED);
    expect([...new Set(asked)]).toEqual([120_000, 20_000]);
  });

  test('leave no timer', async () => {
    const due = new Set<number>();
    let asked = 0;
    const after = (): (() => void) => {
      const id = asked;
      asked += 1;
      due.add(id);
      return () => due.delete(id);
    };
    await writeComment(jobWith({ timing: { ...clock(), after } }), RED);
    expect([asked > 1, due.size]).toEqual([true, 0]);
  });
});

describe('a canceled workflow', () => {
  const CANCELLED = 'The workflow was cancelled.';

  test('sends nothing', async () => {
    expect((await failureOf(jobWith({ signal: AbortSignal.abort() }))).what).toBe(CANCELLED);
    expect(github.requests).toEqual([]);
  });

  test.each<[string, Fault]>([
    ['without a response', { kind: 'stall', when: 'before' }],
    ['with a response that arrives byte by byte', { kind: 'slow-body', delayMs: 20 }],
  ])('ends a request %s', async (_what, fault) => {
    addComment('ann', 'hello');
    const cancel = new AbortController();
    github.setFault((request) => {
      if (!isList(request)) return undefined;
      setTimeout(() => cancel.abort(), 50);
      return fault;
    });
    expect((await failureOf(jobWith({ signal: cancel.signal }))).what).toBe(CANCELLED);
    expect(github.requests.filter(isList)).toHaveLength(1);
  });

  test('ends a wait', async () => {
    const cancel = new AbortController();
    const sleep = (_ms: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve());
        cancel.abort();
      });
    github.setFault((request) => (isList(request) ? secondaryLimit(403, 20) : undefined));
    const job = jobWith({ signal: cancel.signal, timing: { ...clock(), sleep } });
    expect((await failureOf(job)).what).toBe(CANCELLED);
    expect(github.requests.filter(isList)).toHaveLength(1);
  });

  test('keeps a created comment', async () => {
    const cancel = new AbortController();
    github.setFault((request) => {
      if (isList(request) && comments().length > 0) cancel.abort();
      return undefined;
    });
    expect(await writeComment(jobWith({ signal: cancel.signal }), RED)).toBe('created');
    expect(comments()).toEqual([[BOT, RED]]);
  });
});

describe('rate limits', () => {
  test.each<[string, Fault, number]>([
    ['secondary, 403', secondaryLimit(403, 7), 7_000],
    ['secondary, 429', secondaryLimit(429, 7), 7_000],
    ['secondary, no delay', secondaryLimit(403, 0), 1_000],
    ['secondary, without a delay', secondaryLimit(403), 60_000],
    ['too many requests, without a delay', secondaryLimit(429), 60_000],
    ['primary, 403', primaryLimit(403, NOW / 1_000 + 20), 21_000],
    ['primary, 429', primaryLimit(429, NOW / 1_000 + 20), 21_000],
    ['primary, already over', primaryLimit(403, NOW / 1_000 - 20), 1_000],
  ])('%s: is waited out', async (_what, fault, waitMs) => {
    failFirst(isPost, fault);
    expect(await writeComment(jobWith(), RED)).toBe('created');
    expect(slept).toEqual([waitMs]);
    expect(comments()).toHaveLength(1);
  });

  test.each([
    ['retry-after', { 'retry-after': '5' }],
    ['x-ratelimit-remaining', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${NOW / 1_000 + 4}` }],
  ])('%s is enough if the message does not mention a limit', async (_what, headers) => {
    const reply = { status: 403, headers, body: { message: 'Slow down.' } };
    failFirst(isList, { kind: 'reply', when: 'before', reply });
    expect(await writeComment(jobWith(), RED)).toBe('created');
    expect(slept).toEqual([5_000]);
  });

  test('the waits of all requests are at most 60 s', async () => {
    let lists = 0;
    github.setFault((request) => {
      if (isList(request)) lists += 1;
      if (isList(request) && lists <= 2) return secondaryLimit(403, 25);
      return isPost(request) ? secondaryLimit(403, 11) : undefined;
    });
    expect((await failureOf(jobWith())).what).toBe(
      "GitHub's rate limit requires waiting another 11 s. A comment waits at most 60 s in total.",
    );
    expect(slept).toEqual([25_000, 25_000]);
    expect(comments()).toEqual([]);
  });

  test('a wait of 61 s is not started', async () => {
    failFirst(isPost, secondaryLimit(403, 61));
    expect((await failureOf(jobWith())).fix).toMatch(/later/);
    expect(slept).toEqual([]);
  });

  test('a permanent limit ends the comment', async () => {
    github.setFault(() => secondaryLimit(403, 0));
    await failureOf(jobWith());
    expect(slept).toEqual(Array.from({ length: 60 }, () => 1_000));
  });

  test('a limit on GET /user is not read as a token without a user', async () => {
    failFirst(({ path }) => path === '/user', secondaryLimit(403, 3));
    expect(await writeComment(jobWith({ token: 'ann' }), RED)).toBe('created');
    expect(slept).toEqual([3_000]);
    expect(github.requests.map(({ path }) => path)).not.toContain('/graphql');
  });
});

describe('refused', () => {
  const YAML = 'permissions:\n  pull-requests: write\n';

  test.each([
    [
      'a read-only token, as of a fork',
      { token: 'fork' },
      /not allowed to comment .*\(403: Resource not acc/,
      YAML,
    ],
    [
      'a token without permission',
      { token: 'nothing' },
      /not allowed to comment .*\(403: Resource not acc/,
      YAML,
    ],
    ["a user's read-only token", { token: 'ben' }, /not allowed to comment .*personal access token\)/, YAML],
    ['a bad token', { token: 'wrong' }, /not accept the token \(401: Bad credentials\)/, 'github_token'],
    ['no token', { token: '' }, /github_token is empty/, 'Remove github_token'],
    ['a token in two lines', { token: 'se\ncret' }, /github_token is empty, or has/, 'Remove github_token'],
    [
      'no such repository',
      { repository: 'octo/nope' },
      /^The repository or pull request does not exist.*\(404: Not Found\)/,
      YAML,
    ],
    [
      'no such pull request',
      { pullRequest: { kind: 'number', number: 99 } as const },
      /or pull request.*\(404/,
      YAML,
    ],
    [
      'a locked conversation',
      { pullRequest: { kind: 'number', number: 10 } as const },
      /is locked \(403: Unable/,
      'Unlock it',
    ],
    ['a repository without an owner', { repository: 'checks' }, /"checks" is not a repository/, ''],
  ])('%s', async (_what, more, what, fix) => {
    const error = await failureOf(jobWith(more));
    expect(error.what).toMatch(what);
    expect(error.fix).toContain(fix);
    expect(error.message).toBe([error.what, error.fix].filter(Boolean).join('\n'));
    expect(error.message).not.toContain('cret');
    expect(slept).toEqual([]);
    expect(writes().length).toBeLessThanOrEqual(1);
  });

  test('the fix mentions forks', async () => {
    expect((await failureOf(jobWith({ token: 'fork' }))).fix).toMatch(/from a fork .*workflow_run/);
  });

  test('a 404 with that message is a missing permission', async () => {
    const body = { message: 'Resource not accessible by integration' };
    failFirst(isList, { kind: 'reply', when: 'before', reply: { status: 404, body } });
    const { what, fix } = await failureOf(jobWith());
    expect(what).toMatch(/^The token is not allowed to comment/);
    expect(fix).toContain(YAML);
  });

  test('a comment that GitHub rejects', async () => {
    const { what } = await failureOf(jobWith(), 'x'.repeat(70_000));
    expect(what).toBe(
      'GitHub rejected the comment (422: Validation Failed; Body is too long (maximum is 65536 characters)).',
    );
  });

  test("GitHub's message is shortened to one line", async () => {
    const body = { message: `a\n::error::b ${'x'.repeat(5_000)}` };
    failFirst(isList, { kind: 'reply', when: 'before', reply: { status: 418, body } });
    const { what } = await failureOf(jobWith());
    expect(what).toMatch(/^GitHub rejected the request \(418: a ::error::b x+…\)\.$/);
    expect(what.length).toBeLessThan(400);
  });
});

describe('the text', () => {
  const table = (rows: number, cell = 'fn'): string =>
    [
      '| Function | May |',
      '| --- | --- |',
      ...Array.from({ length: rows }, (_, n) => `| ${cell}-${n} | ✅ |`),
    ].join('\n');
  const rowsIn = (text: string): number => text.match(/^\| (?!Function|---)/gm)?.length ?? 0;

  test('has a marker, heading, table, folds and footer', () => {
    const text = compose(table(2), { details: [{ title: 'Policy <to> add', body: '```json\n{}\n```\n' }] });
    expect(text).toBe(`<!-- aws-lambda-invoke-action: ci%2Fdeploy%2Fcheck -->

### Permission check

| Function | May |
| --- | --- |
| fn-0 | ✅ |
| fn-1 | ✅ |

<details><summary>Policy &lt;to&gt; add</summary>

\`\`\`json
{}
\`\`\`

</details>

<sub>Commit 0123456 · [run](https://github.com/octo/checks/actions/runs/1)</sub>
`);
  });

  test.each([
    ['many rows', 20_000, 'fn'],
    ['wide rows', 400, 'w'.repeat(600)],
    ['emoji', 3_000, '🟢'.repeat(40)],
  ])('%s: the last rows are omitted and counted', async (_what, rows, cell) => {
    const text = compose(`${table(rows, cell)}\n\nAfter the table.`, {
      details: [{ title: 'Policy', body: 'the fix' }],
    });
    const shown = rowsIn(text);
    expect(text.replaceAll('\n', '\r\n').length).toBeLessThan(65_536);
    // No more rows than necessary are omitted.
    expect(text.length + text.split('\n').length + cell.length + 20).toBeGreaterThan(65_536);
    expect(text).toContain(
      `| ✅ |\n\n… and ${(rows - shown).toLocaleString('en-US')} more rows.\n\nAfter the`,
    );
    expect(text).toContain('the fix');
    expect(text).toMatch(/\[run\]\(.*\)<\/sub>\n$/);
    expect(await writeComment(jobWith(), text)).toBe('created');
  });

  test('a text that just fits is complete, and one more row is omitted and counted', () => {
    const whole = (rows: number) => !compose(table(rows, 'x'.repeat(80))).includes('more row');
    let most = 0;
    while (most < 5_000 && whole(most + 1)) most += 1;
    expect(rowsIn(compose(table(most, 'x'.repeat(80))))).toBe(most);
    expect(compose(table(most + 1, 'x'.repeat(80)))).toMatch(/… and \d more rows?\./);
  });

  test('folds are omitted, last first, if fewer than ten rows would be left', () => {
    const details = [
      { title: 'First', body: 'one' },
      { title: 'Second', body: 'x'.repeat(64_500) },
      { title: 'Third', body: 'y'.repeat(70_000) },
    ];
    const text = compose(table(50, 'z'.repeat(100)), { details });
    expect(rowsIn(text)).toBe(50);
    expect(text).toContain('<summary>First</summary>');
    expect(text).not.toContain('<summary>Second');
    expect(text).toContain("Omitted to stay under GitHub's limit for a comment: Second, Third. See the run.");
    expect(text.length).toBeLessThan(65_536);
  });

  test('a fold that leaves ten rows is kept', () => {
    const text = compose(table(50, 'z'.repeat(100)), { details: [{ title: 'F', body: 'x'.repeat(63_000) }] });
    expect(text).toContain('<summary>F</summary>');
    expect(rowsIn(text)).toBeGreaterThanOrEqual(10);
    expect(rowsIn(text)).toBeLessThan(50);
  });

  test.each([
    ['a row', table(1, 'x'.repeat(70_000))],
    ['a heading', `| ${'x'.repeat(70_000)} |\n| --- |\n| a |`],
    ['a text', 'x'.repeat(70_000)],
  ])('%s that is too long for a comment is cut', (_what, text) => {
    const comment = compose(text, { title: 't'.repeat(70_000), details: [{ title: 'F', body: 'fold' }] });
    expect(comment.length).toBeLessThan(1_000);
    expect(comment).toContain('The table is too long for a comment. See the run.');
  });

  test('a heading is never cut inside a character', () => {
    expect(compose('', { title: `${'t'.repeat(254)}😀😀` }).isWellFormed()).toBe(true);
  });
});
