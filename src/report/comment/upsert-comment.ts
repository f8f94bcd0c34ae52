import { messageOf } from '../../shared/values.ts';
import { isMarked, markerOf } from './comment-text.ts';
import { ATTEMPTS, type Comment, type CommentJob, CommentsApi, TOTAL_MS } from './comments-api.ts';
import { CommentError, GitHubRefusal, NoResponse, refusedToFork } from './refusals.ts';

type Written = 'created' | 'updated' | 'unchanged';

const isSame = (one: string, other: string): boolean =>
  one.replaceAll('\r\n', '\n').trim() === other.replaceAll('\r\n', '\n').trim();

/** Keeps the oldest comment, with the body, and deletes the others. */
async function keepOldest(
  api: CommentsApi,
  [oldest, ...newer]: readonly [Comment, ...Comment[]],
  body: string,
): Promise<Written> {
  const changes = !isSame(oldest.body, body);
  if (changes) await api.update(oldest.id, body);
  for (const { id } of newer) await api.remove(id);
  return changes || newer.length > 0 ? 'updated' : 'unchanged';
}

async function upsert(api: CommentsApi, job: CommentJob, markdown: string): Promise<Written> {
  const marker = markerOf(job.key);
  const body = isMarked(markdown, marker) ? markdown : `${marker}\n${markdown}`;
  const { pullRequest } = job;
  const number = pullRequest.kind === 'number' ? pullRequest.number : await api.numberOf(pullRequest.sha);
  const login = await api.login();
  for (let attempt = 1; ; attempt += 1) {
    const [oldest, ...newer] = await api.find(number, { marker, login });
    if (oldest !== undefined) {
      const written = await keepOldest(api, [oldest, ...newer], body);
      // The earlier attempt without a response had created the comment.
      return written === 'unchanged' && attempt > 1 ? 'created' : written;
    }
    const created = await api.create(number, body).catch((error: unknown) => {
      if (error instanceof NoResponse && attempt < ATTEMPTS) return undefined;
      throw error;
    });
    if (created === undefined) {
      await api.backOff(attempt);
      continue;
    }
    // The comment exists, even if the search for another one fails. The next run then deletes the duplicate.
    const [first] = await api.find(number, { marker, login }).catch(() => []);
    // Another job may have created a comment at the same time. The older one stays, and this job, with the newer one,
    // cleans up.
    return first !== undefined && first.id < created.id ? keepOldest(api, [first, created], body) : 'created';
  }
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function upsertInTime(job: CommentJob, markdown: string): Promise<Written> {
  const { getOctokit } = await import('@actions/github');
  const octokit = getOctokit(job.token, { baseUrl: job.apiUrl.replace(/\/+$/, ''), log: SILENT });
  const over = new AbortController();
  const callOff = job.timing.after(job.totalMs ?? TOTAL_MS, () => over.abort());
  try {
    return await upsert(
      new CommentsApi(octokit, job, AbortSignal.any([job.signal, over.signal])),
      job,
      markdown,
    );
  } finally {
    callOff();
  }
}

/**
 * Creates or updates the one comment of this key and this token's user on the pull request. No other comment is changed.
 * Throws only CommentError, which has the words for a warning.
 */
export async function writeComment(job: CommentJob, markdown: string): Promise<Written> {
  try {
    // Check the token first, because the error about a character that a header can't have would quote the token.
    if (!/^[\x21-\x7e]+$/.test(job.token)) {
      const fix = "Remove github_token to use the job's own token.";
      throw new CommentError({ what: 'github_token is empty, or has characters that no token has.', fix });
    }
    return await upsertInTime(job, markdown);
  } catch (error) {
    if (error instanceof GitHubRefusal && job.isFork) throw refusedToFork(error);
    if (error instanceof CommentError) throw error;
    throw new CommentError({ what: messageOf(error), cause: error });
  }
}
