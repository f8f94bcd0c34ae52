import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { readOutputs } from '../../packages/local-runner/output-file.ts';
import { prepareStep } from '../../packages/local-runner/run-step.ts';
import { HANDLERS, jobEnvironment } from './step.ts';

const DESCRIPTORS = 256;
const INVOCATIONS = 1_000;

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { one: { handler: `${HANDLERS}.one`, timeoutSeconds: 60, reservedConcurrency: 8 } },
  });
});
afterAll(() => lambda.close());

// Windows has no such limit.
const limitTest = process.platform === 'win32' ? test.skip : test;
// Resolving a name takes a file descriptor too. How it fails without one is known of Linux.
const hosts = process.platform === 'linux' ? ['127.0.0.1', 'localhost'] : ['127.0.0.1'];

limitTest.each(hosts)(
  `${INVOCATIONS} concurrent invocations of %s on a runner with ${DESCRIPTORS} file descriptors all run once`,
  async (host) => {
    lambda.reset();
    const { main, env, workspace, outputFile, dispose } = prepareStep({
      with: {
        function_name: 'one',
        invocations: Array.from({ length: INVOCATIONS }, (_, id) => `- payload: {id: ${id}}`).join('\n'),
        max_concurrency: String(INVOCATIONS),
      },
      env: jobEnvironment({ url: lambda.url.replace('127.0.0.1', host), region: lambda.region }),
    });
    const limited = `ulimit -n ${DESCRIPTORS} && exec "$0" "$1"`;
    const child = spawn('bash', ['-c', limited, process.execPath, main], {
      cwd: workspace,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [log] = await Promise.all([text(child.stdout), once(child, 'close')]);
    const outputs = readOutputs(readFileSync(outputFile, 'utf8'));
    const outcomes: readonly { outcome: string; attempts: number }[] = readFileSync(
      outputs['outcomes_file'] ?? '',
      'utf8',
    )
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    dispose();

    expect(log).toContain('one: not run (EMFILE');
    expect(child.exitCode).toBe(0);
    expect(outputs).toMatchObject({
      total: String(INVOCATIONS),
      succeeded: String(INVOCATIONS),
      failed: '0',
    });
    expect(outcomes).toHaveLength(INVOCATIONS);
    expect(lambda.executions('one')).toHaveLength(INVOCATIONS);
    // Without lower concurrency, the same number of attempts would fail repeatedly.
    const attempts = outcomes.reduce((sum, outcome) => sum + outcome.attempts, 0);
    expect(attempts - lambda.requests.length).toBeLessThan(1.5 * INVOCATIONS);
  },
  120_000,
);
