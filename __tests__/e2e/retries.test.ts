import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Fault,
  type LocalLambda,
  startLocalLambda,
  throttle,
} from '../../packages/local-lambda/server.ts';
import { signalTest } from '../signals.ts';
import { ECHO, HANDLERS, invokeStep, unusedUrl } from './step.ts';

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO },
      migrate: { handler: `${HANDLERS}.slow`, timeoutSeconds: 60 },
      'no-tail': { handler: ECHO, tailLogsUnsupported: true },
      'log-elsewhere': {
        handler: ECHO,
        logDestination: { logGroup: '/app/logs', logStreamName: '::error::x' },
      },
    },
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const PAYLOAD = '{"key":"value"}';
const texts = (step: { lines: readonly { text: string }[] }): string[] => step.lines.map(({ text }) => text);

describe('a connection lost after the function ran', () => {
  const lost = (_: unknown, n: number): Fault | undefined =>
    n === 0 ? { kind: 'reset', when: 'after' } : undefined;

  test('is unknown, fails the step, and says what to check', async () => {
    lambda.setFault(lost);
    const step = await invokeStep(lambda, { function_name: 'echo', payload: PAYLOAD });
    expect(lambda.executions('echo')).toHaveLength(1);
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('unknown');
    expect(step.outputs['attempts']).toBe('1');
    const [annotation, ...others] = step.annotations;
    expect(others).toEqual([]);
    expect(annotation?.title).toBe('Lambda Outcome Unknown');
    const id = lambda.requests[0]?.headers['x-amzn-requestid'];
    expect(step.outputs['request_id']).toBe(id);
    expect(step.outputs['log_url']).toContain(id);
    const [what, advice, byTime, idempotent] = annotation?.message.split('\n') ?? [];
    expect(what).toMatch(
      /^echo: ECONNRESET: The connection was reset after the request was sent\. The request was sent at \d{4}-\S*Z with request ID [0-9a-f-]{36}\. It is not known whether the function ran\.$/,
    );
    expect(what).toContain(`with request ID ${id}. `);
    expect(advice).toBe(`Check the function's log before you retry: ${step.outputs['log_url']}`);
    expect(byTime).toMatch(
      /^If that page is empty, check the log of that time: https:\/\/us-east-1\.console\.aws\.amazon\.com\/.*log-events\$3Fstart\$3D\d+\$26end\$3D\d+$/,
    );
    expect(idempotent).toContain('retry: idempotent');
    expect(step.summary).toMatch(/^### ❓ `echo` may have run\n\n> \*\*`ECONNRESET: /);
  });

  test('is retried with retry: idempotent, and the second response counts', async () => {
    lambda.setFault(lost);
    const step = await invokeStep(lambda, { function_name: 'echo', payload: PAYLOAD, retry: 'idempotent' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['outcome']).toBe('succeeded');
    expect(step.outputs['attempts']).toBe('2');
    expect(step.outputs['response']).toBe(PAYLOAD);
    expect(lambda.executions('echo')).toHaveLength(2);
    expect(step.annotations).toEqual([]);
    expect(texts(step)[1]).toMatch(
      /^echo: may have run \(ECONNRESET\)\. Retrying in 0\.\d s \((180\.0|179\.\d) s left\)\.$/,
    );
  });
});

test('throttling is waited out, with one line for the first wait and one for later equal ones', async () => {
  lambda.setFault((_, n) =>
    n < 4 ? throttle('ReservedFunctionConcurrentInvocationLimitExceeded') : undefined,
  );
  const step = await invokeStep(lambda, { function_name: 'echo', payload: PAYLOAD });
  expect(step.exitCode).toBe(0);
  expect(step.outputs['attempts']).toBe('5');
  expect(lambda.executions('echo')).toHaveLength(1);
  const what = 'echo: not run (throttled, ReservedFunctionConcurrentInvocationLimitExceeded)';
  const waits = texts(step).filter((line) => line.startsWith(what));
  expect(waits).toEqual([
    expect.stringMatching(/\)\. Retrying in 0\.\d s \(180\.0 s left\)\.$/),
    `${what}, 3 more times.`,
  ]);
});

test('a host that refuses connections ends the retries in time, and nothing is reported as sent', async () => {
  const step = await invokeStep(
    { ...lambda, url: await unusedUrl() },
    { function_name: 'echo', payload: PAYLOAD, retry_seconds: '1' },
  );
  expect(step.exitCode).toBe(1);
  expect(step.outputs['outcome']).toBe('not_invoked');
  expect(step.annotations[0]?.message).toMatch(
    /^echo: ECONNREFUSED: connect ECONNREFUSED \S+ \(tried \d+ times in (?:less than )?1 s; gave up: retry_seconds is exhausted\)\. The function did not run\./,
  );
  expect(texts(step)).toContainEqual(
    expect.stringMatching(/^echo: not run \(ECONNREFUSED\)\. Retrying in 0\.\d s/),
  );
});

/** Options for Node.js that change the clock by an expression for milliseconds. */
function withClock(milliseconds: string): Readonly<Record<string, string>> {
  const skew = `const now = Date.now; globalThis.Date = class extends Date {
    constructor(...given) { given.length === 0 ? super(Date.now()) : super(...given); }
    static now() { return now() + (${milliseconds}); }
  };`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(skew)}` };
}

test.each([-7_200_000, 25_200_000])(
  'a clock that is set by %d ms while the function runs changes no time',
  async (change) => {
    const step = await invokeStep(
      lambda,
      { function_name: 'migrate', payload: '{"ms":1500}' },
      { env: withClock(`process.uptime() > 1 ? ${change} : 0`) },
    );
    expect(step.outputs['outcome']).toBe('succeeded');
    const { elapsed_ms: elapsed } = JSON.parse(step.outcomeLines[0] ?? '{}');
    expect(elapsed).toBeGreaterThanOrEqual(1_500);
    expect(elapsed).toBeLessThan(60_000);
    expect(Number.isInteger(elapsed)).toBe(true);
  },
);

test.each([
  ['behind', -7_200],
  ['ahead', 7_200],
])('a clock that is two hours %s costs one rejected request and gives a warning', async (what, seconds) => {
  const step = await invokeStep(
    lambda,
    { function_name: 'echo', payload: PAYLOAD },
    { env: withClock(`${seconds * 1000}`) },
  );
  expect(step.exitCode).toBe(0);
  expect(step.outputs).toMatchObject({ outcome: 'succeeded', attempts: '2' });
  expect(lambda.requests).toHaveLength(2);
  expect(lambda.executions('echo')).toHaveLength(1);
  expect(step.annotations.map(({ level, message }) => [level, message])).toEqual([
    [
      'warning',
      expect.stringMatching(
        new RegExp(
          `^Requests are signed with AWS's time, because the runner's clock is 1[12]\\d min ${what === 'ahead' ? 'ahead of' : 'behind'} AWS's\\.`,
        ),
      ),
    ],
  ]);
});

test('a 202 with a body but no durable execution was invoked asynchronously', async () => {
  lambda.setFault(() => ({
    kind: 'raw',
    when: 'after',
    status: 202,
    headers: { 'x-amzn-requestid': '11111111-2222-4333-8444-555555555555' },
    body: '{}',
  }));
  const step = await invokeStep(lambda, {
    function_name: 'echo',
    payload: PAYLOAD,
    invocation_type: 'Event',
  });
  expect(step.stdout).not.toContain('durable execution');
});

test('timeout_seconds ends with an unknown outcome, and the function continues', async () => {
  const step = await invokeStep(lambda, {
    function_name: 'migrate',
    payload: '{"ms":1500}',
    timeout_seconds: '1',
  });
  await lambda.idle();
  expect(step.exitCode).toBe(1);
  expect(step.outputs['outcome']).toBe('unknown');
  expect(step.annotations[0]?.message).toContain('DeadlineExceeded');
  expect(lambda.executions('migrate')).toHaveLength(1);
});

describe('a canceled step', () => {
  signalTest.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s reports the known outcomes within 3 s',
    async (signal) => {
      let signalledAt = 0;
      const step = await invokeStep(
        lambda,
        { function_name: 'migrate', payload: '{"ms":4000}' },
        {
          onStart: (child) => {
            const poll = setInterval(() => {
              if (lambda.executions('migrate').length === 0) return;
              clearInterval(poll);
              signalledAt = Date.now();
              child.kill(signal);
            }, 20);
          },
        },
      );
      expect(Date.now() - signalledAt).toBeLessThan(3_000);
      expect(step.exitCode).toBe(1);
      expect(step.signal).toBeNull();
      expect(step.outputs['outcome']).toBe('unknown');
      expect(step.outputs['total']).toBe('1');
      expect(step.outcomeLines.map((line) => JSON.parse(line).outcome)).toEqual(['unknown']);
      expect(step.summary).toMatch(/^### ❓ `migrate` may have run\n\n> \*\*`Cancelled: /);
      expect(step.annotations).toHaveLength(1);
      expect(step.annotations[0]?.message).toContain('the workflow was cancelled before Lambda responded');
      expect(lambda.executions('migrate')).toHaveLength(1);
    },
  );

  signalTest('during a wait sends nothing more, and reports that nothing ran', async () => {
    lambda.setFault(() => ({
      kind: 'error',
      when: 'before',
      status: 429,
      type: 'TooManyRequestsException',
      message: 'Rate Exceeded.',
      headers: { 'retry-after': '100' },
    }));
    const step = await invokeStep(
      lambda,
      { function_name: 'echo', payload: PAYLOAD },
      {
        onStart: (child) => {
          child.stdout?.on('data', (chunk) => {
            if (String(chunk).includes('Retrying in')) child.kill('SIGTERM');
          });
        },
      },
    );
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(lambda.requests).toHaveLength(1);
  });
});

test.each([
  ['null', '{"Message":null}'],
  ['missing', '{}'],
])(
  'a denial with the message %s reports that AWS gave no reason, and the possible causes',
  async (_, body) => {
    lambda.setFault(() => ({
      kind: 'raw',
      when: 'before',
      status: 403,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': 'AccessDeniedException' },
      body,
    }));
    const step = await invokeStep(lambda, { function_name: 'echo', payload: PAYLOAD });
    expect(step.outputs['outcome']).toBe('not_invoked');
    const [what, advice] = step.annotations[0]?.message.split('\n') ?? [];
    expect(what).toBe('echo: AccessDeniedException: AWS gave no reason. The function did not run.');
    expect(advice).toMatch(/Allow lambda:InvokeFunction on it.*VPC endpoint policy/);
  },
);

test.each([
  ['<html>Forbidden</html>', ': <html>Forbidden</html>'],
  ['', ', with an empty response'],
])('a rejection that is not from Lambda says so once: %j', async (body, end) => {
  lambda.setFault(() => ({ kind: 'raw', when: 'before', status: 403, headers: {}, body }));
  const step = await invokeStep(lambda, { function_name: 'echo', payload: PAYLOAD });
  expect(step.annotations[0]?.message.split('\n').slice(0, 2)).toEqual([
    `echo: HTTP 403: A proxy or firewall responded instead of Lambda${end}. The function did not run.`,
    'Check AWS_ENDPOINT_URL_LAMBDA, and the proxy or firewall between the runner and Lambda.',
  ]);
});

test('the start of a page that arrives instead of a response is shown, fenced', async () => {
  lambda.setFault(() => ({
    kind: 'raw',
    when: 'before',
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: '<html>\n::error::forged\n##[error]forged\n</html>',
  }));
  const step = await invokeStep(lambda, { function_name: 'echo', payload: PAYLOAD });
  expect(step.outputs['outcome']).toBe('unknown');
  expect(step.annotations.map(({ message }) => message)).toEqual([
    expect.stringContaining(
      'A proxy or firewall responded instead of Lambda: <html> ::error::forged ##[error]forged </html>.',
    ),
  ]);
  expect(step.stdout).not.toContain('SyntaxError');
  expect(texts(step)).toContain("Response that is not Lambda's");
  expect(texts(step)).toContain('::error::forged');
});

describe('a log tail without a log', () => {
  test('is omitted if the function does not support it', async () => {
    const step = await invokeStep(lambda, { function_name: 'no-tail', payload: PAYLOAD, log_type: 'Tail' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['log_result']).toBe('');
    expect(lambda.executions('no-tail')).toHaveLength(1);
    expect(texts(step)).toContain(
      'This function does not support log_type: Tail. The request was retried without it, and the function ran once.',
    );
  });

  test('is reported as a location if the log is stored elsewhere', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'log-elsewhere',
      payload: PAYLOAD,
      log_type: 'Tail',
    });
    expect(step.exitCode).toBe(0);
    expect(step.annotations).toEqual([]);
    expect(texts(step)).toEqual(
      expect.arrayContaining([
        'Function log (stored in CloudWatch Logs)',
        'Log group: /app/logs',
        'Log stream: ::error::x',
      ]),
    );
    expect(step.summary).toContain('#logsV2:log-groups/log-group/$252Fapp$252Flogs/log-events');
  });
});
