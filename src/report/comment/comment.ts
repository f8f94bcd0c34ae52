import { messageOf } from '../../shared/errors.ts';
import { type Fields, fieldsOf } from '../../shared/fields.ts';
import { grouped } from '../../shared/figures.ts';
import { onOneLine, shortened } from '../../shared/text.ts';
import { isMarked, markerOf, SHORT_SHA } from './comment-text.ts';

/** What a comment needs: where, as whom, on what, a clock and a way to stop it. `key` tells several comments apart. */
export type CommentJob = Readonly<{
  /** As GITHUB_API_URL has it: https://api.github.com, or https://host/api/v3 of an Enterprise Server. */
  apiUrl: string;
  token: string;
  /** owner/name */
  repository: string;
  /** By its number, or by a commit that is part of exactly one open pull request. */
  pullRequest: Readonly<{ kind: 'number'; number: number } | { kind: 'commit'; sha: string }>;
  key: string;
  timing: Readonly<{
    now(): number;
    /** Resolves after `ms` milliseconds, or at once when `signal` aborts. */
    sleep(ms: number, signal: AbortSignal): Promise<void>;
    /** Calls back after `ms` milliseconds; the function that it returns calls it off. */
    after(ms: number, callback: () => void): () => void;
  }>;
  /** Aborts when the workflow is cancelled. */
  signal: AbortSignal;
  /** Milliseconds that one request may take; default 20,000. */
  requestMs?: number;
  /** Milliseconds that all requests and waits may take together; default 120,000. */
  totalMs?: number;
}>;

/** A comment that was not written: what went wrong, and how to fix it, both in words for a warning. */
export class CommentError extends Error {
  readonly what: string;
  readonly fix: string;

  constructor(parts: Readonly<{ what: string; fix?: string; cause?: unknown }>) {
    const { what, fix = '', cause } = parts;
    super([what, fix].filter((part) => part !== '').join('\n'), cause === undefined ? {} : { cause });
    this.name = 'CommentError';
    this.what = what;
    this.fix = fix;
  }
}

type Octokit = ReturnType<typeof import('@actions/github')['getOctokit']>;
type Comment = Readonly<{ id: number; body: string; login: string }>;

const ATTEMPTS = 3;
const BACKOFF_MS = 1_000;
const REQUEST_MS = 20_000;
const TOTAL_MS = 120_000;
/** What all waits for rate limits may take together. */
const LIMIT_MS = 60_000;
const SHORTEST_WAIT_MS = 1_000;
// "wait for at least one minute": docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
const UNNAMED_WAIT_MS = 60_000;
const PER_PAGE = 100;
// GitHub takes 2,500 comments on a pull request. A list that has still more pages after these is not GitHub's.
const MOST_PAGES = 50;
/** Whom a job's own token writes as. */
const JOB_LOGIN = 'github-actions[bot]';
const LONGEST_MESSAGE = 300;

/** GitHub said no. */
class Refusal extends CommentError {
  readonly status: number;

  constructor(parts: Readonly<{ status: number; what: string; fix: string; cause: unknown }>) {
    super(parts);
    this.status = parts.status;
  }
}

/** GitHub did not say, so that a write may have taken effect or not. */
class NoAnswer extends CommentError {}

const PERMISSION = `Add this permission to the job, next to the ones it has:
permissions:
  pull-requests: write
A run for a pull request from a fork has a read-only token, whatever the workflow says. To comment on those, use a workflow that workflow_run triggers.`;

type Explanation = Readonly<{ status: number; message?: RegExp; what: string; fix: string }>;

/** The first row that fits; GitHub answers 404 for what a token may not see. */
const REFUSALS: readonly Explanation[] = [
  {
    status: 401,
    what: 'GitHub does not accept the token',
    fix: "Remove github_token to use the job's own token, or check that the token has not expired.",
  },
  {
    status: 403,
    message: /locked/i,
    what: 'The conversation on the pull request is locked',
    fix: 'Unlock it, or set comment_on_pull_request: false.',
  },
  {
    status: 403,
    message: /archived/i,
    what: 'The repository is archived',
    fix: 'Set comment_on_pull_request: false.',
  },
  { status: 403, what: 'The token is not allowed to comment on the pull request', fix: PERMISSION },
  {
    status: 404,
    message: /not accessible/i,
    what: 'The token is not allowed to comment on the pull request',
    fix: PERMISSION,
  },
  {
    status: 404,
    what: 'The repository or pull request does not exist, or the token is not allowed to see it',
    fix: `Use a token of this repository. ${PERMISSION}`,
  },
  {
    status: 422,
    message: /no commit found/i,
    what: 'GitHub does not know the commit of this run',
    fix: 'A force push may have removed the commit. The next run comments again.',
  },
  { status: 422, what: 'GitHub rejected the comment', fix: '' },
];

function saidByGitHub(data: unknown): string {
  const { message, errors } = fieldsOf(data);
  const more = (Array.isArray(errors) ? errors : []).map((error) => fieldsOf(error)['message']);
  const text = [message, ...more].filter((part) => typeof part === 'string').join('; ');
  return shortened(onOneLine(text), LONGEST_MESSAGE);
}

function refusalOf(status: number, message: string, cause: unknown): Refusal {
  const row = REFUSALS.find(
    (candidate) => candidate.status === status && (candidate.message?.test(message) ?? true),
  );
  const what = `${row?.what ?? 'GitHub rejected the request'} (${[status, message].filter(Boolean).join(': ')}).`;
  return new Refusal({ status, what, fix: row?.fix ?? '', cause });
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

const STATUS_PAGE = 'It may be down (see https://www.githubstatus.com), or this runner cannot reach it.';

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
        ? `GitHub's API responded with ${status}.`
        : `GitHub's API gave no usable response: ${saidByGitHub({ message: reasonOf(error) })}.`;
    return { kind: 'unsure', error: new NoAnswer({ what, fix: STATUS_PAGE, cause: error }) };
  }
  const message = saidByGitHub(data);
  const waitMs = limitWait({ status, message, headers: fieldsOf(headers) }, now);
  return waitMs === undefined
    ? { kind: 'refused', error: refusalOf(status, message, error) }
    : { kind: 'limited', waitMs };
}

function readLogin(data: unknown): string {
  const { login } = fieldsOf(data);
  if (typeof login !== 'string' || login === '') throw new Error('the response is not a user');
  return login;
}

function readComment(data: unknown): Comment {
  const { id, body, user } = fieldsOf(data);
  const { login } = fieldsOf(user);
  // An answer that was cut off, or that a proxy made up.
  if (typeof id !== 'number') throw new Error('the response is not a comment');
  return { id, body: typeof body === 'string' ? body : '', login: typeof login === 'string' ? login : '' };
}

function readList<T>(data: unknown, read: (item: unknown) => T): T[] {
  if (!Array.isArray(data)) throw new Error('the response is not a list');
  return data.map(read);
}

/** What every request carries. */
type Limits = Readonly<{ request: Readonly<{ signal: AbortSignal }> }>;

/** GitHub's comments on one repository, with the patience that Octokit does not bring. */
class GitHub {
  readonly #octokit: Octokit;
  readonly #job: CommentJob;
  readonly #place: Readonly<{ owner: string; repo: string }>;
  /** Aborts when the workflow is cancelled, and when the time for the whole comment is over. */
  readonly #stop: AbortSignal;
  #waitedMs = 0;

  constructor(octokit: Octokit, job: CommentJob, stop: AbortSignal) {
    const [owner = '', repo = '', ...more] = job.repository.split('/');
    if (owner === '' || repo === '' || more.length > 0)
      throw new CommentError({ what: `"${job.repository}" is not a repository: use owner/name.` });
    this.#octokit = octokit;
    this.#job = job;
    this.#place = { owner, repo };
    this.#stop = stop;
  }

  #throwIfStopped(): void {
    if (!this.#stop.aborted) return;
    const { signal, totalMs = TOTAL_MS } = this.#job;
    throw new CommentError(
      signal.aborted
        ? { what: 'The workflow was cancelled.' }
        : { what: `It took longer than ${grouped(totalMs / 1_000, 1)} s.`, fix: STATUS_PAGE },
    );
  }

  /** Sends one request, for as long as one may take. */
  async #send<T>(request: (limits: Limits) => Promise<T>): Promise<T> {
    const { timing, requestMs = REQUEST_MS } = this.#job;
    const limit = new AbortController();
    const callOff = timing.after(requestMs, () =>
      limit.abort(new Error(`timed out after ${grouped(requestMs / 1_000, 1)} s`)),
    );
    const signal = AbortSignal.any([this.#stop, limit.signal]);
    try {
      return await request({ request: { signal } });
    } finally {
      callOff();
      // Octokit takes a body that broke off for one that is empty: what came of such an answer does not count.
      signal.throwIfAborted();
    }
  }

  async #sleep(ms: number): Promise<void> {
    await this.#job.timing.sleep(ms, this.#stop);
  }

  async #waitFor(ms: number): Promise<void> {
    if (this.#waitedMs + ms > LIMIT_MS) {
      const seconds = grouped(Math.ceil(ms / 1_000));
      throw new CommentError({
        what: `GitHub's rate limit asks to wait ${seconds} s more. A comment waits at most ${LIMIT_MS / 1_000} s in all.`,
        fix: 'Re-run the job later, or comment from fewer jobs at a time.',
      });
    }
    this.#waitedMs += ms;
    await this.#sleep(ms);
  }

  /** Sends again after a rate limit, and up to `attempts` times where no answer came. */
  async #ask<T>(request: (limits: Limits) => Promise<T>, attempts = ATTEMPTS): Promise<T> {
    let attempt = 1;
    for (;;) {
      this.#throwIfStopped();
      try {
        return await this.#send(request);
      } catch (error) {
        this.#throwIfStopped();
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
    await this.#sleep(BACKOFF_MS * 2 ** (attempt - 1));
  }

  /** The login that the token writes as. GET /user is closed to an app's token; GraphQL's viewer is not. */
  async login(): Promise<string> {
    try {
      return await this.#ask(async (limits) =>
        readLogin((await this.#octokit.rest.users.getAuthenticated(limits)).data),
      );
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 403) throw error;
    }
    try {
      return await this.#ask((limits) => this.#viewer(limits));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return JOB_LOGIN;
    }
  }

  async #viewer(limits: Limits): Promise<string> {
    const answer = await this.#octokit
      .graphql('query { viewer { login } }', limits)
      .catch((error: unknown) => {
        if (fieldsOf(error)['name'] !== 'GraphqlResponseError') throw error;
        return { viewer: { login: JOB_LOGIN } };
      });
    return readLogin(fieldsOf(answer)['viewer']);
  }

  /** The number of the one open pull request that the commit is part of. */
  async numberOf(sha: string): Promise<number> {
    const open = await this.#ask(async (limits) => {
      const { data } = await this.#octokit.rest.repos.listPullRequestsAssociatedWithCommit({
        ...this.#place,
        ...limits,
        commit_sha: sha,
        per_page: PER_PAGE,
      });
      return readList(data, fieldsOf).filter(({ state }) => state === 'open');
    });
    const [number, ...more] = open.map((pullRequest) => Number(pullRequest['number']));
    if (number === undefined || more.length > 0) {
      const found = number === undefined ? 'no open pull request' : `${open.length} open pull requests`;
      throw new CommentError({
        what: `The commit ${sha.slice(0, SHORT_SHA)} belongs to ${found}. A comment needs exactly one.`,
        fix: 'Comment from a workflow that pull_request triggers, or set comment_on_pull_request: false.',
      });
    }
    return number;
  }

  /** The comments of an author that have the marker as their first line, the oldest first. */
  async find(number: number, by: Readonly<{ marker: string; login: string }>): Promise<Comment[]> {
    const found = new Map<number, Comment>();
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { comments, next } = await this.#ask(async (limits) => {
        const { data, headers } = await this.#octokit.rest.issues.listComments({
          ...this.#place,
          ...limits,
          issue_number: number,
          per_page: PER_PAGE,
          page,
        });
        return { comments: readList(data, readComment), next: /rel="next"/.test(headers.link ?? '') };
      });
      for (const comment of comments) {
        if (comment.login === by.login && isMarked(comment.body, by.marker)) found.set(comment.id, comment);
      }
      if (!next) return [...found.values()].sort((one, other) => one.id - other.id);
    }
    throw new CommentError({
      what: `The list of comments on the pull request did not end after ${grouped(MOST_PAGES * PER_PAGE)} comments.`,
      fix: 'Check what responds in place of the GitHub API.',
    });
  }

  /** Sent once: after no answer it is not known whether the comment is there. */
  create(number: number, body: string): Promise<Comment> {
    return this.#ask(async (limits) => {
      const { data } = await this.#octokit.rest.issues.createComment({
        ...this.#place,
        ...limits,
        issue_number: number,
        body,
      });
      return readComment(data);
    }, 1);
  }

  async update(id: number, body: string): Promise<void> {
    await this.#ask((limits) =>
      this.#octokit.rest.issues.updateComment({ ...this.#place, ...limits, comment_id: id, body }),
    );
  }

  /** Deletes a comment; one that is gone already is as good. */
  async remove(id: number): Promise<void> {
    try {
      await this.#ask((limits) =>
        this.#octokit.rest.issues.deleteComment({ ...this.#place, ...limits, comment_id: id }),
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
  const body = isMarked(markdown, marker) ? markdown : `${marker}\n${markdown}`;
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
    // The comment is there, whatever becomes of looking for another; the next run deletes what is doubled then.
    const [first] = await github.find(number, { marker, login }).catch(() => []);
    // Another job may have been as quick: the older comment stays, and its job leaves it to us.
    return first !== undefined && first.id < created.id ? settle(github, [first, created], body) : 'created';
  }
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function placeInTime(job: CommentJob, markdown: string): Promise<Written> {
  const { getOctokit } = await import('@actions/github');
  const octokit = getOctokit(job.token, { baseUrl: job.apiUrl.replace(/\/+$/, ''), log: SILENT });
  const over = new AbortController();
  const callOff = job.timing.after(job.totalMs ?? TOTAL_MS, () => over.abort());
  try {
    return await place(new GitHub(octokit, job, AbortSignal.any([job.signal, over.signal])), job, markdown);
  } finally {
    callOff();
  }
}

/**
 * Creates or updates the one comment of this key and this token's user on the pull request; nobody else's is touched.
 * Throws a CommentError with words for a warning, and nothing else.
 */
export async function writeComment(job: CommentJob, markdown: string): Promise<Written> {
  try {
    // What a header can't hold would be quoted by the error about it.
    if (!/^[\x21-\x7e]+$/.test(job.token)) {
      const fix = "Remove github_token to use the job's own token.";
      throw new CommentError({ what: 'github_token is empty, or has characters that no token has.', fix });
    }
    return await placeInTime(job, markdown);
  } catch (error) {
    if (error instanceof CommentError) throw error;
    throw new CommentError({ what: messageOf(error), cause: error });
  }
}
