import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type LocalGitHub, startLocalGitHub } from '../../packages/local-github/server.ts';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { type JobFolder, makeJobFolder } from '../../packages/local-runner/run-step.ts';
import { ECHO, HANDLERS, type InvokeStep, invokeStep } from './step.ts';

const REPOSITORY = 'octo-org/octo-repo';
const NAMES = ['first', 'second'] as const;
type Name = (typeof NAMES)[number];

const folder = mkdtempSync(path.join(tmpdir(), 'two-steps-'));
const eventFile = path.join(folder, 'event.json');
let lambda: LocalLambda;
let github: LocalGitHub;
let job: JobFolder;
/** The meeting point of a test's executions: each writes a file and ends when there are enough files. */
let meeting: string;

beforeAll(async () => {
  writeFileSync(eventFile, JSON.stringify({ number: 7, pull_request: { number: 7 } }));
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO },
      meeting: { handler: `${HANDLERS}.meeting`, timeoutSeconds: 60, reservedConcurrency: 10 },
    },
  });
});
beforeEach(async () => {
  lambda.reset();
  job = makeJobFolder();
  meeting = path.join(job.folder, 'meeting');
  mkdirSync(meeting);
  github = await startLocalGitHub({
    repositories: { [REPOSITORY]: [{ number: 7, commits: [] }] },
    tokens: { job: { kind: 'installation', access: 'write' } },
  });
});
afterEach(async () => {
  job.dispose();
  await github.close();
});
afterAll(async () => {
  await lambda.close();
  rmSync(folder, { recursive: true });
});

/** Runs a step of the job, with the defaults and variables of a step with this ID. */
const run = (name: Name, inputs: Readonly<Record<string, string>>): Promise<InvokeStep> =>
  invokeStep(lambda, inputs, {
    job,
    token: 'job',
    env: {
      GITHUB_WORKFLOW: 'CI',
      GITHUB_JOB: 'deploy',
      GITHUB_ACTION: name,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: eventFile,
      GITHUB_API_URL: github.url,
      GITHUB_REPOSITORY: REPOSITORY,
    },
  });

const payload = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ folder: meeting, ...fields });

test('two concurrent steps keep their outcomes, outputs, summaries, journals and comments separate', async () => {
  // Each function ends only when all four run, so the steps overlap.
  const steps = await Promise.all(
    NAMES.map((name) =>
      run(name, {
        function_name: 'meeting',
        invocations: `- { name: ${name} a }\n- { name: ${name} b }`,
        payload: payload({ expected: 4 }),
        journal: `${name}.jsonl`,
        comment_on_pull_request: 'true',
      }),
    ),
  );
  const namesIn = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).name).sort();
  for (const [at, name] of NAMES.entries()) {
    const step = steps[at];
    expect(step?.annotations).toEqual([]);
    expect(step?.outputs).toMatchObject({ total: '2', succeeded: '2', resumed: '0' });
    expect(namesIn(step?.outcomeLines ?? [])).toEqual([`${name} a`, `${name} b`]);
    const ids = (step?.outcomeLines ?? []).map((line) => JSON.parse(line).request_id);
    expect(ids.filter((id) => !step?.summary.includes(id))).toEqual([]);
    expect(step?.summary.match(/^### /gm)).toHaveLength(1);
    const journal = readFileSync(path.join(job.workspace, `${name}.jsonl`), 'utf8');
    const other = NAMES[1 - at];
    expect([journal.includes(`${name} a`), journal.includes(`${other} a`)]).toEqual([true, false]);
  }
  expect(new Set(steps.map(({ outputs }) => outputs['outcomes_file'])).size).toBe(2);
  expect(lambda.executions('meeting')).toHaveLength(4);
  const comments = github.comments(REPOSITORY, 7).map(({ body }) => decodeURIComponent(body));
  expect(comments.sort()).toEqual(NAMES.map((name) => expect.stringContaining(`CI/deploy/${name}/0`)));
});

test('two concurrent steps keep long responses in separate files', async () => {
  const text = 'x'.repeat(1_100_000);
  for (const name of NAMES)
    writeFileSync(path.join(job.workspace, `${name}.json`), JSON.stringify([name, text]));
  const steps = await Promise.all(
    NAMES.map((name) => run(name, { function_name: 'echo', payload_file: `${name}.json` })),
  );
  const kept = steps.map(
    ({ outputs }) => JSON.parse(readFileSync(outputs['response_file'] ?? '', 'utf8'))[0],
  );
  expect(kept).toEqual([...NAMES]);
});

test('a second step with the same journal is rejected while the first is running', async () => {
  const started = Promise.withResolvers<void>();
  lambda.setFault(() => {
    started.resolve();
    return undefined;
  });
  const inputs = { function_name: 'meeting', journal: 'journal.jsonl' };
  // The first step ends only when the test writes a second file.
  const first = run('first', { ...inputs, payload: payload({ expected: 2 }) });
  await started.promise;
  const second = await run('second', { ...inputs, payload: payload({ expected: 1 }) });
  writeFileSync(path.join(meeting, 'second'), '');
  expect([second.exitCode, second.outputs['outcome']]).toEqual([1, 'not_invoked']);
  expect(second.annotations[0]?.message).toContain('is in use by another step');
  expect((await first).outputs['outcome']).toBe('succeeded');
  expect(lambda.executions('meeting')).toHaveLength(1);
  expect(readdirSync(meeting)).toHaveLength(2);
});
