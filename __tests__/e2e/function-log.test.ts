import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type LambdaRequest,
  type LocalLambda,
  startLocalLambda,
  throttle,
} from '../../packages/local-lambda/server.ts';
import { runStep, type StepRun } from '../../packages/local-runner/run-step.ts';
import { signalTest } from '../signals.ts';
import { jobEnvironment } from './step.ts';

const LINES = path.join(import.meta.dirname, 'handlers', 'logged.mjs.lines');

let lambda: LocalLambda;
let gates: string;
let denied: (request: LambdaRequest) => boolean;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      migrate: { handler: LINES, timeoutSeconds: 120 },
      shared: { handler: LINES, logGroup: '/apps/all', logFormat: 'JSON' },
    },
    deny: (request) => (denied(request) ? { kind: 'no-identity-policy' } : undefined),
  });
});
beforeEach(() => {
  lambda.reset();
  denied = () => false;
  gates = mkdtempSync(path.join(tmpdir(), 'gates-'));
});
afterEach(() => rmSync(gates, { recursive: true }));
afterAll(() => lambda.close());

type FollowedStep = StepRun & Readonly<{ logFile: string; files: readonly string[] }>;

/** Runs a step that follows the log, and reads the file of the log before the job's folder is removed. */
async function followStep(
  inputs: Readonly<Record<string, string>>,
  onStart: (child: ChildProcess) => void = () => {},
): Promise<FollowedStep> {
  const step = await runStep({
    with: { function_name: 'migrate', follow_log: 'true', ...inputs },
    env: { ...jobEnvironment(lambda), AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: lambda.url },
    onStart,
  });
  const file = step.outputs['log_file'] ?? '';
  const folder = path.dirname(step.outputs['outcomes_file'] ?? '');
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('function')) : [];
  const logFile = file === '' ? '' : readFileSync(file, 'utf8');
  step.dispose();
  return { ...step, logFile, files };
}

/** Opens the gate after every line that the step shows. */
const openGates = (child: ChildProcess): void => {
  let shown = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    for (const [, line = ''] of shown.matchAll(/step (\d+) of/g)) writeFileSync(path.join(gates, line), '');
  });
};

const payload = (event: Readonly<Record<string, unknown>>): string => JSON.stringify(event);
const texts = (step: StepRun): string[] => step.lines.map(({ text }) => text);
const numbersIn = (text: string): number[] =>
  [...text.matchAll(/step (\d+) of/g)].map(([, line]) => Number(line));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);
const logRequests = (): (string | undefined)[] =>
  lambda.requests.map(({ operation }) => operation).filter((name) => name?.endsWith('LogEvents'));

test('the log of a function is shown line by line while it runs, up to REPORT', async () => {
  // The function continues only after the step has shown its output.
  const step = await followStep({ payload: payload({ count: 20, gates }) }, openGates);
  expect(step.exitCode).toBe(0);
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(numbersIn(step.stdout)).toEqual(upTo(20));
  const lines = texts(step);
  const at = (pattern: RegExp): number => lines.findIndex((text) => pattern.test(text));
  expect(at(/^START RequestId: /)).toBeLessThan(at(/step 1 of 20/));
  expect(at(/step 20 of 20/)).toBeLessThan(at(/^REPORT RequestId: /));
  expect(at(/^REPORT RequestId: /)).toBeLessThan(at(/ succeeded \(status: 200/));
  expect(step.logFile).toMatch(/^START RequestId: .*\n[\s\S]*\nREPORT RequestId: .*\n$/);
  expect(numbersIn(step.logFile)).toEqual(upTo(20));
  expect(step.outputs['duration_ms']).not.toBe('');
  expect(step.annotations).toEqual([]);
}, 90_000);

test('with log_type: Tail, no part of the log is shown twice', async () => {
  const step = await followStep({ payload: payload({ count: 3 }), log_type: 'Tail' });
  expect(numbersIn(step.stdout)).toEqual(upTo(3));
  expect(numbersIn(step.outputs['log_result'] ?? '')).toEqual(upTo(3));
});

test('with a mask, nothing is shown before the end, and then no secret', async () => {
  const secret = 'hunter2-hunter2';
  const step = await followStep({
    payload: payload({ count: 2, secret }),
    mask: 'response.secret',
    show_response: 'true',
  });
  expect(step.exitCode).toBe(0);
  const shown = step.stdout.replaceAll(/^::add-mask::.*$/gm, '');
  expect(shown).not.toContain(secret);
  expect(shown).toContain('the password is ***');
  expect(numbersIn(shown)).toEqual(upTo(2));
  expect(step.logFile).toContain('the password is ***');
  expect(step.logFile).not.toContain(secret);
});

test('a failed function is shown with its log and error, without a hint on how to see the log', async () => {
  const step = await followStep({ payload: payload({ count: 2, fails: true }) });
  expect(step.exitCode).toBe(1);
  expect(step.outputs['outcome']).toBe('function_error');
  expect(numbersIn(step.logFile)).toEqual(upTo(2));
  expect(step.annotations.map(({ message }) => message).join()).not.toContain('log_type');
});

test('a JSON log in a custom log group is found through the configuration', async () => {
  const step = await followStep({ function_name: 'shared', payload: payload({ count: 2 }) });
  expect(step.exitCode).toBe(0);
  expect(texts(step).join('\n')).toContain('in log group /apps/all');
  expect(step.outputs['log_url']).toContain('apps$252Fall');
  expect(numbersIn(step.logFile)).toEqual(upTo(2));
});

test('if Lambda uses its own request ID, the log is read with that ID after the response', async () => {
  lambda.setRequestIds(() => 'ignore');
  const step = await followStep({ payload: payload({ count: 4 }) });
  expect(step.exitCode).toBe(0);
  expect(numbersIn(step.stdout)).toEqual(upTo(4));
  expect(step.logFile).toContain(`START RequestId: ${step.outputs['request_id']} `);
});

test('of an invocation that is retried the log of the last attempt is read, and its group is asked for once', async () => {
  lambda.setFault((request, n) =>
    request.operation === 'Invoke' && n < 3 ? throttle('ConcurrentInvocationLimitExceeded') : undefined,
  );
  const step = await followStep({ payload: payload({ count: 2 }) });
  expect(step.exitCode).toBe(0);
  expect(Number(step.outputs['attempts'])).toBeGreaterThan(1);
  expect(numbersIn(step.stdout)).toEqual(upTo(2));
  expect(step.logFile).toContain(`START RequestId: ${step.outputs['request_id']} `);
  expect(texts(step).filter((text) => text.startsWith('Reading the log of'))).toHaveLength(1);
  const asked = lambda.requests.filter(({ operation }) => operation === 'GetFunctionConfiguration');
  expect(asked).toHaveLength(1);
});

describe('a log that cannot be read', () => {
  test('gives one warning with the missing statements and does not change the outcome', async () => {
    denied = ({ operation }) => operation !== 'Invoke';
    const step = await followStep({ payload: payload({ count: 3 }) });
    expect(step.exitCode).toBe(0);
    expect(step.outputs).toMatchObject({ outcome: 'succeeded', log_file: '' });
    expect(step.annotations.map(({ level }) => level)).toEqual(['warning']);
    const { message = '' } = step.annotations[0] ?? {};
    const statements = message.split('\n').filter((line) => line.startsWith('{'));
    const group = `arn:aws:logs:${lambda.region}:123456789012:log-group:/aws/lambda/migrate`;
    const arn = `arn:aws:lambda:${lambda.region}:123456789012:function:migrate`;
    expect(statements.map((text) => JSON.parse(text))).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:FilterLogEvents', 'logs:GetLogEvents'],
        Resource: [group, `${group}:*`],
      },
      { Effect: 'Allow', Action: ['lambda:GetFunctionConfiguration'], Resource: [arn, `${arn}:*`] },
    ]);
    expect(texts(step).join('\n')).toContain('which is assumed');
    // Only the log tail from the response is available.
    expect(numbersIn(step.stdout)).toEqual(upTo(3));
  });

  test('after some line is completed with the log tail from the response', async () => {
    let reads = 0;
    denied = ({ operation }) => {
      reads += Number(operation === 'GetLogEvents');
      return operation === 'GetLogEvents' && reads > 1;
    };
    const onStart = (child: ChildProcess): void => {
      child.stdout?.on('data', (chunk: Buffer) => {
        if (!chunk.toString().includes('START RequestId')) return;
        for (const line of upTo(12)) writeFileSync(path.join(gates, String(line)), '');
      });
    };
    const step = await followStep({ payload: payload({ count: 12, gates }) }, onStart);
    expect(step.exitCode).toBe(0);
    expect(numbersIn(step.stdout)).toEqual(upTo(12));
    expect(texts(step)).toContain('Rest of the function log, from the log tail');
  }, 60_000);
});

test('the logs of failed entries in a list are shown, one file each', async () => {
  const entries = [1, 2, 3, 4].map((count) => ({ payload: { count, fails: count % 2 === 0 } }));
  const step = await followStep({ invocations: JSON.stringify(entries) });
  expect(step.exitCode).toBe(1);
  expect(step.outputs['log_file']).toBeUndefined();
  expect(step.files.toSorted()).toEqual(['function-1.log', 'function-3.log']);
  expect(numbersIn(step.stdout).toSorted()).toEqual([...upTo(2), ...upTo(4)].toSorted());
  expect(texts(step)).toEqual(
    expect.arrayContaining(['migrate (entry 2): Function log', 'migrate (entry 4): Function log']),
  );
}, 60_000);

signalTest(
  'what was read before the workflow is cancelled is there',
  async () => {
    const step = await followStep({ payload: payload({ count: 10, gates }) }, (child) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('step 5 of')) child.kill('SIGINT');
      });
    });
    expect(step.outputs['outcome']).toBe('unknown');
    expect(numbersIn(step.logFile)).toEqual(upTo(5));
    expect(texts(step).join('\n')).toContain('The workflow was cancelled');
  },
  60_000,
);

test('without follow_log, no log is read', async () => {
  await followStep({ payload: payload({ count: 1 }), follow_log: 'false' });
  expect(logRequests()).toEqual([]);
  expect(lambda.requests.map(({ operation }) => operation)).toEqual(['Invoke']);
});
