import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  type LocalGitHub,
  type RecordedRequest,
  startLocalGitHub,
} from '../../packages/local-github/server.ts';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import type { StepOptions } from '../../packages/local-runner/run-step.ts';
import { signalTest } from '../signals.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

const REPOSITORY = 'octo-org/octo-repo';
const folder = mkdtempSync(path.join(tmpdir(), 'event-'));
const eventFile = path.join(folder, 'event.json');
let lambda: LocalLambda;
let github: LocalGitHub;

beforeAll(async () => {
  writeFileSync(eventFile, JSON.stringify({ number: 7, pull_request: { number: 7 } }));
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
});
beforeEach(async () => {
  github = await startLocalGitHub({
    repositories: { [REPOSITORY]: [{ number: 7, commits: [] }] },
    tokens: { job: { kind: 'installation', access: 'write' } },
  });
});
afterEach(() => github.close());
afterAll(async () => {
  await lambda.close();
  rmSync(folder, { recursive: true });
});

const isList = ({ method, path: asked }: RecordedRequest): boolean =>
  method === 'GET' && asked.endsWith('/comments');

const commented = (options: Pick<StepOptions, 'onStart' | 'contexts' | 'env'> = {}): Promise<InvokeStep> =>
  invokeStep(
    lambda,
    { function_name: 'echo', payload: '{}', comment_on_pull_request: 'true' },
    {
      ...options,
      token: 'job',
      env: {
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_EVENT_PATH: eventFile,
        GITHUB_API_URL: github.url,
        GITHUB_REPOSITORY: REPOSITORY,
        ...options.env,
      },
    },
  );

const warnings = ({ annotations }: InvokeStep) => annotations.map(({ level, message }) => [level, message]);

test('an endless list of comments causes a warning, and the step succeeds', async () => {
  github.setFault((request) => (isList(request) ? { kind: 'endless-pages' } : undefined));
  const step = await commented();
  expect(step.exitCode).toBe(0);
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(warnings(step)).toEqual([['warning', expect.stringContaining('did not end after 5,000 comments')]]);
  expect(github.comments(REPOSITORY, 7)).toEqual([]);
});

signalTest('a canceled step does not wait for GitHub', async () => {
  let cancelledAt = 0;
  let child: Parameters<NonNullable<StepOptions['onStart']>>[0] | undefined;
  github.setFault((request) => {
    if (!isList(request)) return undefined;
    cancelledAt = Date.now();
    child?.kill('SIGINT');
    return { kind: 'stall', when: 'before' };
  });
  const step = await commented({
    onStart: (started) => {
      child = started;
    },
  });
  expect(Date.now() - cancelledAt).toBeLessThan(3_000);
  expect(step.signal).toBeNull();
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(warnings(step)).toEqual([['warning', expect.stringContaining('The workflow was cancelled.')]]);
});

test('each matrix job and each step has its own comment, which its next run updates', async () => {
  const step = (action: string, index: number): Promise<InvokeStep> =>
    commented({
      contexts: { strategy: { 'job-index': index, 'job-total': 2 } },
      env: { GITHUB_WORKFLOW: 'CI', GITHUB_JOB: 'smoke', GITHUB_ACTION: action },
    });
  for (const [action, index] of [
    ['__run', 0],
    ['__run', 1],
    ['again', 0],
    ['__run', 1],
  ] as const) {
    expect((await step(action, index)).exitCode).toBe(0);
  }
  const keys = github
    .comments(REPOSITORY, 7)
    .map(({ body }) => decodeURIComponent(body.split('\n', 1)[0] ?? ''));
  expect(keys).toEqual([
    expect.stringContaining('CI/smoke/__run/0'),
    expect.stringContaining('CI/smoke/__run/1'),
    expect.stringContaining('CI/smoke/again/0'),
  ]);
});
