import { realpathSync } from 'node:fs';
import path from 'node:path';
import { startLocalGitHub } from '../../packages/local-github/server.ts';
import {
  type LambdaRequest,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { makeJobFolder, writeFiles } from '../../packages/local-runner/run-step.ts';
import { type InvokeStep, invokeStep, jobEnvironment } from '../e2e/step.ts';
import { deny, FUNCTIONS, type Scenario } from './scenarios.ts';

/** The outcome of a scenario. */
export type Evidence = Readonly<{
  step: InvokeStep;
  /** The requests of the step, without those of functions. */
  requests: readonly LambdaRequest[];
  /** The number of runs of each function, by name. */
  executions: ReadonlyMap<string, number>;
  /** The comments on the pull request. */
  comments: readonly string[];
  /** The job's folder: its real path, then the path that the step uses. */
  folders: readonly string[];
}>;

const REPOSITORY = 'octo-org/octo-repo';
const PULL_REQUEST = 7;
const HEAD = 'a1'.repeat(20);
const TOKEN = 'token-of-the-job';

/** The variables of a job on the pull request. The event is in the job's folder. */
const pullRequestVariables = (folder: string, apiUrl: string): Record<string, string> => ({
  GITHUB_EVENT_NAME: 'pull_request',
  GITHUB_EVENT_PATH: path.join(folder, 'event.json'),
  GITHUB_API_URL: apiUrl,
  GITHUB_REPOSITORY: REPOSITORY,
  GITHUB_RUN_ID: '42',
  GITHUB_SHA: HEAD,
  GITHUB_WORKFLOW: 'CI',
  GITHUB_JOB: 'check',
  GITHUB_ACTION: '__run',
});

/** Cancels the step once a function has started. Returns a function that stops the polling. */
function cancelOnceStarted(lambda: LocalLambda, cancel: () => void): () => void {
  const poll = setInterval(() => {
    if (lambda.executions().length === 0) return;
    clearInterval(poll);
    cancel();
  }, 20);
  return () => clearInterval(poll);
}

const countByName = (names: readonly string[]): ReadonlyMap<string, number> =>
  new Map(names.map((name) => [name, names.filter((other) => other === name).length]));

/** Runs a scenario as a runner would run a step, against its own local Lambda and GitHub. */
export async function runScenario(scenario: Scenario): Promise<Evidence> {
  const lambda = await startLocalLambda({ functions: FUNCTIONS, region: 'eu-west-1', deny });
  const github = await startLocalGitHub({
    repositories: { [REPOSITORY]: [{ number: PULL_REQUEST, commits: [HEAD], state: 'open' }] },
    tokens: { [TOKEN]: { kind: 'installation', access: 'write' } },
  });
  const job = makeJobFolder();
  let stopPolling: (() => void) | undefined;
  try {
    lambda.setFault(scenario.fault);
    const event = { number: PULL_REQUEST, pull_request: { number: PULL_REQUEST, head: { sha: HEAD } } };
    writeFiles(job.folder, { 'event.json': JSON.stringify(event) });
    const step = await invokeStep(lambda, scenario.with, {
      job,
      token: TOKEN,
      env: scenario.onPullRequest ? pullRequestVariables(job.folder, github.url) : {},
      onStart: (child) => {
        if (scenario.isCancelled) stopPolling = cancelOnceStarted(lambda, () => child.kill('SIGINT'));
      },
    });
    // A durable function also calls Lambda, with other credentials.
    const accessKey = jobEnvironment(lambda)['AWS_ACCESS_KEY_ID'] ?? '';
    return {
      step,
      requests: lambda.requests.filter(({ headers }) => headers['authorization']?.includes(accessKey)),
      executions: countByName(lambda.executions().map(({ functionName }) => functionName)),
      comments: github.comments(REPOSITORY, PULL_REQUEST).map(({ body }) => body),
      folders: [realpathSync(job.folder), job.folder],
    };
  } finally {
    stopPolling?.();
    job.dispose();
    await Promise.all([lambda.close(), github.close()]);
  }
}
