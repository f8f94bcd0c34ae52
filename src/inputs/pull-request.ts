import { readFile } from 'node:fs/promises';
import { type Fields, fieldsOf } from '../shared/values.ts';
import type { Environment } from './environment.ts';
import type { InputValues } from './schema.ts';

/** A pull request: its number, or one of its commits, by which GitHub finds it. */
export type PullRequestRef =
  | Readonly<{ kind: 'number'; number: number }>
  | Readonly<{ kind: 'commit'; sha: string }>;

/** Why an event belongs to no pull request, worded to follow "because". */
export type NoPullRequest = Readonly<{ reason: string }>;

type Found = PullRequestRef | NoPullRequest;

const numberIn = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;

function byNumber(value: unknown, reason: string): Found {
  const number = numberIn(value);
  return number === undefined ? { reason } : { kind: 'number', number };
}

function byCommit(sha: unknown, reason: string): Found {
  return typeof sha === 'string' && /^[0-9a-f]{40,64}$/.test(sha) && !/^0+$/.test(sha)
    ? { kind: 'commit', sha }
    : { reason };
}

function inPullRequest({ pull_request: pullRequest }: Fields): Found {
  return byNumber(fieldsOf(pullRequest)['number'], "the event's payload has no pull request");
}

function inIssueComment({ issue }: Fields): Found {
  const { number, pull_request: pullRequest } = fieldsOf(issue);
  if (pullRequest === undefined || pullRequest === null)
    return { reason: 'the comment is on an issue, not on a pull request' };
  return byNumber(number, "the event's payload has no number of a pull request");
}

// A merge queue names its branches gh-readonly-queue/{base}/pr-{number}-{sha}; a base may have slashes.
const QUEUE_BRANCH = /^refs\/heads\/gh-readonly-queue\/.+\/pr-(?<number>[1-9]\d*)-[0-9a-f]+$/;

function inMergeGroup({ merge_group: group }: Fields): Found {
  const { head_ref: ref } = fieldsOf(group);
  const number = typeof ref === 'string' ? QUEUE_BRANCH.exec(ref)?.groups?.['number'] : undefined;
  return byNumber(Number(number), "the merge queue's branch names no pull request");
}

/** The pull requests of a run can be in another repository: a branch of a fork has its pull request in the parent. */
function inWorkflowRun({ workflow_run: run, repository }: Fields): Found {
  const { pull_requests: pullRequests, head_sha: sha } = fieldsOf(run);
  const { id: here } = fieldsOf(repository);
  const own = (Array.isArray(pullRequests) ? pullRequests : []).map(fieldsOf).find(({ base }) => {
    const { id: there } = fieldsOf(fieldsOf(base)['repo']);
    return here === undefined || there === undefined || here === there;
  });
  const number = numberIn(own?.['number']);
  return number === undefined
    ? byCommit(sha, "the event's payload has neither a pull request nor a commit")
    : { kind: 'number', number };
}

function inPush({ ref, after, deleted }: Fields): Found {
  if (typeof ref === 'string' && ref.startsWith('refs/tags/')) return { reason: 'a tag was pushed' };
  if (deleted === true) return { reason: 'the branch was deleted' };
  return byCommit(after, "the event's payload has no commit");
}

const EVENTS: ReadonlyMap<string, (payload: Fields) => Found> = new Map([
  ['pull_request', inPullRequest],
  ['pull_request_target', inPullRequest],
  ['pull_request_review', inPullRequest],
  ['pull_request_review_comment', inPullRequest],
  ['issue_comment', inIssueComment],
  ['merge_group', inMergeGroup],
  ['workflow_run', inWorkflowRun],
  ['push', inPush],
]);

/** Finds the pull request of an event, or a commit if only GitHub knows the pull request, or why there is none. */
export function findPullRequest(event: Readonly<{ name: string; payload: unknown }>): Found {
  const find = EVENTS.get(event.name);
  if (find === undefined) return { reason: `the event ${event.name || '(none)'} belongs to no pull request` };
  return event.payload === undefined
    ? { reason: "the event's payload could not be read" }
    : find(fieldsOf(event.payload));
}

/** Reads the event's payload from the file that GITHUB_EVENT_PATH names; undefined if there is none to read. */
export async function readEventPayload(path: string | undefined): Promise<unknown> {
  if (path === undefined || path === '') return undefined;
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The comment to write: its pull request, token and key; or why there is no pull request for it. */
export type CommentPlan = Readonly<{
  key: string;
  token: string;
  apiUrl: string;
  repository: string;
  pullRequest: PullRequestRef | NoPullRequest;
  /** The commit of the run: the head of a pull request, not the merge commit that the runner checks out. */
  commit: string;
  runUrl: string;
  /** Whether the pull request is known to be from a fork. */
  isFork: boolean;
}>;

// The key is part of the comment, whose length GitHub limits.
const LONGEST_KEY = 256;

function headCommitOf(payload: unknown): string | undefined {
  const { sha } = fieldsOf(fieldsOf(fieldsOf(payload)['pull_request'])['head']);
  return typeof sha === 'string' && /^[0-9a-f]{40,64}$/.test(sha) ? sha : undefined;
}

/** Plans the comment. Never throws: without a pull request, the report has a warning, and the inputs are valid. */
export async function planComment(
  values: Pick<InputValues, 'comment_key' | 'github_token'>,
  { github, eventName, isFork = false }: Environment,
): Promise<CommentPlan> {
  const payload = await readEventPayload(github.eventPath);
  return Object.freeze({
    // The default in action.yml ends with the matrix index, which only an expression can know.
    key: (values.comment_key || [github.workflow, github.job, github.step].join('/')).slice(-LONGEST_KEY),
    token: values.github_token,
    apiUrl: github.apiUrl,
    repository: github.repository,
    pullRequest: findPullRequest({ name: eventName, payload }),
    commit: headCommitOf(payload) ?? github.sha,
    runUrl: `${github.serverUrl}/${github.repository}/actions/runs/${github.runId}`,
    isFork,
  });
}
