import { onOneLine, shortened } from '../../shared/text.ts';
import { type Fields, fieldsOf } from '../../shared/values.ts';

const SHORTEST_WAIT_MS = 1_000;
// "wait for at least one minute": docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
const UNNAMED_WAIT_MS = 60_000;
const LONGEST_MESSAGE = 300;

/** A comment was not written: what went wrong, and how to fix it, both worded for a warning. */
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

/** GitHub refused the request. */
export class GitHubRefusal extends CommentError {
  readonly status: number;

  constructor(parts: Readonly<{ status: number; what: string; fix: string; cause: unknown }>) {
    super(parts);
    this.status = parts.status;
  }
}

/** GitHub gave no usable response, so it is not known whether a write took effect. */
export class NoResponse extends CommentError {}

const FORK_TOKEN =
  'A run for a pull request from a fork always has a read-only token. To comment on such pull requests, use a workflow that workflow_run triggers.';
const PERMISSION = `Add this permission to the job, next to the ones it has:
permissions:
  pull-requests: write
${FORK_TOKEN}`;

type RefusalExplanation = Readonly<{ status: number; message?: RegExp; what: string; fix: string }>;

// The first row that applies is used. GitHub responds with 404 if the token is not allowed to see something.
const REFUSALS: readonly RefusalExplanation[] = [
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

/** The error of a run for a pull request from a fork, where no permission of the job helps. */
export const refusedToFork = (error: GitHubRefusal): CommentError =>
  error.fix.endsWith(PERMISSION)
    ? new CommentError({
        what: error.what,
        fix: `This pull request is from a fork. ${FORK_TOKEN}`,
        cause: error,
      })
    : error;

function messageOfGitHub(data: unknown): string {
  const { message, errors } = fieldsOf(data);
  const more = (Array.isArray(errors) ? errors : []).map((error) => fieldsOf(error)['message']);
  const text = [message, ...more].filter((part) => typeof part === 'string').join('; ');
  return shortened(onOneLine(text), LONGEST_MESSAGE);
}

function refusalOf(status: number, message: string, cause: unknown): GitHubRefusal {
  const row = REFUSALS.find(
    (candidate) => candidate.status === status && (candidate.message?.test(message) ?? true),
  );
  const what = `${row?.what ?? 'GitHub rejected the request'} (${[status, message].filter(Boolean).join(': ')}).`;
  return new GitHubRefusal({ status, what, fix: row?.fix ?? '', cause });
}

/** How many milliseconds GitHub asks to wait; undefined if the response is not a rate limit. */
function rateLimitWait(
  response: Readonly<{ status: number; message: string; headers: Fields }>,
  now: number,
) {
  const { status, message, headers } = response;
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

/** The reason in the innermost cause, because fetch itself only reports that it failed. */
function innermostReason(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const inner = 'cause' in error && error.cause !== undefined ? innermostReason(error.cause) : '';
  if (inner !== '') return inner;
  const message = 'message' in error ? String(error.message) : '';
  return message === '' && 'code' in error ? String(error.code) : message;
}

/** What to check if GitHub gave no usable response. */
export const STATUS_PAGE =
  'It may be down (see https://www.githubstatus.com), or this runner cannot reach it.';

/** How a request to GitHub failed: rate limited, without a usable response, or refused. */
export type RequestFailure =
  | Readonly<{ kind: 'limited'; waitMs: number }>
  | Readonly<{ kind: 'no_response'; error: NoResponse }>
  | Readonly<{ kind: 'refused'; error: GitHubRefusal }>;

/** Classifies how a request failed. Octokit gives an error the status 500 if there is no response. */
export function classifyRequestFailure(error: unknown, now: number): RequestFailure {
  const { status, headers, data } = fieldsOf(fieldsOf(error)['response']);
  if (typeof status !== 'number' || status >= 500 || status < 400) {
    const what =
      typeof status === 'number' && status >= 500
        ? `GitHub's API responded with ${status}.`
        : `GitHub's API gave no usable response: ${messageOfGitHub({ message: innermostReason(error) })}.`;
    return { kind: 'no_response', error: new NoResponse({ what, fix: STATUS_PAGE, cause: error }) };
  }
  const message = messageOfGitHub(data);
  const waitMs = rateLimitWait({ status, message, headers: fieldsOf(headers) }, now);
  return waitMs === undefined
    ? { kind: 'refused', error: refusalOf(status, message, error) }
    : { kind: 'limited', waitMs };
}
