import { realpathSync } from 'node:fs';
import path from 'node:path';
import { type LocalGitHub, startLocalGitHub } from '../../packages/local-github/server.ts';
import {
  type LambdaRequest,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { type JobFolder, makeJobFolder, writeFiles } from '../../packages/local-runner/run-step.ts';
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

/** Cancels the step as soon as the scenario asks for it. Returns a function that stops the polling. */
function cancelWhen(isCancelled: () => boolean, cancel: () => void): () => void {
  const poll = setInterval(() => {
    if (!isCancelled()) return;
    clearInterval(poll);
    cancel();
  }, 20);
  return () => clearInterval(poll);
}

const countByName = (names: readonly string[]): ReadonlyMap<string, number> =>
  new Map(names.map((name) => [name, names.filter((other) => other === name).length]));

type Servers = Readonly<{ lambda: LocalLambda; github: LocalGitHub; job: JobFolder }>;

/** Runs the step of a scenario once. */
async function runOnce(scenario: Scenario, { lambda, github, job }: Servers): Promise<InvokeStep> {
  let stopPolling = (): void => {};
  let log = '';
  try {
    return await invokeStep(lambda, scenario.with, {
      job,
      token: TOKEN,
      env: {
        AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: lambda.url,
        AWS_ENDPOINT_URL_SCHEMAS: lambda.url,
        ...(scenario.onPullRequest ? pullRequestVariables(job.folder, github.url) : {}),
      },
      onLine: ({ text }) => {
        log += `${text}\n`;
      },
      onStart: (child) => {
        const isCancelled = (): boolean =>
          scenario.isCancelled?.({ executions: lambda.executions().length, log }) ?? false;
        stopPolling = cancelWhen(isCancelled, () => child.kill('SIGINT'));
      },
    });
  } finally {
    stopPolling();
  }
}

/** Runs a scenario as a runner would run a step, against its own local Lambda and GitHub. */
export async function runScenario(scenario: Scenario): Promise<Evidence> {
  const lambda = await startLocalLambda({
    functions: FUNCTIONS,
    region: 'eu-west-1',
    deny,
    asyncRetryDelaysMs: [100, 100],
  });
  const github = await startLocalGitHub({
    repositories: { [REPOSITORY]: [{ number: PULL_REQUEST, commits: [HEAD], state: 'open' }] },
    tokens: { [TOKEN]: { kind: 'installation', access: 'write' } },
  });
  const job = makeJobFolder();
  const servers = { lambda, github, job };
  try {
    const event = { number: PULL_REQUEST, pull_request: { number: PULL_REQUEST, head: { sha: HEAD } } };
    writeFiles(job.folder, { 'event.json': JSON.stringify(event) });
    if (scenario.firstRun !== undefined) {
      lambda.setFault(scenario.firstRun.fault);
      await runOnce(scenario, servers);
      lambda.reset();
    }
    lambda.setFault(scenario.fault);
    const step = await runOnce(scenario, servers);
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
    job.dispose();
    await Promise.all([lambda.close(), github.close()]);
  }
}
