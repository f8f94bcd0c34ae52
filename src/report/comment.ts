import { type Fields, fieldsOf } from '../fields.ts';
import { grouped } from '../figures.ts';
import { messageOf } from '../thrown.ts';
import { markerOf, SHORT_SHA } from './comment-text.ts';
import { shortened } from './shortened.ts';

/** What a comment needs: where, as whom, on what, and a clock. `key` tells several comments apart. */
export type CommentJob = Readonly<{
  /** As GITHUB_API_URL has it: https://api.github.com, or https://host/api/v3 of an Enterprise Server. */
  apiUrl: string;
  token: string;
  /** owner/name */
  repository: string;
  /** By its number, or by a commit that is part of exactly one open pull request. */
  pullRequest: Readonly<{ kind: 'number'; number: number } | { kind: 'commit'; sha: string }>;
  key: string;
  timing: Readonly<{ now(): number; sleep(ms: number): Promise<void> }>;
  /** Milliseconds that one request may take; default 20,000. */
  requestMs?: number;
}>;

/** A comment that was not written: what went wrong, and how to mend it, both in words for a warning. */
export class CommentError extends Error {
  readonly what: string;
  readonly mend: string;

  constructor(parts: Readonly<{ what: string; mend?: string; cause?: unknown }>) {
    const { what, mend = '', cause } = parts;
    super([what, mend].filter((part) => part !== '').join('\n'), cause === undefined ? {} : { cause });
    this.name = 'CommentError';
    this.what = what;
    this.mend = mend;
  }
}

type Octokit = ReturnType<typeof import('@actions/github')['getOctokit']>;
type Comment = Readonly<{ id: number; body: string; login: string }>;

const ATTEMPTS = 3;
const BACKOFF_MS = 1_000;
const REQUEST_MS = 20_000;
/** What all waits for rate limits may take together. */
const LIMIT_MS = 60_000;
const SHORTEST_WAIT_MS = 1_000;
// "wait for at least one minute": docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
const UNNAMED_WAIT_MS = 60_000;
const PER_PAGE = 100;
/** Whom a job's own token writes as. */
const JOB_LOGIN = 'github-actions[bot]';
const LONGEST_MESSAGE = 300;

/** GitHub said no. */
class Refusal extends CommentError {
  readonly status: number;

  constructor(parts: Readonly<{ status: number; what: string; mend: string; cause: unknown }>) {
    super(parts);
    this.status = parts.status;
  }
}

/** GitHub did not say, so that a write may have taken effect or not. */
class NoAnswer extends CommentError {}

const PERMISSION = `Give the job the permission, beside those it has:
permissions:
  pull-requests: write
A run for a pull request from a fork has a read-only token whatever the workflow says; for forks, comment from a workflow that workflow_run starts.`;

type Explanation = Readonly<{ status: number; message?: RegExp; what: string; mend: string }>;

/** The first row that fits; GitHub answers 404 for what a token may not see. */
const REFUSALS: readonly Explanation[] = [
  {
    status: 401,
    what: 'GitHub does not accept the token',
    mend: 'Leave github_token out to use the token of the job, or check that the token has not expired.',
  },
  {
    status: 403,
    message: /locked/i,
    what: 'The conversation on the pull request is locked',
    mend: 'Unlock it, or set comment_on_pull_request to false.',
  },
  {
    status: 403,
    message: /archived/i,
    what: 'The repository is archived',
    mend: 'Set comment_on_pull_request to false.',
  },
  { status: 403, what: 'The token may not comment on the pull request', mend: PERMISSION },
  {
    status: 404,
    message: /not accessible/i,
    what: 'The token may not comment on the pull request',
    mend: PERMISSION,
  },
  {
    status: 404,
    what: 'GitHub finds no such repository or pull request, or the token may not see it',
    mend: `The token has to belong to the repository. ${PERMISSION}`,
  },
  {
    status: 422,
    message: /no commit found/i,
    what: 'GitHub does not know the commit of this run',
    mend: 'The commit may be gone since a force push; the next run comments again.',
  },
  { status: 422, what: 'GitHub does not take the comment', mend: '' },
];

function saidByGitHub(data: unknown): string {
  const { message, errors } = fieldsOf(data);
  const more = (Array.isArray(errors) ? errors : []).map((error) => fieldsOf(error)['message']);
  const text = [message, ...more]
    .filter((part) => typeof part === 'string')
    .join('; ')
    .replace(/\s+/g, ' ')
    .trim();
  return shortened(text, LONGEST_MESSAGE);
}

function refusalOf(status: number, message: string, cause: unknown): Refusal {
  const row = REFUSALS.find(
    (candidate) => candidate.status === status && (candidate.message?.test(message) ?? true),
  );
  const what = `${row?.what ?? 'GitHub refuses the request'} (${[status, message].filter(Boolean).join(': ')}).`;
  return new Refusal({ status, what, mend: row?.mend ?? '', cause });
}

/** Milliseconds that GitHub asks for, undefined where it limits nothing. */
function limitWait(answer: Readonly<{ status: number; message: string; headers: Fields }>, now: number) {
  const { status, message, headers } = answer;
  if (status !== 403 && status !== 429) return undefined;
  const retryAfter = headers['retry-after'];
  const isSpent = headers['x-ratelimit-remaining'] === '0';
  if (status === 403 && retryAfter === undefined && !isSpent && !/rate limit|abuse/i.test(message))
    return undefined;
  const named =
    retryAfter !== undefined
      ? Number(retryAfter) * 1_000
      : isSpent
        ? // In whole seconds since 1970; the second itself has to be over.
          (Number(headers['x-ratelimit-reset']) + 1) * 1_000 - now
        : Number.NaN;
  return Number.isNaN(named) ? UNNAMED_WAIT_MS : Math.max(named, SHORTEST_WAIT_MS);
}

/** The innermost cause says most: fetch itself only says that it failed. */
function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const inner = 'cause' in error && error.cause !== undefined ? reasonOf(error.cause) : '';
  if (inner !== '') return inner;
  const message = 'message' in error ? String(error.message) : '';
  return message === '' && 'code' in error ? String(error.code) : message;
}

type Failure =
  | Readonly<{ kind: 'limited'; waitMs: number }>
  | Readonly<{ kind: 'unsure'; error: NoAnswer }>
  | Readonly<{ kind: 'refused'; error: Refusal }>;

/** Octokit gives an error a status of 500 where no answer came, and then no response. */
function classify(error: unknown, now: number): Failure {
  const { status, headers, data } = fieldsOf(fieldsOf(error)['response']);
  if (typeof status !== 'number' || status >= 500 || status < 400) {
    const what =
      typeof status === 'number' && status >= 500
        ? `GitHub's API answers with ${status}.`
        : `GitHub's API gives no answer: ${saidByGitHub({ message: reasonOf(error) })}.`;
    const mend = 'It may be down (see https://www.githubstatus.com), or out of reach for this runner.';
    return { kind: 'unsure', error: new NoAnswer({ what, mend, cause: error }) };
  }
  const message = saidByGitHub(data);
  const waitMs = limitWait({ status, message, headers: fieldsOf(headers) }, now);
  return waitMs === undefined
    ? { kind: 'refused', error: refusalOf(status, message, error) }
    : { kind: 'limited', waitMs };
}

function readLogin(data: unknown): string {
  const { login } = fieldsOf(data);
  if (typeof login !== 'string' || login === '') throw new Error('the answer is no user');
  return login;
}

function readComment(data: unknown): Comment {
  const { id, body, user } = fieldsOf(data);
  const { login } = fieldsOf(user);
  // An answer that was cut off, or that a proxy made up.
  if (typeof id !== 'number') throw new Error('the answer is no comment');
  return { id, body: typeof body === 'string' ? body : '', login: typeof login === 'string' ? login : '' };
}

function readList<T>(data: unknown, read: (item: unknown) => T): T[] {
  if (!Array.isArray(data)) throw new Error('the answer is no list');
  return data.map(read);
}

/** GitHub's comments on one repository, with the patience that Octokit does not bring. */
class GitHub {
  readonly #octokit: Octokit;
  readonly #job: CommentJob;
  readonly #place: Readonly<{ owner: string; repo: string }>;
  #waitedMs = 0;

  constructor(octokit: Octokit, job: CommentJob) {
    const [owner = '', repo = '', ...more] = job.repository.split('/');
    if (owner === '' || repo === '' || more.length > 0)
      throw new CommentError({ what: `"${job.repository}" is no repository: it has to be owner/name.` });
    this.#octokit = octokit;
    this.#job = job;
    this.#place = { owner, repo };
  }

  get #limits() {
    return { request: { signal: AbortSignal.timeout(this.#job.requestMs ?? REQUEST_MS) } };
  }

  async #waitFor(ms: number): Promise<void> {
    if (this.#waitedMs + ms > LIMIT_MS) {
      const seconds = grouped(Math.ceil(ms / 1_000));
      throw new CommentError({
        what: `GitHub limits the rate of requests and asks to wait ${seconds} s more; a comment waits ${LIMIT_MS / 1_000} s in all.`,
        mend: 'Run the job again later, or comment from fewer jobs at a time.',
      });
    }
    this.#waitedMs += ms;
    await this.#job.timing.sleep(ms);
  }

  /** Sends again after a rate limit, and up to `attempts` times where no answer came. */
  async #ask<T>(send: () => Promise<T>, attempts = ATTEMPTS): Promise<T> {
    let attempt = 1;
    for (;;) {
      try {
        return await send();
      } catch (error) {
        const failure = classify(error, this.#job.timing.now());
        switch (failure.kind) {
          case 'limited':
            await this.#waitFor(failure.waitMs);
            break;
          case 'unsure':
            if (attempt >= attempts) throw failure.error;
            await this.backOff(attempt);
            attempt += 1;
            break;
          case 'refused':
            throw failure.error;
          default:
            failure satisfies never;
        }
      }
    }
  }

  async backOff(attempt: number): Promise<void> {
    await this.#job.timing.sleep(BACKOFF_MS * 2 ** (attempt - 1));
  }

  /** The login that the token writes as. GET /user is closed to an app's token; GraphQL's viewer is not. */
  async login(): Promise<string> {
    try {
      return await this.#ask(async () =>
        readLogin((await this.#octokit.rest.users.getAuthenticated(this.#limits)).data),
      );
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 403) throw error;
    }
    try {
      return await this.#ask(() => this.#viewer());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return JOB_LOGIN;
    }
  }

  async #viewer(): Promise<string> {
    const answer = await this.#octokit
      .graphql('query { viewer { login } }', this.#limits)
      .catch((error: unknown) => {
        if (fieldsOf(error)['name'] !== 'GraphqlResponseError') throw error;
        return { viewer: { login: JOB_LOGIN } };
      });
    return readLogin(fieldsOf(answer)['viewer']);
  }

  /** The number of the one open pull request that the commit is part of. */
  async numberOf(sha: string): Promise<number> {
    const open = await this.#ask(async () => {
      const { data } = await this.#octokit.rest.repos.listPullRequestsAssociatedWithCommit({
        ...this.#place,
        ...this.#limits,
        commit_sha: sha,
        per_page: PER_PAGE,
      });
      return readList(data, fieldsOf).filter(({ state }) => state === 'open');
    });
    const [number, ...more] = open.map((pullRequest) => Number(pullRequest['number']));
    if (number === undefined || more.length > 0) {
      const found = number === undefined ? 'no open pull request' : `${open.length} open pull requests`;
      throw new CommentError({
        what: `The commit ${sha.slice(0, SHORT_SHA)} is part of ${found}; a comment needs exactly one.`,
        mend: 'Comment from a workflow that pull_request starts, or set comment_on_pull_request to false.',
      });
    }
    return number;
  }

  /** The comments of an author that begin with the marker, the oldest first. */
  async find(number: number, by: Readonly<{ marker: string; login: string }>): Promise<Comment[]> {
    const all: Comment[] = [];
    for (let page = 1, isLast = false; !isLast; page += 1) {
      const { comments, next } = await this.#ask(async () => {
        const { data, headers } = await this.#octokit.rest.issues.listComments({
          ...this.#place,
          ...this.#limits,
          issue_number: number,
          per_page: PER_PAGE,
          page,
        });
        return { comments: readList(data, readComment), next: /rel="next"/.test(headers.link ?? '') };
      });
      all.push(...comments);
      isLast = !next;
    }
    return all
      .filter(({ login, body }) => login === by.login && body.startsWith(by.marker))
      .sort((one, other) => one.id - other.id);
  }

  /** Sent once: after no answer it is not known whether the comment is there. */
  create(number: number, body: string): Promise<Comment> {
    return this.#ask(async () => {
      const { data } = await this.#octokit.rest.issues.createComment({
        ...this.#place,
        ...this.#limits,
        issue_number: number,
        body,
      });
      return readComment(data);
    }, 1);
  }

  async update(id: number, body: string): Promise<void> {
    await this.#ask(() =>
      this.#octokit.rest.issues.updateComment({ ...this.#place, ...this.#limits, comment_id: id, body }),
    );
  }

  /** Deletes a comment; one that is gone already is as good. */
  async remove(id: number): Promise<void> {
    try {
      await this.#ask(() =>
        this.#octokit.rest.issues.deleteComment({ ...this.#place, ...this.#limits, comment_id: id }),
      );
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
    }
  }
}

type Written = 'created' | 'updated' | 'unchanged';

const isSame = (one: string, other: string): boolean =>
  one.replaceAll('\r\n', '\n').trim() === other.replaceAll('\r\n', '\n').trim();

/** Brings what is there to one comment, the oldest, with the body. */
async function settle(
  github: GitHub,
  [oldest, ...newer]: readonly [Comment, ...Comment[]],
  body: string,
): Promise<Written> {
  const changes = !isSame(oldest.body, body);
  if (changes) await github.update(oldest.id, body);
  for (const { id } of newer) await github.remove(id);
  return changes || newer.length > 0 ? 'updated' : 'unchanged';
}

async function place(github: GitHub, job: CommentJob, markdown: string): Promise<Written> {
  const marker = markerOf(job.key);
  const body = markdown.startsWith(marker) ? markdown : `${marker}\n${markdown}`;
  const { pullRequest } = job;
  const number = pullRequest.kind === 'number' ? pullRequest.number : await github.numberOf(pullRequest.sha);
  const login = await github.login();
  for (let attempt = 1; ; attempt += 1) {
    const [oldest, ...newer] = await github.find(number, { marker, login });
    if (oldest !== undefined) {
      const written = await settle(github, [oldest, ...newer], body);
      // The attempt without an answer had taken effect.
      return written === 'unchanged' && attempt > 1 ? 'created' : written;
    }
    const created = await github.create(number, body).catch((error: unknown) => {
      if (error instanceof NoAnswer && attempt < ATTEMPTS) return undefined;
      throw error;
    });
    if (created === undefined) {
      await github.backOff(attempt);
      continue;
    }
    // The comment is there, whatever becomes of looking for another; what is doubled then, the next run mends.
    const [first] = await github.find(number, { marker, login }).catch(() => []);
    // Another job may have been as quick: the older comment stays, and its job leaves it to us.
    return first !== undefined && first.id < created.id ? settle(github, [first, created], body) : 'created';
  }
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Creates or updates the one comment of this key and this token's user on the pull request; nobody else's is touched.
 * Throws a CommentError with words for a warning, and nothing else.
 */
export async function writeComment(job: CommentJob, markdown: string): Promise<Written> {
  try {
    // What a header can't hold would be quoted by the error about it.
    if (!/^[\x21-\x7e]+$/.test(job.token)) {
      const mend = 'Leave github_token out to use the token of the job.';
      throw new CommentError({ what: 'github_token is empty, or has characters that no token has.', mend });
    }
    const { getOctokit } = await import('@actions/github');
    const octokit = getOctokit(job.token, { baseUrl: job.apiUrl.replace(/\/+$/, ''), log: SILENT });
    return await place(new GitHub(octokit, job), job, markdown);
  } catch (error) {
    if (error instanceof CommentError) throw error;
    throw new CommentError({ what: messageOf(error), cause: error });
  }
}
