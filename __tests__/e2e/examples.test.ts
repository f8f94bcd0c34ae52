import { isAPIGatewayProxyEventV2, proxyEventToWebRequest } from '@aws-lambda-powertools/event-handler/http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exampleNames, FUNCTIONS, openStage, type Stage } from '../../examples/local/stage.ts';
import type { JobRun, JobStep } from '../../packages/local-runner/run-job.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
beforeEach(() => {
  stage.lambda.reset();
  for (const [name, definition] of Object.entries(FUNCTIONS)) stage.lambda.setFunction(name, definition);
});
afterAll(() => stage.close());

type ActionStep = Extract<JobStep, { kind: 'action' }>;

const tested: string[] = [];

/** A test of an example, named after it. */
function example(name: string, what: string, body: () => Promise<void>): void {
  tested.push(name);
  test(`${name}.yml: ${what}`, body, 60_000);
}

const stepsOf = (jobs: readonly JobRun[]): JobStep[] => jobs.flatMap(({ steps }) => steps);
const actionsOf = (jobs: readonly JobRun[]): ActionStep[] =>
  stepsOf(jobs).filter((step): step is ActionStep => step.kind === 'action');
const printed = (jobs: readonly JobRun[]): string =>
  stepsOf(jobs)
    .map((step) => (step.kind === 'script' ? step.text : ''))
    .join('');
const invocations = () => stage.lambda.requests.filter(({ operation }) => operation === 'Invoke');
const results = (jobs: readonly JobRun[]): string[] => jobs.map(({ result }) => result);
const events = (): unknown[] => stage.lambda.requests.map(({ body }) => JSON.parse(String(body)));
const responses = (jobs: readonly JobRun[]): unknown[] =>
  actionsOf(jobs).map(({ outputs }) => JSON.parse(outputs['response'] ?? ''));

/** Runs an example that must succeed. */
async function pass(name: string, changes: Parameters<Stage['run']>[1] = {}): Promise<readonly JobRun[]> {
  const jobs = await stage.run(name, changes);
  expect({ results: results(jobs), log: logOf(jobs) }).toEqual({
    results: jobs.map(() => 'success'),
    log: expect.anything(),
  });
  return jobs;
}
const logOf = (jobs: readonly JobRun[]): string =>
  actionsOf(jobs)
    .map(({ run }) => run.stdout)
    .join('\n');

describe('the sections of the argument reference', () => {
  example('basic', 'Basic Usage: the response is an output for the next step', async () => {
    const jobs = await pass('basic');
    expect(printed(jobs)).toBe('The function responded with {"key1":"value1","key2":"value2"}\n');
    expect(stage.lambda.executions('my-function')).toHaveLength(1);
  });

  example('function-version', 'Invoke with Function Version: the version and the alias run', async () => {
    const jobs = await pass('function-version');
    expect(actionsOf(jobs).map(({ outputs }) => outputs['executed_version'])).toEqual(['1', '2']);
    expect(printed(jobs)).toBe('PROD is version 2\n');
  });

  example('asynchronous', 'Asynchronous Invocation: Lambda accepts the event and runs it', async () => {
    const jobs = await pass('asynchronous');
    await stage.lambda.idle();
    expect(actionsOf(jobs).map(({ outputs }) => outputs['status_code'])).toEqual(['202']);
    expect(events()).toEqual([{ release: 'Version 1.5 "Autumn"' }]);
    expect(stage.lambda.executions('send-newsletter')).toHaveLength(1);
  });

  example('wait-for-event', 'the step waits until the event is handled, as the log shows', async () => {
    const jobs = await pass('wait-for-event');
    expect(actionsOf(jobs)[0]?.outputs).toMatchObject({ outcome: 'succeeded', status_code: '202' });
    expect(stage.lambda.executions('rebuild-index')).toHaveLength(1);
    expect(printed(jobs)).toMatch(/^Rebuilt in [\d.]+ ms\n$/);
  });

  example('dry-run', 'Dry Run Validation: the permission is checked and nothing runs', async () => {
    const jobs = await pass('dry-run');
    expect(actionsOf(jobs).map(({ outputs }) => outputs['status_code'])).toEqual(['204']);
    expect(stage.lambda.requests).toHaveLength(1);
    expect(stage.lambda.executions()).toHaveLength(0);
  });

  example('log-capture', 'With Log Capture: the log and its figures are outputs', async () => {
    const jobs = await pass('log-capture');
    expect(actionsOf(jobs)[0]?.outputs['log_result']).toContain('Greeting world');
    expect(printed(jobs)).toMatch(/^[\d.]+ ms, \d+ MB\n$/);
  });

  example(
    'mobile-application-context',
    'Mobile Application Context: the function sees the client',
    async () => {
      const jobs = await pass('mobile-application-context');
      expect(responses(jobs)).toEqual([
        { screen: 'home', client: { client_id: 'AppClientId', app_version: '1.2.3' } },
      ]);
    },
  );

  example('ci-cd-pipeline', 'CI/CD Pipeline Integration: the version just published is warmed', async () => {
    const jobs = await pass('ci-cd-pipeline');
    expect(jobs.map(({ id }) => id)).toEqual(['deploy', 'warm-up']);
    expect(actionsOf(jobs).map(({ outputs }) => outputs['executed_version'])).toEqual(['2']);
    expect(events()).toEqual([{ action: 'warmup' }]);
    expect(printed(jobs)).toBe('The alias live is at version 2.\n');
  });

  test.each([
    { environment: 'production', batch: 100, timeout: 900, deadline: '960' },
    { environment: 'staging', batch: 10, timeout: 60, deadline: '120' },
  ])('environment-specific.yml: Environment-Specific Processing: $environment decides', async (expected) => {
    const { environment, batch, timeout, deadline } = expected;
    const jobs = await pass('environment-specific', { contexts: { inputs: { environment } } });
    expect(events()).toEqual([{ environment, batch_size: batch, timeout }]);
    expect(actionsOf(jobs)[0]?.inputs['timeout_seconds']).toBe(deadline);
  });
  tested.push('environment-specific');

  example(
    'complex-payload',
    'Complex Payload with Dynamic Content: values of the workflow arrive',
    async () => {
      await pass('complex-payload');
      expect(events()).toEqual([
        {
          repository: 'octo-org/octo-repo',
          pull_request: {
            number: 7,
            title: 'Say "hello" to {everybody}',
            branch: 'hello/everybody',
            labels: ['feature', 'needs preview'],
          },
          commit: expect.stringMatching(/^[0-9a-f]{40}$/),
          requested_by: 'octocat',
          options: { ttl_hours: 24, seed: true },
        },
      ]);
    },
  );

  test('complex-payload.yml: a hostile branch name is only a branch name', async () => {
    const branch = 'x","admin":true,"y":"${{ github.token }}\n::error::';
    await pass('complex-payload', { github: { head_ref: branch } });
    const [event] = events();
    expect(event).toMatchObject({ pull_request: { number: 7, branch }, options: { seed: true } });
    expect(JSON.stringify(event)).not.toContain('"admin":true');
  });
});

describe.each(['complex-payload', 'permission-check'])('%s.yml on a pull request from a fork', (name) => {
  test('is skipped, because there is no OIDC token', async () => {
    const fork = { head: { repo: { full_name: 'stranger/octo-repo' } } };
    const jobs = await stage.run(name, {
      event: { name: 'pull_request', payload: { number: 7, pull_request: fork } },
    });
    expect(results(jobs)).toEqual(['skipped']);
    expect(stage.lambda.requests).toHaveLength(0);
  });
});

describe('jobs to be done', () => {
  example('warm-up', 'five environments of each function are started', async () => {
    const jobs = await pass('warm-up');
    expect(actionsOf(jobs)[0]?.outputs).toMatchObject({ total: '15', succeeded: '15' });
    const environments = ['checkout', 'search', 'recommend'].map(
      (name) => new Set(stage.lambda.executions(name).map(({ environmentId }) => environmentId)).size,
    );
    expect(environments).toEqual([5, 5, 5]);
  });

  test('warm-up.yml: a failed deployment is not warmed up', async () => {
    const jobs = await stage.run('warm-up', {
      event: { name: 'deployment_status', payload: { deployment_status: { state: 'failure' } } },
    });
    expect(results(jobs)).toEqual(['skipped']);
    expect(stage.lambda.requests).toHaveLength(0);
  });

  example('smoke-test', 'a healthy version stays', async () => {
    const jobs = await pass('smoke-test');
    expect(actionsOf(jobs).map(({ outputs }) => outputs['executed_version'])).toEqual(['2']);
    expect(printed(jobs)).toBe('');
  });

  test('smoke-test.yml: a framework for HTTP APIs accepts the event', async () => {
    await pass('smoke-test');
    const [event] = events();
    if (!isAPIGatewayProxyEventV2(event)) throw new Error('this is not an event of an HTTP API');
    const { method, url } = proxyEventToWebRequest(event);
    expect({ method, url }).toEqual({ method: 'GET', url: 'https://api.example.com/health' });
  });

  test('smoke-test.yml: an unhealthy version fails the job, and the alias is moved back', async () => {
    const healthy = FUNCTIONS['my-api'];
    if (healthy === undefined) throw new Error('there is no my-api');
    stage.lambda.setFunction('my-api', { ...healthy, handler: healthy.handler.replace(/api$/, 'brokenApi') });
    const jobs = await stage.run('smoke-test');
    expect(results(jobs)).toEqual(['failure']);
    const [step] = actionsOf(jobs);
    expect(step?.outputs['outcome']).toBe('expectation_failed');
    expect(step?.run.annotations.map(({ title }) => title)).toEqual(['Expectation Not Met']);
    expect(printed(jobs)).toBe('The alias live is at version 1.\n');
  });

  example('api-smoke-test', 'a request and an expectation are the smoke test of an API', async () => {
    const jobs = await pass('api-smoke-test');
    expect(responses(jobs)).toEqual([expect.objectContaining({ statusCode: 200, body: '{"ok":true}' })]);
    expect(stage.lambda.executions('orders-api')).toHaveLength(1);
  });

  example('api-smoke-test-formats', 'the three formats have the same test', async () => {
    const jobs = await pass('api-smoke-test-formats');
    expect(actionsOf(jobs)[0]?.outputs).toMatchObject({ total: '3', succeeded: '3' });
    expect(events()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ version: '2.0', rawPath: '/health' }),
        expect.objectContaining({ resource: '/{proxy+}', path: '/health' }),
        expect.objectContaining({ requestContext: { elb: expect.anything() }, path: '/health' }),
      ]),
    );
  });

  test('api-smoke-test-formats.yml: a status of 503 turns the job red, and is shown with its body', async () => {
    const legacy = FUNCTIONS['legacy-api'];
    if (legacy === undefined) throw new Error('there is no legacy-api');
    stage.lambda.setFunction('legacy-api', {
      ...legacy,
      handler: legacy.handler.replace(/server$/, 'broken'),
    });
    const jobs = await stage.run('api-smoke-test-formats');
    expect(results(jobs)).toEqual(['failure']);
    const [step] = actionsOf(jobs);
    expect(step?.outputs).toMatchObject({ total: '3', succeeded: '2', failed: '1' });
    expect(step?.run.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/Expected http\.body\.ok == `true`[\s\S]*no database/),
    ]);
  });

  example('database-migration', 'it runs once, and its log is shown and kept', async () => {
    const jobs = await pass('database-migration');
    expect(stage.lambda.executions('migrate')).toHaveLength(1);
    expect(logOf(jobs).match(/applying 0042_index_orders/g)).toHaveLength(1);
    expect(printed(jobs)).toMatch(
      /^The schema is at \{"applied":.*\n.*applying 0041_add_orders\n.*applying 0042/,
    );
  });

  test('database-migration.yml: a dropped connection causes no second migration', async () => {
    stage.lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
    const jobs = await stage.run('database-migration', { github: { run_id: '6' } });
    expect(results(jobs)).toEqual(['failure']);
    expect(actionsOf(jobs)[0]?.outputs['outcome']).toBe('unknown');
    expect(stage.lambda.executions('migrate')).toHaveLength(1);
    expect(invocations()).toHaveLength(1);
  });

  test('database-migration.yml: a re-run job runs no second migration', async () => {
    stage.lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
    await stage.run('database-migration', { github: { run_id: '7', run_attempt: '1' } });
    stage.lambda.setFault(() => undefined);
    const jobs = await stage.run('database-migration', { github: { run_id: '7', run_attempt: '2' } });
    expect(results(jobs)).toEqual(['failure']);
    expect(actionsOf(jobs)[0]?.run.annotations[0]?.message).toContain('An earlier run sent this invocation');
    expect(invocations()).toHaveLength(1);
  });

  example('ordered-seed', 'it stops at the first failure, and a re-run continues from there', async () => {
    stage.lambda.setFault(({ body }) =>
      String(body).includes('currencies')
        ? {
            kind: 'error',
            when: 'before',
            status: 413,
            type: 'RequestTooLargeException',
            message: 'too large',
          }
        : undefined,
    );
    const first = await stage.run('ordered-seed', { github: { run_id: '8', run_attempt: '1' } });
    expect(results(first)).toEqual(['failure']);
    stage.lambda.setFault(() => undefined);
    const second = await pass('ordered-seed', { github: { run_id: '8', run_attempt: '2' } });
    expect(actionsOf(second)[0]?.outputs).toMatchObject({ succeeded: '3', resumed: '1' });
    expect(stage.lambda.executions('seed')).toHaveLength(3);
    expect(events().map((event) => Object(event).table)).toEqual([
      'countries',
      'currencies',
      'currencies',
      'prices',
    ]);
  });

  example('wait-until-ready', 'the new code responds, although the update takes a while', async () => {
    const jobs = await pass('wait-until-ready');
    expect(actionsOf(jobs)[0]?.run.lines.map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        'health is Active, but an update is in progress: the old code still responds',
        'health is ready',
      ]),
    );
    expect(stage.lambda.executions('health')).toHaveLength(1);
  });

  example('durable-execution', 'the execution is followed to its end, and joined by its name', async () => {
    const jobs = await pass('durable-execution');
    expect(printed(jobs)).toBe('Rolled out {"release":"v1.5.0","share":1}\n');
    expect(actionsOf(jobs)[0]?.run.lines.map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        'roll-out:live: step canary succeeded',
        'roll-out:live: wait watch the alarms started (1 s)',
        'roll-out:live: step all succeeded',
      ]),
    );
    const again = await pass('durable-execution');
    expect(printed(again)).toBe(printed(jobs));
    expect(stage.lambda.durableExecutions('roll-out').map(({ name }) => name)).toEqual(['release-42']);
  });

  example('provisioned-concurrency', 'the version that the alias moves to runs, after the wait', async () => {
    const jobs = await pass('provisioned-concurrency');
    expect(actionsOf(jobs)[0]?.run.lines.map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        'Provisioned concurrency of price-list:live: 2 of 5 available',
        'Provisioned concurrency of price-list:live: 5 of 5 available',
        'price-list:live routes all invocations to version 2',
      ]),
    );
    expect(stage.lambda.executions('price-list').map(({ version }) => version)).toEqual(['2']);
  });

  example('test-event', 'the function gets its test event', async () => {
    const jobs = await pass('test-event');
    expect(responses(jobs)).toEqual([{ order: 17, accepted: true }]);
  });

  example('stop-on-cancel', 'the execution is followed to its end where nobody cancels', async () => {
    const jobs = await pass('stop-on-cancel');
    expect(responses(jobs)).toEqual([{ release: 'v1.5.0', share: 1 }]);
    expect(actionsOf(jobs)[0]?.run.annotations).toEqual([]);
  });

  example('streamed-response', 'a response of over 6 MB is in its file', async () => {
    const jobs = await pass('streamed-response');
    expect(printed(jobs).trim()).toBe('200000');
    expect(actionsOf(jobs)[0]?.outputs['response_file']).toMatch(/[/\\]export[/\\]orders\.csv$/);
  });

  example('many-functions', 'all of them are invoked, each with its event', async () => {
    const jobs = await pass('many-functions');
    expect(actionsOf(jobs)[0]?.outputs).toMatchObject({ total: '3', succeeded: '3' });
    expect(stage.lambda.executions('search').map(({ version }) => version)).toEqual(['1']);
    expect(events()).toContainEqual({ action: 'smoke-test', customer: 7 });
  });

  test('many-functions.yml: a failing function does not stop others, and is shown', async () => {
    stage.lambda.setFunction('checkout', { handler: FUNCTIONS['greeting']?.handler ?? '' });
    const jobs = await stage.run('many-functions');
    expect(results(jobs)).toEqual(['failure']);
    expect(actionsOf(jobs)[0]?.outputs).toMatchObject({ total: '3', succeeded: '2', failed: '1' });
    const [failed = '', ...others] = printed(jobs).trim().split('\n');
    expect(JSON.parse(failed)).toMatchObject({ function_name: 'checkout', outcome: 'expectation_failed' });
    expect(others).toEqual([]);
  });

  example(
    'matrix-with-shard',
    'four jobs share the list, and the last one joins their outcomes',
    async () => {
      const jobs = await pass('matrix-with-shard');
      expect(jobs.map(({ id }) => id)).toEqual(['invoke', 'invoke', 'invoke', 'invoke', 'join']);
      const months = ['01', '02', '03', '04', '05', '06', '07'].map((month) => ({ month: `2026-${month}` }));
      expect(events().toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))).toEqual(months);
      expect(printed(jobs).trim()).toBe('7 invocations');
    },
  );

  test('matrix-with-shard.yml: a failing shard does not stop others, and the last job reports it', async () => {
    stage.lambda.setFault(({ body }) =>
      String(body).includes('2026-03') ? { kind: 'reset', when: 'after' } : undefined,
    );
    const jobs = await stage.run('matrix-with-shard');
    expect(results(jobs)).toEqual(['success', 'success', 'failure', 'success', 'failure']);
    expect(printed(jobs)).toContain('"outcome":"unknown"');
  });

  example('backfill', 'each job of the matrix has a journal, and a re-run sends what is left', async () => {
    const key = (event: unknown): number => Number(Object(event).order);
    stage.lambda.setFault(({ body }) =>
      ['{"order":3}', '{"order":6}'].includes(String(body))
        ? {
            kind: 'error',
            when: 'before',
            status: 413,
            type: 'RequestTooLargeException',
            message: 'too large',
          }
        : undefined,
    );
    const first = await stage.run('backfill', { github: { run_id: '9', run_attempt: '1' } });
    expect(results(first)).toEqual(['success', 'success', 'failure', 'failure']);
    expect(actionsOf(first).map(({ outputs }) => outputs['total'])).toEqual(['3', '2', '2', '2']);
    stage.lambda.setFault(() => undefined);
    const second = await pass('backfill', { github: { run_id: '9', run_attempt: '2' } });
    expect(actionsOf(second).map(({ outputs }) => outputs['resumed'])).toEqual(['3', '2', '1', '1']);
    expect(events().map(key).sort()).toEqual([0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8]);
    expect(stage.lambda.executions('backfill')).toHaveLength(9);
  });

  example('many-tenants', 'each of fifty is called by its name', async () => {
    const jobs = await pass('many-tenants');
    expect(actionsOf(jobs)[0]?.outputs).toMatchObject({ total: '50', succeeded: '50' });
    expect(logOf(jobs)).toContain('Tenant 49 (report, entry 50) succeeded');
    expect(stage.lambda.executions('report')).toHaveLength(50);
  });

  example('permission-check', 'the functions of the list are checked, none runs, one comment', async () => {
    const jobs = await pass('permission-check');
    expect(actionsOf(jobs)[0]?.outputs).toMatchObject({ total: '3', succeeded: '3' });
    expect(stage.lambda.requests).toHaveLength(3);
    expect(stage.lambda.executions()).toHaveLength(0);
    expect(stage.comments()).toEqual([expect.stringContaining('All 3 functions can be invoked.')]);
  });

  example('result-in-a-later-job', 'a value goes to a step and to another job', async () => {
    const jobs = await pass('result-in-a-later-job');
    await stage.lambda.idle();
    expect(printed(jobs)).toBe('The next version is 1.5.0\n');
    expect(events()).toEqual([{ product: 'shop' }, { version: '1.5.0' }]);
    expect(stage.lambda.executions('send-newsletter')).toHaveLength(1);
  });

  example('local-endpoint', 'the endpoint of the container is used', async () => {
    // The function is found only by the port of the container.
    const jobs = await pass('local-endpoint', { env: {} });
    expect(responses(jobs)).toEqual([{ message: 'Hello, LocalStack!' }]);
    expect(stage.lambda.executions('greeting')).toHaveLength(1);
  });

  example('behind-a-proxy', 'the request goes through the proxy', async () => {
    const jobs = await pass('behind-a-proxy');
    expect(responses(jobs)).toEqual([{ key1: 'value1' }]);
    expect(stage.proxied()).toEqual([expect.stringMatching(/^CONNECT 127\.0\.0\.1:\d+$/)]);
  });
});

test('every example has a test', () => {
  expect(tested.toSorted()).toEqual(exampleNames());
});
