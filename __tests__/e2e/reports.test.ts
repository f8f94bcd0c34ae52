import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startLocalGitHub } from '../../packages/local-github/server.ts';
import { type LocalLambda, startLocalLambda, throttle } from '../../packages/local-lambda/server.ts';
import { readOutputs } from '../../packages/local-runner/output-file.ts';
import { type PreparedStep, prepareStep, type StepRun } from '../../packages/local-runner/run-step.ts';
import { signalTest } from '../signals.ts';
import { ECHO, HANDLERS, invokeStep, jobEnvironment } from './step.ts';

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO },
      failing: { handler: `${HANDLERS}.failing` },
      big: { handler: `${HANDLERS}.big` },
      one: { handler: `${HANDLERS}.one` },
      gated: { handler: `${HANDLERS}.gated`, timeoutSeconds: 60 },
    },
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const list = (count: number, entry: (id: number) => string): string =>
  Array.from({ length: count }, (_, id) => entry(id)).join('\n');
const titles = ({ annotations }: StepRun): string[] => annotations.map(({ title }) => title);
const PRELOADS = path.join(import.meta.dirname, 'preload');
const preload = (name: string) => ({ NODE_OPTIONS: `--import=${path.join(PRELOADS, name)}` });
const FAILING = { function_name: 'failing', payload: '{"id":7}' };

/** Files that can't be written on any machine, and on machines with such a device. */
const UNWRITABLE = [
  { how: 'in a folder that is missing', file: '/nowhere/at/all' },
  ...(process.platform === 'linux' ? [{ how: 'on a full disk', file: '/dev/full' }] : []),
];

describe.each(UNWRITABLE)('a file $how', ({ file }) => {
  test('for the outputs does not affect other reports, and fails the step', async () => {
    const failed = await invokeStep(lambda, FAILING, { env: { GITHUB_OUTPUT: file } });
    expect(failed.exitCode).toBe(1);
    expect(titles(failed)).toEqual(['Outputs Not Written', 'Lambda Function Execution Error']);
    expect(failed.annotations[0]?.message).toContain('the file that GITHUB_OUTPUT names');
    expect(failed.summary).toMatch(/^### ❌ `.*` failed/);
    const green = await invokeStep(
      lambda,
      { function_name: 'echo', payload: '{}' },
      { env: { GITHUB_OUTPUT: file } },
    );
    expect(green.exitCode).toBe(1);
    expect(titles(green)).toEqual(['Outputs Not Written']);
    expect(green.summary).toMatch(/^### ✅ `.*` succeeded\n/);
  });

  test('for the job summary does not affect other reports, and gives a warning', async () => {
    const env = { GITHUB_STEP_SUMMARY: file };
    const failed = await invokeStep(lambda, FAILING, { env });
    expect(failed.exitCode).toBe(1);
    expect(titles(failed)).toEqual(['Lambda Function Execution Error', 'Job Summary Not Written']);
    expect(failed.outputs['outcome']).toBe('function_error');
    const green = await invokeStep(lambda, { function_name: 'echo', payload: '{}' }, { env });
    expect(green.exitCode).toBe(0);
    expect(green.annotations).toEqual([
      {
        level: 'warning',
        title: 'Job Summary Not Written',
        message: expect.stringContaining('or set summary: false'),
      },
    ]);
    expect(green.outputs['outcome']).toBe('succeeded');
  });
});

test('a runner without a summary file gets no summary and no warning', async () => {
  const step = await invokeStep(
    lambda,
    { function_name: 'echo', payload: '{}' },
    { env: { GITHUB_STEP_SUMMARY: '' } },
  );
  expect(step.exitCode).toBe(0);
  expect(step.annotations).toEqual([]);
  expect(step.summary).toBe('');
});

describe('an outcome that cannot be evaluated', () => {
  const env = preload('strange-json.mjs');

  test('does not affect other outcomes, and fails the step', async () => {
    const step = await invokeStep(
      lambda,
      {
        function_name: 'echo',
        invocations: list(6, (id) => `- payload: {id: ${id}, strange: ${id === 1}}`),
        max_concurrency: '2',
      },
      { env },
    );
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({ total: '6', succeeded: '5', failed: '1' });
    expect(lambda.executions('echo')).toHaveLength(6);
    const outcomes = step.outcomeLines.map((line) => JSON.parse(line));
    expect(outcomes).toHaveLength(6);
    expect(outcomes.find(({ index }) => index === 1)).toMatchObject({
      outcome: 'unknown',
      error: { name: 'EvaluationFailed', message: expect.stringContaining('The function ran') },
    });
    expect(step.annotations).toEqual([
      expect.objectContaining({ message: expect.stringContaining('Invalid string length') }),
    ]);
    expect(step.summary).toContain('1 of 6 invocations failed');
  });

  test('keeps its response', async () => {
    const inputs = { function_name: 'echo', payload: '{"strange":true,"token":"hunter2"}' };
    const step = await invokeStep(lambda, { ...inputs, mask: 'response.token' }, { env });
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({ outcome: 'unknown', response: inputs.payload });
    expect(step.stdout).toContain('responded, but its outcome could not be evaluated');
    expect(step.stdout).not.toContain('Invalid string length');
  });
});

test('an unexpected error is reported and does not affect the reports', async () => {
  const step = await invokeStep(
    lambda,
    { function_name: 'one', payload: '{"id":1}' },
    { env: preload('strange-error.mjs') },
  );
  expect(step.exitCode).toBe(1);
  expect(step.annotations).toEqual([
    {
      level: 'error',
      title: 'Unexpected Error',
      message: expect.stringContaining('An unexpected error occurred: stray'),
    },
  ]);
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(step.summary).toMatch(/^### ✅ `.*` succeeded\n/);
});

test('a process that ends before its report fails with a message', async () => {
  const step = await invokeStep(
    lambda,
    { function_name: 'echo', payload_file: 'event.json' },
    { env: preload('never-settles.mjs'), workspace: { 'event.json': '{}' } },
  );
  expect(step.outputs).toEqual({});
  expect(step.signal).toBeNull();
  expect(step.exitCode).toBe(1);
  expect(titles(step)).toEqual(['Unexpected Error']);
});

/** A disk of 64 KB. Undefined if this machine does not allow mounting one. */
function mountSmallDisk(): { folder: string; unmount: () => void } | undefined {
  if (process.platform !== 'linux') return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'small-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  const unmount = (): void => {
    if (status === 0) spawnSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  };
  if (status === 0) return { folder, unmount };
  unmount();
  return undefined;
}

const smallDisk = mountSmallDisk();
afterAll(() => smallDisk?.unmount());
// A really full disk needs permission to mount a file system.
test('a step without a folder for its files invokes nothing, and says why', async () => {
  const folder = path.join(tmpdir(), 'no', 'such', 'folder');
  const step = await invokeStep(lambda, FAILING, { env: { RUNNER_TEMP: folder } });
  expect(step.exitCode).toBe(1);
  expect(lambda.requests).toEqual([]);
  expect(step.outputs).toEqual({ outcome: 'not_invoked' });
  expect(step.annotations).toEqual([
    {
      level: 'error',
      title: 'Failed to Invoke Lambda Function',
      message: expect.stringMatching(/RUNNER_TEMP\): ENOENT: .*\nCheck that .* Nothing was invoked\.$/),
    },
  ]);
});

const fullDiskTest = smallDisk === undefined ? test.skip : test;

fullDiskTest(
  'an outcomes file on a full disk has whole lines, and the step reports the number of missing ones',
  async () => {
    const size = (id: number): number => (id < 4 ? 25_000 : 1);
    const step = await invokeStep(
      lambda,
      {
        function_name: 'echo',
        invocations: list(6, (id) => `- payload: {id: ${id}, text: ${'x'.repeat(size(id))}}`),
        max_concurrency: '1',
      },
      { env: { RUNNER_TEMP: smallDisk?.folder ?? '' } },
    );
    expect(step.exitCode).toBe(1);
    const file = step.outputs['outcomes_file'] ?? '';
    expect(step.annotations).toEqual([
      {
        level: 'error',
        title: 'Outcomes File Not Complete',
        message: expect.stringContaining(`2 outcomes are missing in ${file}: ENOSPC`),
      },
    ]);
    const kept = step.outcomeLines.map((line) => JSON.parse(line).response.id);
    expect(kept).toEqual([0, 1, 4, 5]);
    expect(readFileSync(file, 'utf8').endsWith('}\n')).toBe(true);
    expect(step.outputs).toMatchObject({ total: '6', succeeded: '6' });
    expect(JSON.parse(step.outputs['outcomes'] ?? '')).toHaveLength(6);
    expect(step.summary).toContain('6 invocations succeeded');
  },
);

(process.platform === 'linux' ? test : test.skip)('a log on a full disk loses nothing else', async () => {
  const { main, env, workspace, outputFile, summaryFile, dispose } = prepareStep({
    with: FAILING,
    env: jobEnvironment(lambda),
  });
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [main], { cwd: workspace, env, stdio: ['ignore', full, 'ignore'] });
  await once(child, 'exit');
  closeSync(full);
  expect(child.exitCode).toBe(1);
  expect(readOutputs(readFileSync(outputFile, 'utf8'))['outcome']).toBe('function_error');
  expect(readFileSync(summaryFile, 'utf8')).toMatch(/^### ❌ `.*` failed/);
  dispose();
});

/** Starts a step with a standard output that the test can read or ignore. */
function start(
  inputs: Readonly<Record<string, string>>,
  command = process.execPath,
  args: readonly string[] = [],
) {
  const prepared = prepareStep({ with: inputs, env: jobEnvironment(lambda) });
  const { main, env, workspace } = prepared;
  const child = spawn(command, [...args, main], { cwd: workspace, env, stdio: ['ignore', 'pipe', 'ignore'] });
  return { child, prepared };
}

async function ended({ child, prepared }: { child: ChildProcess; prepared: PreparedStep }) {
  await once(child, 'exit');
  const outputs = readOutputs(readFileSync(prepared.outputFile, 'utf8'));
  const results = readFileSync(outputs['outcomes_file'] ?? '', 'utf8')
    .split('\n')
    .slice(0, -1);
  const summary = readFileSync(prepared.summaryFile, 'utf8');
  prepared.dispose();
  return { exitCode: child.exitCode, signal: child.signalCode, outputs, results, summary };
}

describe('a log that is no longer read', () => {
  const invocations = list(40, (id) => `- payload: {id: ${id}}`);

  test.each([
    { what: 'of a step that succeeds', name: 'echo', exitCode: 0, failed: '0' },
    { what: 'of a step that fails', name: 'failing', exitCode: 1, failed: '40' },
  ])('$what does not affect other reports', async ({ name, exitCode, failed }) => {
    const step = start({ function_name: name, invocations });
    step.child.stdout?.destroy();
    const { summary, results, outputs, ...end } = await ended(step);
    expect(end).toEqual({ exitCode, signal: null });
    expect(outputs).toMatchObject({ total: '40', failed });
    expect(results).toHaveLength(40);
    expect(summary).toContain(failed === '0' ? '40 invocations succeeded' : '40 of 40 invocations failed');
  });

  test('from its first line on does not affect other reports', async () => {
    const step = start({ function_name: 'failing', invocations });
    step.child.stdout?.once('data', () => step.child.stdout?.destroy());
    const { summary, results, ...end } = await ended(step);
    expect(end).toMatchObject({ exitCode: 1, signal: null });
    expect(results).toHaveLength(40);
    expect(summary).toContain('40 of 40 invocations failed');
  });
});

test('three steps of a job have three headings in its summary', async () => {
  const headings: (string | undefined)[] = [];
  for (const id of ['__self', '__self_2', 'smoke-test']) {
    const step = await invokeStep(
      lambda,
      { function_name: 'echo', payload: '{}' },
      { env: { GITHUB_ACTION: id } },
    );
    headings.push(step.summary.split('\n')[0]);
  }
  expect(headings).toEqual([
    '### ✅ `echo` succeeded',
    '### ✅ `echo` succeeded (AWS Lambda Invoke, step 2)',
    '### ✅ `echo` succeeded (AWS Lambda Invoke, step `smoke-test`)',
  ]);
});

test('a call that lasts has a line every minute, and none after its end', async () => {
  // The function waits for a file that is made when the second line was written.
  const folder = mkdtempSync(path.join(tmpdir(), 'gate-'));
  const gate = path.join(folder, 'open');
  const seen: string[] = [];
  const step = await invokeStep(
    lambda,
    { function_name: 'gated', payload: JSON.stringify({ file: gate }) },
    {
      env: preload('short-minutes.mjs'),
      onStart: (child) => {
        child.stdout?.on('data', (chunk) => {
          seen.push(String(chunk));
          if (seen.join('').includes('(2 min so far)')) writeFileSync(gate, '');
        });
      },
    },
  );
  rmSync(folder, { recursive: true });
  expect(step.exitCode).toBe(0);
  const lines = step.stdout.split('\n');
  expect(lines.slice(1, 3)).toEqual([
    'Still waiting for gated (1 min so far)',
    'Still waiting for gated (2 min so far)',
  ]);
  const end = lines.findIndex((line) => line.startsWith('gated succeeded'));
  expect(end).toBeGreaterThan(2);
  expect(lines.slice(end).join('\n')).not.toContain('Still waiting');
});

describe('the end', () => {
  test.each([
    { what: 'a step that succeeds', inputs: { function_name: 'echo', payload: '{}' }, exitCode: 0 },
    { what: 'a step that fails', inputs: FAILING, exitCode: 1 },
    { what: 'a step with invalid inputs', inputs: { function_name: 'a b' }, exitCode: 1 },
  ])('of $what is reached although a connection stays open', async ({ inputs, exitCode }) => {
    let writtenAt = 0;
    const step = await invokeStep(lambda, inputs, {
      env: preload('keeps-open.mjs'),
      onStart: (child) => {
        child.stdout?.on('data', () => {
          writtenAt = Date.now();
        });
      },
    });
    expect(step.exitCode).toBe(exitCode);
    expect(step.signal).toBeNull();
    // 3 s, times five for a slow machine.
    expect(Date.now() - writtenAt).toBeLessThan(15_000);
  });

  (process.platform === 'win32' ? test.skip : test)(
    'waits until all of the log is taken',
    async () => {
      const inputs = { function_name: 'big', payload: '{"length":100000}', show_response: 'true' };
      // More than a pipe can buffer, unread for longer than the process should live.
      const script = 'node="$1"; "$node" "$2" | { sleep 6; cat; }; exit "${PIPESTATUS[0]}"';
      const step = start(inputs, 'bash', ['-c', script, 'bash', process.execPath]);
      const chunks: Buffer[] = [];
      step.child.stdout?.on('data', (chunk) => chunks.push(chunk));
      const { exitCode } = await ended(step);
      const log = Buffer.concat(chunks).toString('utf8');
      expect(exitCode).toBe(0);
      expect(log).toContain('x'.repeat(65_000));
      expect(log).toMatch(/… cut: the first 65,536 of 100,002 bytes\n::endgroup::\n$/);
    },
    60_000,
  );
});

test('a log of many throttled invocations has one line per second, with counts', async () => {
  lambda.setFault(() => throttle('ConcurrentInvocationLimitExceeded'));
  const step = await invokeStep(lambda, {
    function_name: 'echo',
    invocations: list(2_500, (id) => `- payload: {id: ${id}}`),
    max_concurrency: '100',
    retry_seconds: '1',
  });
  expect(step.exitCode).toBe(1);
  expect(step.outputs).toMatchObject({ total: '2500', failed: '2500' });
  expect(lambda.requests.length).toBeGreaterThan(2_500);
  const lines = step.lines.map(({ text }) => text);
  expect(lines.join('\n')).toContain('This log has 2,000 lines. From here on it has one line per second');
  const counts = lines.filter((line) => /\] Since the last line: /.test(line));
  expect(counts.length).toBeGreaterThan(0);
  expect(counts.join('\n')).toMatch(/\d+ not invoked/);
  expect(counts.at(-1)).toMatch(/^\[2500\/2500\] Since/);
  expect(lines.filter((line) => /^\[\d+\/2500\] echo|Retrying in|more times?\./.test(line))).toHaveLength(
    2_000,
  );
}, 120_000);

signalTest('a canceled step does not change the comment on the pull request', async () => {
  const repository = 'octo-org/octo-repo';
  const github = await startLocalGitHub({
    repositories: { [repository]: [{ number: 7, commits: [] }] },
    tokens: { job: { kind: 'installation', access: 'write' } },
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'event-'));
  const eventFile = path.join(folder, 'event.json');
  writeFileSync(eventFile, JSON.stringify({ number: 7, pull_request: { number: 7 } }));
  const run = (ms: number, signal: NodeJS.Signals | undefined) =>
    invokeStep(
      lambda,
      { function_name: 'one', payload: `{"id":${ms},"ms":${ms}}`, comment_on_pull_request: 'true' },
      {
        token: 'job',
        env: {
          GITHUB_EVENT_NAME: 'pull_request',
          GITHUB_EVENT_PATH: eventFile,
          GITHUB_API_URL: github.url,
          GITHUB_REPOSITORY: repository,
        },
        onStart: (child) => {
          if (signal === undefined) return;
          const poll = setInterval(() => {
            if (lambda.executions('one').length === 0) return;
            clearInterval(poll);
            child.kill(signal);
          }, 10);
          child.once('exit', () => clearInterval(poll));
        },
      },
    );
  try {
    const cancelled = await run(10_000, 'SIGTERM');
    expect(cancelled.outputs['outcome']).toBe('unknown');
    expect(github.requests).toEqual([]);
    expect(titles(cancelled)).toEqual(['Lambda Outcome Unknown']);
    // The same step comments if it is not canceled.
    await run(1, undefined);
    expect(github.comments(repository, 7)).toHaveLength(1);
  } finally {
    await github.close();
    rmSync(folder, { recursive: true });
  }
});
