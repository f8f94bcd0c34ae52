import { grouped } from '../../shared/text.ts';
import { fieldsOf } from '../../shared/values.ts';
import { isMarked, SHORT_SHA } from './comment-text.ts';
import { CommentError, classifyRequestFailure, GitHubRefusal, STATUS_PAGE } from './refusals.ts';

// The bundle has no plugins of Octokit, so it has neither `rest` nor `paginate`.
type Octokit = Pick<ReturnType<typeof import('@actions/github')['getOctokit']>, 'graphql' | 'request'>;
/** A comment on GitHub. */
export type Comment = Readonly<{ id: number; body: string; login: string }>;

/**
 * A comment to write: the repository and pull request, the token, timing and a signal to stop. `key` identifies the
 * comment.
 */
export type CommentJob = Readonly<{
  /** As GITHUB_API_URL has it: https://api.github.com, or https://host/api/v3 of an Enterprise Server. */
  apiUrl: string;
  token: string;
  /** owner/name */
  repository: string;
  /** By its number, or by a commit that is part of exactly one open pull request. */
  pullRequest: Readonly<{ kind: 'number'; number: number } | { kind: 'commit'; sha: string }>;
  key: string;
  /** Whether the pull request is known to be from a fork. Default: false. */
  isFork?: boolean;
  timing: Readonly<{
    now(): number;
    /** Resolves after `ms` milliseconds, or at once when `signal` aborts. */
    sleep(ms: number, signal: AbortSignal): Promise<void>;
    /** Calls back after `ms` milliseconds. The returned function cancels the call. */
    after(ms: number, callback: () => void): () => void;
  }>;
  /** Aborts when the workflow is cancelled. */
  signal: AbortSignal;
  /** Milliseconds that one request may take; default 20,000. */
  requestMs?: number;
  /** Milliseconds that all requests and waits may take together; default 120,000. */
  totalMs?: number;
}>;

/** How many attempts are made if there is no usable response. */
export const ATTEMPTS = 3;
/** Milliseconds that a comment may take in total. */
export const TOTAL_MS = 120_000;
const BACKOFF_MS = 1_000;
const REQUEST_MS = 20_000;
/** Milliseconds that all waits for rate limits may take together. */
const LIMIT_MS = 60_000;
const PER_PAGE = 100;
// GitHub accepts 2,500 comments on a pull request. A list with more pages than these is not GitHub's.
const MOST_PAGES = 50;
/** The author of comments that are written with a job's own token. */
const JOB_LOGIN = 'github-actions[bot]';

function readLogin(data: unknown): string {
  const { login } = fieldsOf(data);
  if (typeof login !== 'string' || login === '') throw new Error('the response is not a user');
  return login;
}

function readComment(data: unknown): Comment {
  const { id, body, user } = fieldsOf(data);
  const { login } = fieldsOf(user);
  // The response was cut off, or a proxy made it up.
  if (typeof id !== 'number') throw new Error('the response is not a comment');
  return { id, body: typeof body === 'string' ? body : '', login: typeof login === 'string' ? login : '' };
}

function readItems<T>(data: unknown, read: (item: unknown) => T): T[] {
  if (!Array.isArray(data)) throw new Error('the response is not a list');
  return data.map(read);
}

/** The options of every request. */
type Limits = Readonly<{ request: Readonly<{ signal: AbortSignal }> }>;

/** The comments in one repository, with deadlines and retries, which Octokit does not have. */
export class CommentsApi {
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
      // Octokit reads a body that was cut off as empty, so the response of an aborted request is not used.
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
        what: `GitHub's rate limit requires waiting another ${seconds} s. A comment waits at most ${LIMIT_MS / 1_000} s in total.`,
        fix: 'Re-run the job later, or comment from fewer jobs at a time.',
      });
    }
    this.#waitedMs += ms;
    await this.#sleep(ms);
  }

  /** Retries after a rate limit, and makes up to `attempts` attempts if there is no usable response. */
  async #request<T>(request: (limits: Limits) => Promise<T>, attempts = ATTEMPTS): Promise<T> {
    let attempt = 1;
    for (;;) {
      this.#throwIfStopped();
      try {
        return await this.#send(request);
      } catch (error) {
        this.#throwIfStopped();
        const failure = classifyRequestFailure(error, this.#job.timing.now());
        switch (failure.kind) {
          case 'limited':
            await this.#waitFor(failure.waitMs);
            break;
          case 'no_response':
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

  /** Waits before the next attempt. */
  async backOff(attempt: number): Promise<void> {
    await this.#sleep(BACKOFF_MS * 2 ** (attempt - 1));
  }

  /** The login of the token's user. The token of an app can't use GET /user, but it can use GraphQL's viewer. */
  async login(): Promise<string> {
    try {
      return await this.#request(async (limits) =>
        readLogin((await this.#octokit.request('GET /user', limits)).data),
      );
    } catch (error) {
      if (!(error instanceof GitHubRefusal) || error.status !== 403) throw error;
    }
    try {
      return await this.#request((limits) => this.#viewer(limits));
    } catch (error) {
      if (!(error instanceof GitHubRefusal)) throw error;
      return JOB_LOGIN;
    }
  }

  async #viewer(limits: Limits): Promise<string> {
    const response = await this.#octokit
      .graphql('query { viewer { login } }', limits)
      .catch((error: unknown) => {
        if (fieldsOf(error)['name'] !== 'GraphqlResponseError') throw error;
        return { viewer: { login: JOB_LOGIN } };
      });
    return readLogin(fieldsOf(response)['viewer']);
  }

  /** The number of the only open pull request that contains the commit. */
  async numberOf(sha: string): Promise<number> {
    const open = await this.#request(async (limits) => {
      const { data } = await this.#octokit.request('GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls', {
        ...this.#place,
        ...limits,
        commit_sha: sha,
        per_page: PER_PAGE,
      });
      return readItems(data, fieldsOf).filter(({ state }) => state === 'open');
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

  /** The comments of an author whose first line is the marker, the oldest first. */
  async find(number: number, by: Readonly<{ marker: string; login: string }>): Promise<Comment[]> {
    const found = new Map<number, Comment>();
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { comments, next } = await this.#request(async (limits) => {
        const { data, headers } = await this.#octokit.request(
          'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
          {
            ...this.#place,
            ...limits,
            issue_number: number,
            per_page: PER_PAGE,
            page,
          },
        );
        return { comments: readItems(data, readComment), next: /rel="next"/.test(headers.link ?? '') };
      });
      for (const comment of comments) {
        if (comment.login === by.login && isMarked(comment.body, by.marker)) found.set(comment.id, comment);
      }
      if (!next) return [...found.values()].sort((one, other) => one.id - other.id);
    }
    throw new CommentError({
      what: `The list of comments on the pull request did not end after ${grouped(MOST_PAGES * PER_PAGE)} comments.`,
      fix: 'Check what responds instead of the GitHub API.',
    });
  }

  /** Makes only one attempt, because without a response it is not known whether the comment exists. */
  create(number: number, body: string): Promise<Comment> {
    return this.#request(async (limits) => {
      const { data } = await this.#octokit.request(
        'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
        {
          ...this.#place,
          ...limits,
          issue_number: number,
          body,
        },
      );
      return readComment(data);
    }, 1);
  }

  /** Replaces the body of a comment. */
  async update(id: number, body: string): Promise<void> {
    await this.#request((limits) =>
      this.#octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
        ...this.#place,
        ...limits,
        comment_id: id,
        body,
      }),
    );
  }

  /** Deletes a comment, if it still exists. */
  async remove(id: number): Promise<void> {
    try {
      await this.#request((limits) =>
        this.#octokit.request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', {
          ...this.#place,
          ...limits,
          comment_id: id,
        }),
      );
    } catch (error) {
      if (!(error instanceof GitHubRefusal) || error.status !== 404) throw error;
    }
  }
}
