import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { throttle } from '../../packages/local-lambda/faults.ts';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { type JobFolder, makeJobFolder } from '../../packages/local-runner/run-step.ts';
import { heavyTest } from '../heavy.ts';
import { randomFrom, SEED } from '../seed.ts';
import { ECHO, HANDLERS, type InvokeStep, invokeStep } from './step.ts';

let lambda: LocalLambda;
let job: JobFolder;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO },
      one: { handler: `${HANDLERS}.one`, timeoutSeconds: 60, reservedConcurrency: 50 },
    },
  });
});
afterAll(() => lambda.close());
beforeEach(() => {
  lambda.reset();
  job?.dispose();
  job = makeJobFolder();
});
afterAll(() => job?.dispose());

const JOURNAL = 'state/journal.jsonl';
const journalFile = (): string => path.join(job.workspace, JOURNAL);

type Inputs = Readonly<Record<string, string>>;
type Document = Readonly<Record<string, unknown>>;
const run = (inputs: Inputs, options: Parameters<typeof invokeStep>[2] = {}): Promise<InvokeStep> =>
  invokeStep(lambda, { journal: JOURNAL, ...inputs }, { job, ...options });
const list = (count: number, entry: (id: number) => string): string =>
  Array.from({ length: count }, (_, id) => entry(id)).join('\n');
const documents = (step: InvokeStep): Document[] => step.outcomeLines.map((line) => JSON.parse(line));
const texts = (step: InvokeStep): string[] => step.lines.map(({ text }) => text);

describe('a re-run step', () => {
  const entries = list(
    20,
    (id) => `- { function_name: one, payload: { id: ${id}, failEvery: ${id === 7 ? 1 : 0} } }`,
  );

  test('sends nothing if all succeeded, and succeeds with a message', async () => {
    const inputs = { function_name: 'one', invocations: list(30, (id) => `- payload: { id: ${id} }`) };
    const first = await run(inputs);
    expect([first.exitCode, first.outputs['resumed'], lambda.requests.length]).toEqual([0, '0', 30]);
    lambda.reset();
    const second = await run(inputs);
    expect(second.exitCode).toBe(0);
    expect(lambda.requests).toEqual([]);
    expect(second.outputs).toMatchObject({ total: '30', succeeded: '30', failed: '0', resumed: '30' });
    expect(documents(second).map(({ resumed, outcome }) => [resumed, outcome])).toEqual(
      Array.from({ length: 30 }, () => [true, 'succeeded']),
    );
    expect(texts(second)).toContain(
      '30 of 30 invocations were not sent: the journal has the outcomes from an earlier run.',
    );
    expect(JSON.parse(second.outputs['outcomes'] ?? '')).toHaveLength(30);
  });

  test('sends only failed and new invocations', async () => {
    const first = await run({ invocations: entries });
    expect(first.outputs).toMatchObject({ succeeded: '19', failed: '1', resumed: '0' });
    lambda.reset();
    const added = '\n- { function_name: one, payload: { id: 100 } }';
    const second = await run({ invocations: entries + added });
    expect(second.outputs).toMatchObject({ total: '21', succeeded: '20', failed: '1', resumed: '19' });
    expect(lambda.requests.map(({ body }) => JSON.parse(String(body)).id).sort()).toEqual([100, 7]);
  });

  test('treats a changed payload, region or qualifier as another invocation', async () => {
    await run({ function_name: 'echo', payload: '{"a":1}' });
    await run({ function_name: 'echo', payload: '{"a":2}' });
    expect(lambda.executions('echo')).toHaveLength(2);
    await run({ function_name: 'echo', payload: '{"a":1}' });
    expect(lambda.executions('echo')).toHaveLength(2);
  });

  test('counts equal invocations one by one', async () => {
    await run({ function_name: 'echo', payload: '{}', repeat: '2' });
    expect(lambda.executions('echo')).toHaveLength(2);
    const more = await run({ function_name: 'echo', payload: '{}', repeat: '5' });
    expect(lambda.executions('echo')).toHaveLength(5);
    expect(more.outputs['resumed']).toBe('2');
  });
});

describe('a single invocation', () => {
  const inputs = { function_name: 'echo', payload: '{"schema": 42}' };

  test('that succeeded is restored, including outputs', async () => {
    const first = await run({ ...inputs, query: 'response.schema' });
    const second = await run({ ...inputs, query: 'response.schema', expect: 'response.schema == `42`' });
    expect(second.exitCode).toBe(0);
    expect(lambda.executions('echo')).toHaveLength(1);
    const { response, query_result: query, request_id: id, status_code: status } = second.outputs;
    expect({ response, query, id, status }).toEqual({
      response: '{"schema":42}',
      query: '42',
      id: first.outputs['request_id'],
      status: '200',
    });
    expect(second.outputs['resumed']).toBe('1');
  });

  test('is restored with its spaces and with digits that JavaScript cannot keep', async () => {
    const body = '{"id": 12345678901234567890,  "ratio": 1.0}\n';
    lambda.setFault(() => ({ kind: 'raw', when: 'after', status: 200, headers: {}, body }));
    const single = { ...inputs, response_file: 'response.json' };
    const first = await run(single);
    writeFileSync(path.join(job.workspace, 'response.json'), '');
    const second = await run(single);
    expect([first.exitCode, second.exitCode, second.outputs['resumed']]).toEqual([0, 0, '1']);
    expect([first.outputs['response'], second.outputs['response']]).toEqual([body, body]);
    expect(readFileSync(path.join(job.workspace, 'response.json'), 'utf8')).toBe(body);
    expect(lambda.requests).toHaveLength(1);
  });

  test('that does not meet the current expectations fails, and is not sent', async () => {
    await run(inputs);
    const second = await run({ ...inputs, expect: 'response.schema == `43`' });
    expect([second.exitCode, second.outputs['outcome']]).toEqual([1, 'expectation_failed']);
    expect(lambda.executions('echo')).toHaveLength(1);
  });

  test('with a lost response stays unknown, with a fix', async () => {
    lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
    const first = await run(inputs);
    expect([first.exitCode, first.outputs['outcome']]).toEqual([1, 'unknown']);
    lambda.setFault(() => undefined);
    const second = await run(inputs);
    expect([second.exitCode, second.outputs['outcome']]).toEqual([1, 'unknown']);
    expect(lambda.executions('echo')).toHaveLength(1);
    const [annotation] = second.annotations;
    expect(annotation?.message).toContain('An earlier run sent this invocation');
    const key = /delete the lines with ([0-9a-f]{32}) from the journal/.exec(annotation?.message ?? '')?.[1];
    const lines = readFileSync(journalFile(), 'utf8').split('\n');
    writeFileSync(journalFile(), lines.filter((line) => !line.includes(key ?? 'none')).join('\n'));
    const third = await run(inputs);
    expect([third.exitCode, third.outputs['outcome']]).toEqual([0, 'succeeded']);
    expect(lambda.executions('echo')).toHaveLength(2);
  });

  test('that was killed in its second attempt is unknown, with both attempts', async () => {
    let kill = (): void => {};
    lambda.setFault((_, number) => {
      if (number === 0) return throttle('ConcurrentInvocationLimitExceeded');
      kill();
      return { kind: 'stall', when: 'after' };
    });
    const first = await run(inputs, {
      onStart: (child) => {
        kill = () => child.kill('SIGKILL');
      },
    });
    expect(first.signal).toBe('SIGKILL');
    lambda.setFault(() => undefined);
    const second = await run(inputs);
    const ids = lambda.requests.map(({ headers }) => headers['x-amzn-requestid']);
    expect(ids).toHaveLength(2);
    const message = second.annotations[0]?.message ?? '';
    for (const id of ids) expect(message).toContain(` with request ID ${id}`);
    expect(second.outputs['request_id']).toBe(ids[1]);
  });

  test('with a lost response is retried with retry: idempotent', async () => {
    lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
    await run(inputs);
    lambda.setFault(() => undefined);
    const second = await run({ ...inputs, retry: 'idempotent' });
    expect([second.exitCode, second.outputs['outcome']]).toEqual([0, 'succeeded']);
  });

  test('keeps no secret in the journal', async () => {
    await run({ function_name: 'echo', payload: '{"token":"swordfish-1","n":1}', mask: 'response.token' });
    expect(readFileSync(journalFile(), 'utf8')).not.toContain('swordfish');
    const second = await run({
      function_name: 'echo',
      payload: '{"token":"swordfish-1","n":1}',
      mask: 'response.token',
    });
    expect(second.outputs['response']).toBe('{"token":"***","n":1}');
    expect(second.stdout).not.toContain('::add-mask::***');
  });
});

describe('a resumed outcome whose secrets are masked', () => {
  const masked = {
    function_name: 'echo',
    payload: '{"status":"failed","token":"failed","items":[1]}',
    mask: 'response.token',
  };

  test.each([
    ["response.status != 'failed'", 'expectation_failed'],
    ['response.token.expired == `null`', 'expectation_failed'],
    ['length(response.items) == `1`', 'succeeded'],
    ['status_code == `200`', 'succeeded'],
  ])('meets a new expectation only if nothing that it reads is masked: %s', async (expectation, outcome) => {
    await run(masked);
    const second = await run({ ...masked, expect: expectation });
    expect(second.outputs['outcome']).toBe(outcome);
    expect(lambda.executions('echo')).toHaveLength(1);
  });

  test('says that the value is not in the journal', async () => {
    await run(masked);
    const second = await run({ ...masked, expect: "response.status != 'failed'" });
    expect(second.annotations[0]?.message).toContain(
      'Hidden:   response.status\n    An earlier run recorded this outcome with *** instead of its secrets.',
    );
  });

  test('meets no new expectation on a response that was withheld', async () => {
    const withheld = { function_name: 'echo', payload: '{"error":"boom"}' };
    await run({ ...withheld, mask: 'response.missing' });
    const second = await run({ ...withheld, expect: 'response.error == `null`' });
    expect([second.exitCode, second.outputs['outcome']]).toEqual([1, 'expectation_failed']);
  });

  test('still meets what it met before, also next to a new expectation', async () => {
    const expectation = 'length(response.token) == `6`';
    await run({ ...masked, expect: expectation });
    const second = await run({ ...masked, expect: `${expectation}\nstatus_code == \`200\`` });
    expect([second.exitCode, second.outputs['outcome']]).toEqual([0, 'succeeded']);
  });

  test('does not meet an expectation of query_result with another query as before', async () => {
    const inputs = { function_name: 'echo', payload: '{"a":"x","b":"y"}', expect: "query_result == 'x'" };
    await run({ ...inputs, query: 'response.a' });
    const second = await run({ ...inputs, query: 'response.b' });
    expect([second.exitCode, second.outputs['outcome']]).toEqual([1, 'expectation_failed']);
    const third = await run({ ...inputs, query: 'response.a' });
    expect([third.exitCode, third.outputs['resumed']]).toEqual([0, '1']);
  });
});

test('a dry run is sent in every run, and is not recorded', async () => {
  const inputs = { function_name: 'echo', invocation_type: 'DryRun' };
  await run(inputs);
  const second = await run(inputs);
  expect([second.exitCode, second.outputs['resumed'], lambda.requests.length]).toEqual([0, '0', 2]);
  expect(readFileSync(journalFile(), 'utf8').split('\n')).toHaveLength(2);
});

test('an accepted event is not taken for one that succeeded by a step that waits for events', async () => {
  const inputs = { function_name: 'echo', payload: '{}', invocation_type: 'Event' };
  await run(inputs);
  const waiting = await run({ ...inputs, wait_for_event: 'true' });
  expect([waiting.exitCode, waiting.outputs['outcome']]).toEqual([1, 'unknown']);
  const second = await run(inputs);
  expect([second.exitCode, second.outputs['resumed']]).toEqual([0, '1']);
  expect(lambda.requests).toHaveLength(1);
});

test('entries with names of durable executions keep their outcomes in another order', async () => {
  const entry = (name: string): string =>
    `- { function_name: echo, payload: {}, durable_execution_name: ${name} }`;
  await run({ invocations: entry('first') });
  await run({ invocations: `${entry('second')}\n${entry('first')}` });
  expect(lambda.requests.map(({ headers }) => headers['x-amz-durable-execution-name'])).toEqual([
    'first',
    'second',
  ]);
});

test('a journal that is the response file too is rejected before anything is sent', async () => {
  const step = await run({ function_name: 'echo', payload: '{}', response_file: `./${JOURNAL}` });
  expect(step.annotations.map(({ message }) => message)).toEqual([
    'response_file and journal name the same file, and the response would replace the journal. Change one of them.',
  ]);
  expect(lambda.requests).toEqual([]);
});

test('a file that is not a journal is rejected before anything is sent', async () => {
  const step = await run(
    { function_name: 'echo', payload: '{}', journal: 'package.json' },
    { workspace: { 'package.json': '{"name":"x"}\n' } },
  );
  expect([step.exitCode, step.outputs['outcome']]).toEqual([1, 'not_invoked']);
  expect(step.annotations).toEqual([
    expect.objectContaining({
      title: 'Invalid Input',
      message: expect.stringMatching(
        /^journal ".+package\.json" was not written by this action\. To begin a journal, name a file that does not exist yet\.$/,
      ),
    }),
  ]);
  expect(lambda.requests).toEqual([]);
});

describe('a step that is killed', () => {
  // `KILLED_RUNS=200 KILLED_INVOCATIONS=500` takes half an hour.
  const RUNS = Number(process.env['KILLED_RUNS'] ?? 4);
  const COUNT = Number(process.env['KILLED_INVOCATIONS'] ?? 60);
  const inputs = {
    function_name: 'one',
    invocations: list(COUNT, (id) => `- payload: { id: ${id}, ms: 20 }`),
    max_concurrency: '8',
  };
  const ran = (): number[] =>
    lambda.requests.map(({ body }) => JSON.parse(String(body)).id).sort((a, b) => a - b);

  async function killedRun(afterRequests: number): Promise<InvokeStep> {
    let kill = (): void => {};
    let left = afterRequests;
    lambda.setFault(() => {
      left -= 1;
      if (left === 0) kill();
      return undefined;
    });
    return run(inputs, {
      onStart: (child) => {
        kill = () => child.kill('SIGKILL');
      },
    });
  }

  heavyTest(
    'keeps the record of what may have run, and the next run continues',
    async () => {
      const random = randomFrom(SEED);
      for (let round = 0; round < RUNS; round += 1) {
        job.dispose();
        job = makeJobFolder();
        lambda.reset();
        for (let kills = 0; kills < 3; kills += 1) await killedRun(1 + Math.floor((random() * COUNT) / 2));
        lambda.setFault(() => undefined);
        const last = await run(inputs);
        const outcomes = documents(last);
        const executed = lambda.executions('one').length;
        // Every entry was sent at most once, and each sent entry is succeeded or unknown in the last report.
        expect(ran()).toEqual([...new Set(ran())]);
        expect(executed).toBeLessThanOrEqual(COUNT);
        expect(outcomes).toHaveLength(COUNT);
        const unsent = outcomes.filter(({ outcome }) => outcome !== 'succeeded' && outcome !== 'unknown');
        expect(unsent).toEqual([]);
        const unknown = outcomes.filter(({ outcome }) => outcome === 'unknown');
        expect(unknown.every(({ resumed }) => resumed === true)).toBe(true);
        // With retry: idempotent, only the remaining entries run.
        const before = ran().length;
        const green = await run({ ...inputs, retry: 'idempotent' });
        expect([green.exitCode, green.outputs['succeeded']]).toEqual([0, String(COUNT)]);
        expect(ran().length - before).toBe(unknown.length);
      }
    },
    RUNS * 60_000,
  );
});
