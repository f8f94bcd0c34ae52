import { fieldsOf } from '../shared/fields.ts';
import type { Environment } from './environment.ts';
import {
  findPullRequest,
  type NoPullRequest,
  type PullRequestRef,
  readEventPayload,
} from './pull-request.ts';
import type { InputReader } from './schema.ts';

/** Where the comment goes, as whom and under which key; or why there is no pull request for it. */
export type CommentPlan = Readonly<{
  key: string;
  token: string;
  apiUrl: string;
  repository: string;
  pullRequest: PullRequestRef | NoPullRequest;
  /** The commit that the run belongs to: a pull request's own, not the merge that the runner checks out. */
  commit: string;
  runUrl: string;
}>;

// It is part of the comment, which has a limit of its own.
const LONGEST_KEY = 256;

function headOf(payload: unknown): string | undefined {
  const { sha } = fieldsOf(fieldsOf(fieldsOf(payload)['pull_request'])['head']);
  return typeof sha === 'string' && /^[0-9a-f]{40,64}$/.test(sha) ? sha : undefined;
}

/** Plans the comment. Never throws: that there is no pull request is a warning of the report, not a problem. */
export async function planComment(
  read: InputReader,
  { github, eventName }: Environment,
): Promise<CommentPlan> {
  const payload = await readEventPayload(github.eventPath);
  return Object.freeze({
    // The default in action.yml has the index in a matrix besides, which only an expression can know. It is at the end.
    key: (read('comment_key') || [github.workflow, github.job, github.step].join('/')).slice(-LONGEST_KEY),
    token: read('github_token'),
    apiUrl: github.apiUrl,
    repository: github.repository,
    pullRequest: findPullRequest({ name: eventName, payload }),
    commit: headOf(payload) ?? github.sha,
    runUrl: `${github.serverUrl}/${github.repository}/actions/runs/${github.runId}`,
  });
}
