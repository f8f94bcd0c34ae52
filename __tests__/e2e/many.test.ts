import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda, throttle } from '../../packages/local-lambda/server.ts';
import { listen } from '../../packages/local-server/listening.ts';
import { signalTest } from '../signals.ts';
import { followPeak } from './peak-memory.ts';
import { ECHO, HANDLERS, invokeStep } from './step.ts';

let lambda: LocalLambda;

const THROTTLED = throttle('ConcurrentInvocationLimitExceeded');

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO },
      one: { handler: `${HANDLERS}.one`, timeoutSeconds: 60 },
      narrow: { handler: `${HANDLERS}.one`, timeoutSeconds: 60, reservedConcurrency: 2 },
      fresh: { handler: `${HANDLERS}.one`, timeoutSeconds: 60 },
      large: { handler: `${HANDLERS}.large`, timeoutSeconds: 60 },
      'fresh-too': { handler: `${HANDLERS}.one`, timeoutSeconds: 60 },
      'meets-a': { handler: `${HANDLERS}.meeting`, timeoutSeconds: 60 },
      'meets-b': { handler: `${HANDLERS}.meeting`, timeoutSeconds: 60 },
      'meets-c': { handler: `${HANDLERS}.meeting`, timeoutSeconds: 60 },
    },
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const texts = (step: { lines: readonly { text: string }[] }): string[] => step.lines.map(({ text }) => text);
const bodies = (): { id?: number; a?: number }[] =>
  lambda.requests.map(({ body }) => JSON.parse(String(body)));
const list = (count: number, entry: (id: number) => string): string =>
  Array.from({ length: count }, (_, id) => entry(id)).join('\n');

test('1,000 invocations with a concurrency of 10 have correct totals, each run once', async () => {
  const throttles = new Map<number, number>();
  lambda.setFault((request) => {
    const { id } = JSON.parse(String(request.body));
    if (id % 20 !== 3) return undefined;
    const before = throttles.get(id) ?? 0;
    throttles.set(id, before + 1);
    return before < 2 ? THROTTLED : undefined;
  });
  const step = await invokeStep(lambda, {
    function_name: 'one',
    invocations: list(1000, (id) => `- payload: { id: ${id}, failEvery: 10 }`),
    max_concurrency: '10',
  });
  expect(step.exitCode).toBe(1);
  expect(step.outputs).toMatchObject({ total: '1000', succeeded: '900', failed: '100' });
  expect(step.outputs['outcome']).toBeUndefined();
  expect(step.outcomeLines).toHaveLength(1000);
  const outcomes = step.outcomeLines.map((line) => JSON.parse(line));
  expect(new Set(outcomes.map(({ index }) => index)).size).toBe(1000);
  expect(outcomes.filter(({ outcome }) => outcome === 'function_error')).toHaveLength(100);
  expect(outcomes.filter(({ attempts }) => attempts === 3)).toHaveLength(50);
  expect(lambda.executions('one')).toHaveLength(1000);
  expect(lambda.requests).toHaveLength(1100);

  const annotations = step.annotations.filter(({ level }) => level === 'error');
  expect(annotations).toHaveLength(10);
  expect(annotations.at(-1)?.message).toContain('… and 90 more failed.');
  const log = texts(step);
  expect(log[0]).toBe('Invoking one in us-east-1 (RequestResponse): 1,000 invocations, concurrency 10');
  expect(log.filter((line) => /^\[\d+\/1000\] one \(entry [\d,]+\) /.test(line))).toHaveLength(1000);
  expect(log).toContain('1,000 invocations: 900 succeeded, 100 failed.');
  // The errors of the first twenty failures, and of no other.
  expect(step.commands.filter((command) => command === 'group')).toHaveLength(20);
  expect(step.summary).toContain('100 of 1,000 invocations failed');
}, 60_000);

describe('repeat', () => {
  test('overlaps all copies and distinguishes cold from warm starts', async () => {
    const inputs = { function_name: 'fresh', payload: '{"ms":300}', repeat: '5' };
    const cold = await invokeStep(lambda, inputs);
    expect(cold.exitCode).toBe(0);
    expect(cold.outputs).toMatchObject({ total: '5', cold_starts: '5' });
    const again = await invokeStep(lambda, inputs);
    expect(again.outputs).toMatchObject({ total: '5', cold_starts: '0' });
    expect(texts(again)).toContain('5 invocations: 5 succeeded, 0 failed; 0 cold starts, 5 warm starts.');
    expect(cold.outcomeLines.join('\n')).not.toContain('REPORT RequestId');
  });

  test('of 12 has a concurrency of 12 without max_concurrency', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'fresh-too',
      payload: '{"ms":500}',
      repeat: '12',
    });
    expect(step.outputs['cold_starts']).toBe('12');
    expect(new Set(lambda.executions('fresh-too').map(({ environmentId }) => environmentId)).size).toBe(12);
  });

  test('overlaps the copies of all entries without max_concurrency', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'meeting-'));
    const step = await invokeStep(lambda, {
      function_name: 'meets-a\nmeets-b\nmeets-c',
      payload: JSON.stringify({ folder, expected: 12 }),
      repeat: '4',
    });
    rmSync(folder, { recursive: true });
    expect(step.annotations).toEqual([]);
    expect(step.outputs).toMatchObject({ total: '12', succeeded: '12', cold_starts: '12' });
    expect(lambda.executions('meets-c')).toHaveLength(4);
  }, 60_000);

  test('of 120 has at most 100 concurrent requests without max_concurrency', async () => {
    const waiting: ServerResponse[] = [];
    let [inProgress, most] = [0, 0];
    const server = createServer((request, response) => {
      request.resume();
      inProgress += 1;
      most = Math.max(most, inProgress);
      response.on('close', () => {
        inProgress -= 1;
      });
      waiting.push(response);
      if (waiting.length < 100) return;
      for (const held of waiting) if (!held.writableEnded) held.end('{}');
    });
    const { port, close } = await listen(server);
    const step = await invokeStep(
      { url: `http://127.0.0.1:${port}`, region: lambda.region },
      { function_name: 'one', payload: '{}', repeat: '120' },
    );
    await close();
    expect(step.outputs).toMatchObject({ total: '120', succeeded: '120' });
    expect(waiting).toHaveLength(120);
    expect(most).toBe(100);
    expect(texts(step)).toContain(
      'Invoking one in us-east-1 (RequestResponse): 120 invocations, concurrency 100',
    );
    expect(step.annotations).toEqual([
      expect.objectContaining({
        level: 'warning',
        message: expect.stringContaining('at most 100, which is below repeat: 120'),
      }),
    ]);
  }, 60_000);
});

test('three functions in three regions need only three ARNs', async () => {
  const step = await invokeStep(
    lambda,
    {
      function_name: ['eu-west-1', 'us-east-1', 'ap-southeast-2']
        .map((region) => `arn:aws:lambda:${region}:123456789012:function:echo`)
        .join('\n'),
      payload: '{"a":1}',
    },
    { env: { AWS_REGION: '' } },
  );
  const scopes = lambda.requests.map(
    ({ headers }) => /\/([a-z0-9-]+)\/lambda\//.exec(headers['authorization'] ?? '')?.[1],
  );
  expect(scopes.toSorted()).toEqual(['ap-southeast-2', 'eu-west-1', 'us-east-1']);
  expect(bodies()).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }]);
  expect(step.outputs['total']).toBe('3');
  const regions = JSON.parse(step.outputs['outcomes'] ?? '').map(({ region }: { region: string }) => region);
  expect(regions).toEqual(['eu-west-1', 'us-east-1', 'ap-southeast-2']);
});

test('two shards of a list of 7 have 4 and 3 entries, each entry once', async () => {
  const inputs = { function_name: 'one', invocations: list(7, (id) => `- payload: {id: ${id}}`) };
  const shards = [];
  for (const shard of ['0/2', '1/2']) shards.push(await invokeStep(lambda, { ...inputs, shard }));
  expect(shards.map(({ outputs }) => outputs['total'])).toEqual(['4', '3']);
  expect(
    bodies()
      .map((body) => body.id)
      .toSorted(),
  ).toEqual([0, 1, 2, 3, 4, 5, 6]);
  const indexes = shards.flatMap(({ outcomeLines }) => outcomeLines.map((line) => JSON.parse(line).index));
  expect(indexes.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('a shard without an entry succeeds with a message', async () => {
  const step = await invokeStep(lambda, { function_name: 'one', payload: '{}', shard: '3/4' });
  expect(step.exitCode).toBe(0);
  expect(step.outputs).toMatchObject({ total: '0', outcomes: '[]' });
  expect(texts(step)[0]).toBe('Nothing to invoke: this shard has no entry.');
  expect(lambda.requests).toHaveLength(0);
});

test('one mistake in entry 212 of 300 is reported with its line', async () => {
  const step = await invokeStep(lambda, {
    function_name: 'one',
    invocations: list(300, (id) =>
      id === 211 ? `- payload: {id: ${id}}\n  qualifer: PROD` : `- payload: {id: ${id}}\n  qualifier: PROD`,
    ),
  });
  expect(step.exitCode).toBe(1);
  expect(step.annotations).toHaveLength(1);
  const [annotation] = step.annotations;
  expect(annotation?.title).toBe('Invalid Input');
  expect(annotation?.message).toMatch(
    /^invocations, entry 212 \(line 424, column 3\): there is no key "qualifer" \(did you mean "qualifier"\?\)/,
  );
  expect(annotation?.message.split('\n')).toHaveLength(1);
  expect(lambda.requests).toHaveLength(0);
});

test('lines of the list are counted from the first, even if it is empty', async () => {
  const step = await invokeStep(lambda, {
    function_name: 'one',
    invocations: '\n\n  - payload: {}\n    qualifer: x\n',
  });
  expect(step.annotations[0]?.message).toMatch(/^invocations, entry 1 \(line 4, column 5\): there is no key/);
});

test('problems of entries are reported with their position, and inherited ones once', async () => {
  const step = await invokeStep(lambda, {
    payload: '{"a": Object}',
    invocations:
      '- function_name: a b\n- function_name: one\n  qualifier: "no way"\n- function_name: one\n  payload: {}\n- {}\n',
  });
  expect(step.annotations[0]?.message.split('\n')).toEqual([
    expect.stringMatching(/^invocations, entry 1 \(line 1\): function_name ".*" is not valid/),
    expect.stringMatching(/^payload, line 1, column 7: /),
    expect.stringMatching(/^invocations, entry 2 \(line 2\): qualifier must be/),
    expect.stringMatching(/^invocations, entry 4 \(line 6\): function_name is required/),
  ]);
});

test('a fan-out against a low limit finishes with its concurrency lowered to the limit', async () => {
  const step = await invokeStep(lambda, {
    function_name: 'narrow',
    invocations: list(60, (id) => `- payload: {id: ${id}, ms: 20}`),
    max_concurrency: '20',
  });
  expect(step.exitCode).toBe(0);
  expect(step.outputs).toMatchObject({ total: '60', succeeded: '60' });
  expect(lambda.executions('narrow')).toHaveLength(60);
  // Without lower concurrency, each of 20 concurrent invocations would be throttled repeatedly.
  expect(lambda.requests.length).toBeLessThan(200);
}, 60_000);

test('one failing entry does not stop others, and fails the step', async () => {
  const step = await invokeStep(lambda, {
    function_name: 'nope\necho\none',
    payload: '{"id":1}',
  });
  expect(step.exitCode).toBe(1);
  expect(step.outputs).toMatchObject({ total: '3', succeeded: '2', failed: '1' });
  expect(texts(step).at(-1)).toContain('Function not found');
  expect(texts(step)).toContain('3 invocations: 2 succeeded, 1 failed.');
});

signalTest('canceling keeps completed outcomes and sends nothing more', async () => {
  const step = await invokeStep(
    lambda,
    {
      function_name: 'one',
      invocations: list(50, (id) => `- payload: {id: ${id}, ms: ${id < 4 ? 1 : 3000}}`),
      max_concurrency: '4',
    },
    {
      onStart: (child) => {
        const poll = setInterval(() => {
          if (lambda.executions('one').length < 8) return;
          clearInterval(poll);
          child.kill('SIGTERM');
        }, 10);
      },
    },
  );
  const outcomes = step.outcomeLines.map((line) => JSON.parse(line).outcome);
  const count = (kind: string): number => outcomes.filter((outcome) => outcome === kind).length;
  expect(step.exitCode).toBe(1);
  expect(outcomes).toHaveLength(50);
  expect(count('succeeded')).toBe(4);
  expect(count('unknown')).toBe(4);
  expect(count('not_invoked')).toBe(42);
  expect(lambda.executions('one')).toHaveLength(8);
  expect(step.summary).toContain('46 of 50 invocations failed');
});

test('expect, query and mask apply to each', async () => {
  const step = await invokeStep(lambda, {
    function_name: 'one',
    invocations: '- payload: {id: 1}\n- payload: {id: 222222222222}\n',
    expect: 'response.id < `100`',
    query: 'response.id',
    mask: 'response.id',
  });
  const outcomes = JSON.parse(step.outputs['outcomes'] ?? '');
  expect(
    outcomes.map(({ outcome, query_result }: Record<string, unknown>) => [outcome, query_result]),
  ).toEqual([
    ['succeeded', 1],
    ['expectation_failed', 222_222_222_222],
  ]);
  expect(step.masks).toEqual(expect.arrayContaining(['1', '222222222222']));
  expect(step.outcomeLines.join('\n')).not.toContain('222222222222');
});

(process.platform === 'linux' ? test : test.skip)(
  'memory does not grow with the responses',
  async () => {
    const peakOf = async (count: number): Promise<number> => {
      let peak = (): number => 0;
      const step = await invokeStep(
        lambda,
        {
          function_name: 'large',
          invocations: list(count, () => '- payload: {bytes: 800000}'),
          max_concurrency: '4',
          summary: 'false',
        },
        {
          // A small heap is collected often, so that the peak shows retained memory, not garbage.
          env: { NODE_OPTIONS: '--max-old-space-size=48' },
          onStart: (child) => {
            peak = followPeak(child);
          },
        },
      );
      expect(step.outputs).toMatchObject({ total: String(count), failed: '0', outcomes: '' });
      expect(step.outcomeLines).toHaveLength(count);
      // Each line is complete, whatever its length, even if several end at the same time.
      const whole = step.outcomeLines.filter(
        (line) => line.startsWith('{"index":') && line.endsWith('}') && line.split('"index":').length === 2,
      );
      expect(whole).toHaveLength(count);
      return peak();
    };
    const [few, many] = [await peakOf(40), await peakOf(320)];
    // If the other 280 responses were kept, they would take 224 MB.
    expect(many - few).toBeLessThan(120);
  },
  60_000,
);

describe('stop_on_failure', () => {
  const failing = (index: number, count: number): string =>
    list(
      count,
      (id) => `- { name: tenant ${id}, payload: { id: ${id}, failEvery: ${id === index ? 1 : 0} } }`,
    );

  test('runs in order and sends nothing after the first failure', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'one',
      invocations: failing(3, 40),
      max_concurrency: '1',
      stop_on_failure: 'true',
    });
    expect(step.exitCode).toBe(1);
    expect(bodies().map(({ id }) => id)).toEqual([0, 1, 2, 3]);
    expect(lambda.executions('one')).toHaveLength(4);
    expect(step.outputs).toMatchObject({ total: '40', succeeded: '3', failed: '37' });
    expect(step.summary).toContain(': 1 of 40 invocations failed, 36 not sent\n');
    const outcomes = step.outcomeLines.map((line) => JSON.parse(line));
    expect(outcomes.filter(({ outcome }) => outcome === 'not_invoked')).toHaveLength(36);
    expect(outcomes[3]).toMatchObject({ index: 3, name: 'tenant 3', outcome: 'function_error' });
    expect(outcomes[4].error.name).toBe('StoppedOnFailure');
    expect(step.annotations.filter(({ level }) => level === 'error')).toHaveLength(1);
    const left = '36 invocations were not sent: an invocation failed, and stop_on_failure is true.';
    expect(step.annotations.filter(({ level }) => level === 'warning')).toEqual([
      expect.objectContaining({ title: 'Stopped on Failure', message: expect.stringContaining(left) }),
    ]);
    expect(texts(step)).toContain(left);
    expect(texts(step).filter((line) => line.includes('was not invoked'))).toEqual([]);
  });

  test('lets running invocations end', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'one',
      invocations: '- payload: { ms: 800 }\n- payload: { id: 1, failEvery: 1 }\n- payload: { id: 2 }',
      max_concurrency: '2',
      stop_on_failure: 'true',
    });
    expect(
      step.outcomeLines.map((line) => JSON.parse(line)).map(({ index, outcome }) => [index, outcome]),
    ).toEqual(
      expect.arrayContaining([
        [0, 'succeeded'],
        [1, 'function_error'],
        [2, 'not_invoked'],
      ]),
    );
    expect(lambda.executions('one')).toHaveLength(2);
  });

  test('invokes all if none fails', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'one',
      invocations: failing(-1, 20),
      max_concurrency: '3',
      stop_on_failure: 'true',
    });
    expect(step.exitCode).toBe(0);
    expect(lambda.executions('one')).toHaveLength(20);
  });
});

test("an entry's own expectations and time limit are for that entry alone", async () => {
  const step = await invokeStep(lambda, {
    function_name: 'echo',
    payload: '{}',
    expect: "outcome == 'succeeded'",
    timeout_seconds: '60',
    invocations: [
      '- { name: first, payload: { a: 1 }, expect: "response.a == `1`" }',
      '- { name: second, payload: { a: 1 }, expect: "response.a == `2`" }',
      '- { name: third, function_name: one, payload: { ms: 20000 }, timeout_seconds: 1 }',
    ].join('\n'),
  });
  const outcomes = step.outcomeLines.map((line) => JSON.parse(line));
  const of = (name: string) => outcomes.find((outcome) => outcome.name === name);
  expect(of('first')).toMatchObject({ outcome: 'succeeded' });
  expect(of('first').expectations).toHaveLength(2);
  expect(of('second').expectations.map(({ met }: { met: boolean }) => met)).toEqual([true, false]);
  expect(of('third')).toMatchObject({ outcome: 'unknown', error: { name: 'DeadlineExceeded' } });
});
