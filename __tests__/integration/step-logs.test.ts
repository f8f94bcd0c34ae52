import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import type { InvocationResult } from '../../src/lambda/invocation.ts';
import { REAL_TIMING } from '../../src/lambda/timing.ts';
import { LogsClients } from '../../src/logs/client.ts';
import { Evaluator } from '../../src/outcome/evaluate.ts';
import { adviceFor } from '../../src/outcome/failure-advice.ts';
import { explainFunctionError } from '../../src/outcome/function-error-advice.ts';
import { SecretTexts } from '../../src/outcome/secret-texts.ts';
import { ReportGuard } from '../../src/report/guard.ts';
import { StepLogs } from '../../src/wiring/function-logs.ts';
import { anInvocation } from '../base.ts';
import { stdoutDuring } from '../unit/hostile/capture.ts';
import { responseOf, resultOf } from '../unit/outcome/factory.ts';
import { ECHO, useLambda } from './invoke-context.ts';

let lambda: LocalLambda;
let restore: () => void;
let folder: string;

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  restore = useLambda(lambda.url);
  process.env['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'] = lambda.url;
  folder = mkdtempSync(path.join(tmpdir(), 'step-logs-'));
});
afterAll(async () => {
  restore();
  rmSync(folder, { recursive: true });
  await lambda.close();
});

const LONG_AGO_MS = 60_000;

/** A failure of a minute ago, whose log is there. */
function failureOf(index: number): InvocationResult {
  const requestId = randomUUID();
  const sentAt = new Date(Date.now() - LONG_AGO_MS);
  const text = [
    `START RequestId: ${requestId} Version: $LATEST`,
    `failing ${index}`,
    `REPORT RequestId: ${requestId}\tDuration: 1.00 ms\t`,
  ];
  for (const [at, message] of text.entries()) {
    const event = { logGroup: '/aws/lambda/echo', logStream: `stream-${index}`, message: `${message}\n` };
    lambda.logs.write({ ...event, timestamp: sentAt.getTime() + at });
  }
  const response = responseOf('{"errorType":"Error","errorMessage":"no"}', {
    functionError: 'Unhandled',
    requestId,
  });
  return resultOf(response, {
    invocation: anInvocation({ index, functionName: 'echo', reference: { name: 'echo' } }),
    startedAt: sentAt,
    sent: [{ sentAt, sentAs: requestId, requestId, mayHaveRun: true }],
  });
}

test('of 22 failures of a list the logs of the first 20 are read, and the others are counted', async () => {
  const secrets = new SecretTexts();
  const clients = new Clients({});
  const cancel = new AbortController().signal;
  const requests = { timing: REAL_TIMING, cancel, apartMs: 0 };
  const failures = Array.from({ length: 22 }, (_, index) => failureOf(index));
  const expressions = { expect: [], mask: [] };
  const logs = new StepLogs({
    plan: { invocations: failures.map(({ invocation }) => invocation), expressions },
    logs: new LogsClients((region) => clients.settingsFor(region), requests),
    guard: new ReportGuard(),
    warn: () => {},
    ...{ clients, secrets, cancel, folder },
  });
  const rules = {
    failOnFunctionError: true,
    expressions,
    advise: adviceFor({ eventName: 'push', hasOidc: false }),
  };
  const evaluator = new Evaluator({
    rules,
    loadAdvice: async () => rules.advise,
    loadFunctionErrors: async () => explainFunctionError,
    secrets,
    register: () => {},
  });
  const shown = await stdoutDuring(async () => {
    for (const ended of failures)
      await logs.add({ ended, evaluated: await evaluator.evaluate(ended) }, undefined);
    await logs.readFailures();
  });
  clients.close();
  expect(shown.match(/^failing \d+$/gm)).toEqual(
    Array.from({ length: 20 }, (_, index) => `failing ${index}`),
  );
  expect(shown).toContain('… and 2 more failed. The links to their logs are in the outcomes file (log_url).');
  expect(readdirSync(folder)).toHaveLength(20);
  expect(readFileSync(path.join(folder, 'function-19.log'), 'utf8')).toContain('failing 19\n');
});
