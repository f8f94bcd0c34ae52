import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalGitHub, startLocalGitHub } from '../../packages/local-github/server.ts';
import { type Denial, type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

const REPOSITORY = 'octo-org/octo-repo';
const HEAD = 'a'.repeat(40);
const OTHER = 'arn:aws:lambda:us-east-1:999999999999:function:other';

let lambda: LocalLambda;
let github: LocalGitHub;
let folder: string;
let denials: Readonly<Record<string, Denial>>;

const NOTHING_ALLOWED: typeof denials = {
  'no-policy': { kind: 'no-identity-policy' },
  denied: { kind: 'explicit-deny-identity' },
  other: { kind: 'no-resource-policy' },
};

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'event-'));
  lambda = await startLocalLambda({
    functions: {
      allowed: { handler: ECHO },
      'no-policy': { handler: ECHO, versions: { 1: {} }, aliases: { live: '1' } },
      denied: { handler: ECHO },
      aliased: { handler: ECHO },
      other: { handler: ECHO },
    },
    deny: ({ functionName = '' }) => denials[functionName],
  });
});
beforeEach(async () => {
  denials = NOTHING_ALLOWED;
  lambda.reset();
  github = await startLocalGitHub({
    repositories: { [REPOSITORY]: [{ number: 7, commits: [HEAD], state: 'open' }] },
    tokens: {
      job: { kind: 'installation', access: 'write' },
      fork: { kind: 'installation', access: 'read' },
    },
  });
});
afterEach(() => github.close());
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await lambda.close();
});

const INPUTS = {
  invocation_type: 'DryRun',
  comment_on_pull_request: 'true',
  function_name: ['allowed', 'no-policy:live', 'denied', 'unknown', 'aliased:nope', OTHER].join('\n'),
};

/** Runs the check as on pull request 7. */
async function check(
  token = 'job',
  inputs: Record<string, string> = {},
  head: Record<string, unknown> = {},
): Promise<InvokeStep> {
  const eventFile = path.join(folder, 'event.json');
  writeFileSync(
    eventFile,
    JSON.stringify({ number: 7, pull_request: { number: 7, head: { sha: HEAD, ...head } } }),
  );
  return invokeStep(
    lambda,
    { ...INPUTS, ...inputs },
    {
      token,
      env: {
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_EVENT_PATH: eventFile,
        GITHUB_API_URL: github.url,
        GITHUB_REPOSITORY: REPOSITORY,
        GITHUB_RUN_ID: '42',
        GITHUB_SHA: 'b'.repeat(40),
        GITHUB_WORKFLOW: 'CI',
        GITHUB_JOB: 'may-invoke',
        GITHUB_ACTION: '__run',
      },
    },
  );
}
const bodies = (): string[] => github.comments(REPOSITORY, 7).map(({ body }) => body);
const rowsOf = (markdown: string): string[] =>
  markdown.split('\n').filter((line) => line.startsWith('| ✅') || line.startsWith('| ❌'));

describe('six functions, of which one can be invoked,', () => {
  test('have six correct rows, one statement, one comment and a failed step, and after the fix a green comment', async () => {
    const red = await check();
    expect(red.exitCode).toBe(1);
    expect(red.outputs).toMatchObject({ total: '6', succeeded: '1', failed: '5' });
    expect(lambda.executions()).toHaveLength(0);

    for (const place of [red.summary, bodies()[0] ?? '']) {
      const rows = rowsOf(place);
      expect(rows).toHaveLength(6);
      const row = (name: string): string => rows.find((line) => line.includes(`\`${name}\``)) ?? '';
      expect(row('allowed')).toMatch(/^\| ✅/);
      expect(row('no-policy')).toMatch(/^\| ❌.*identity/);
      expect(row('denied')).toMatch(/^\| ❌.*den/);
      expect(row('unknown')).toMatch(/^\| ❌.*not exist|^\| ❌.*not found|^\| ❌.*no function/i);
      expect(row('aliased')).toMatch(/^\| ❌/);
      expect(row('other')).toMatch(/^\| ❌/);
      expect(place.match(/"Effect": "Allow"/g)).toHaveLength(1);
      expect(place).toContain('local-role');
    }
    expect(red.summary).toContain('arn:aws:lambda:us-east-1:123456789012:function:no-policy:live');
    expect(bodies()).toHaveLength(1);
    const [comment = ''] = bodies();
    expect(comment).not.toMatch(/\d{12}/);
    expect(comment).toContain(HEAD.slice(0, 7));
    expect(comment).toContain('/octo-org/octo-repo/actions/runs/42');

    const again = await check();
    expect(again.exitCode).toBe(1);
    expect(
      github.requests.filter(({ method, path: route }) => method !== 'GET' && route !== '/graphql'),
    ).toHaveLength(1);

    denials = {};
    const green = await check('job', { function_name: 'allowed\nno-policy:live' });
    expect(green.exitCode).toBe(0);
    expect(bodies()).toHaveLength(1);
    expect(bodies()[0]).toContain('✅');
    expect(bodies()[0]).not.toContain('❌');
  });
});

test('an expectation that a dry run does not meet is in the summary and in the comment', async () => {
  denials = {};
  for (const names of ['allowed', 'allowed\ndenied']) {
    const step = await check('job', { function_name: names, expect: 'elapsed_ms < `0`' });
    expect(step.exitCode).toBe(1);
    for (const place of [step.summary, bodies()[0] ?? '']) {
      expect(place).toContain('elapsed_ms < `0`');
      expect(place).toContain('### ❌ ');
      expect(place).not.toContain('✅');
    }
  }
});

test('a pull request from a fork gets a warning, the table in the summary, and the outcome from Lambda', async () => {
  const red = await check('fork');
  expect(red.exitCode).toBe(1);
  expect(rowsOf(red.summary)).toHaveLength(6);
  expect(bodies()).toEqual([]);
  const warnings = red.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message);
  expect(warnings).toEqual([expect.stringContaining('pull-requests: write')]);
  denials = {};
  const green = await check('fork', { function_name: 'allowed' });
  expect(green.exitCode).toBe(0);
});

test('for a fork named in the event, the warning suggests no permission, which would not help', async () => {
  denials = {};
  const step = await check('fork', { function_name: 'allowed' }, { repo: { id: 2, fork: true } });
  expect(step.exitCode).toBe(0);
  expect(step.annotations).toEqual([
    expect.objectContaining({
      level: 'warning',
      message: expect.stringContaining(
        '\nThis pull request is from a fork. A run for a pull request from a fork',
      ),
    }),
  ]);
  expect(step.annotations[0]?.message).not.toContain('pull-requests: write');
});

test('without a pull request, there is a warning', async () => {
  const step = await invokeStep(
    lambda,
    { function_name: 'allowed', invocation_type: 'DryRun', comment_on_pull_request: 'true' },
    { env: { GITHUB_EVENT_NAME: 'schedule', GITHUB_API_URL: github.url, GITHUB_REPOSITORY: REPOSITORY } },
  );
  expect(step.exitCode).toBe(0);
  expect(step.annotations).toEqual([
    {
      level: 'warning',
      title: 'Comment Not Written',
      message: expect.stringContaining('The comment on the pull request was not written'),
    },
  ]);
  expect(github.requests).toHaveLength(0);
});

test('an unavailable GitHub API does not hide the responses of Lambda', async () => {
  await github.close();
  const step = await check('job', { function_name: 'allowed' });
  expect(step.exitCode).toBe(0);
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(step.annotations.map(({ level }) => level)).toEqual(['warning']);
}, 60_000);

describe('a denied invocation', () => {
  const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:allowed';

  test.each<[Denial['kind'], RegExp]>([
    ['no-vpc-endpoint-policy', /^A VPC endpoint policy does not allow it\..*runner's network\.$/],
    ['no-permissions-boundary', /^A permissions boundary does not allow it\..*of the role or user\.$/],
    ['no-session-policy', /^A session policy does not allow it\..*inline-session-policy/],
    ['no-service-control-policy', /^A service control policy does not allow it\..*AWS Organizations/],
    ['no-resource-control-policy', /^A resource control policy does not allow it\..*AWS Organizations/],
    ['explicit-deny-vpc-endpoint-policy', /^A VPC endpoint policy explicitly denies it\. An Allow cannot/],
  ])('by %s names that policy and where to fix it', async (kind, advice) => {
    denials = { allowed: { kind } };
    const step = await invokeStep(lambda, { function_name: 'allowed', payload: '{}' });
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(step.annotations[0]?.message.split('\n')[1]).toMatch(advice);
    expect(step.annotations[0]?.message).not.toContain('"Effect"');
  });

  test('by no-identity-policy has the statement to add', async () => {
    denials = { allowed: { kind: 'no-identity-policy' } };
    const step = await invokeStep(lambda, { function_name: 'allowed', payload: '{}' });
    expect(step.annotations[0]?.message.split('\n').slice(1, 3)).toEqual([
      "Add this statement to the caller's policy:",
      JSON.stringify({ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: [ARN] }),
    ]);
  });

  test('by no-resource-policy says what is sufficient within one account', async () => {
    denials = { allowed: { kind: 'no-resource-policy' } };
    const step = await invokeStep(lambda, { function_name: 'allowed', payload: '{}' });
    expect(step.annotations[0]?.message).toContain('no resource-based policy allows it. Within one account');
  });
});
