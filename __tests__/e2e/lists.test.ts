import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startQuickLambda } from '../../bench/lambda-process.ts';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { makeJobFolder } from '../../packages/local-runner/run-step.ts';
import { followPeak } from './peak-memory.ts';
import { ECHO, HANDLERS, invokeStep } from './step.ts';

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO },
      other: { handler: ECHO },
      one: { handler: `${HANDLERS}.one`, timeoutSeconds: 60 },
    },
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

/** What was sent, in the order of arrival: the function and the event's bytes. */
const sent = (): string[] =>
  lambda.requests.map(({ path: url, body }) => `${/functions\/([^/]+)\//.exec(url)?.[1]} ${String(body)}`);
const lines = (count: number, line: (id: number) => string): string =>
  Array.from({ length: count }, (_, id) => `${line(id)}\n`).join('');

describe('payload_file', () => {
  const workspace = {
    'events/b.json': '{ "n": 2.0 }',
    'events/a.json': '{"n":1}',
    'more.jsonl': '\ufeff{"n":3}\r\n\r\n{"n":4}',
  };

  test('of several files sends each event to each function, as written in the file', async () => {
    const inputs = { function_name: 'echo\nother', payload_file: 'events/*.json\nmore.jsonl' };
    const step = await invokeStep(lambda, { ...inputs, max_concurrency: '1' }, { workspace });
    expect(step).toMatchObject({ exitCode: 0, outputs: { total: '8', succeeded: '8' } });
    const events = ['{"n":1}', '{ "n": 2.0 }', '{"n":3}', '{"n":4}'];
    expect(sent()).toEqual(['echo', 'other'].flatMap((name) => events.map((event) => `${name} ${event}`)));
  });

  test('with mistakes is refused with file and line, and nothing is sent', async () => {
    const files = { 'e.jsonl': '{"n":1}\n{"n":1,}\n{}\n{\n' };
    const step = await invokeStep(
      lambda,
      { function_name: 'echo', payload_file: 'e.jsonl' },
      { workspace: files },
    );
    expect(step).toMatchObject({ exitCode: 1, outputs: { outcome: 'not_invoked' } });
    expect(step.annotations.map(({ message }) => message)).toEqual([
      'payload_file "e.jsonl", line 2, column 7: remove the comma before "}".\n' +
        'payload_file "e.jsonl", line 4, column 2: the text ends before the JSON does: "}" is missing.',
    ]);
    expect(lambda.requests).toHaveLength(0);
  });
});

describe('invocations_file', () => {
  const list = [
    { function_name: 'echo', name: 'first', payload: { n: 1 } },
    { function_name: 'other', name: 'second', payload: { n: 2 }, expect: 'response.n == `2`' },
    'echo',
  ];
  test.each([
    ['list.json', JSON.stringify(list)],
    ['list.jsonl', list.map((entry) => JSON.stringify(entry)).join('\n')],
    [
      'list.yaml',
      '- { function_name: echo, name: first, payload: {n: 1} }\n' +
        '- { function_name: other, name: second, payload: {n: 2}, expect: response.n == `2` }\n- echo\n',
    ],
  ])('%s is invoked in its order, under the names that it gives', async (file, text) => {
    const inputs = { invocations_file: file, payload: '{"n":0}', max_concurrency: '1' };
    const step = await invokeStep(lambda, inputs, { workspace: { [file]: text } });
    expect(step).toMatchObject({ exitCode: 0, outputs: { total: '3', succeeded: '3' } });
    expect(sent()).toEqual(['echo {"n":1}', 'other {"n":2}', 'echo {"n":0}']);
    expect(step.outcomeLines.map((line) => JSON.parse(line).name)).toEqual(['first', 'second', undefined]);
  });
});

describe('a file that changes while the step runs', () => {
  const EVENTS = lines(6, (id) => `{"id":${id}}`);

  test('sends nothing more of it, and says why', async () => {
    const job = makeJobFolder();
    const file = path.join(job.workspace, 'e.jsonl');
    writeFileSync(file, EVENTS);
    const inputs = { function_name: 'one', payload_file: 'e.jsonl', max_concurrency: '1' };
    lambda.setFault(() => {
      // Longer lines, so that the places of the events hold parts of others.
      if (lambda.requests.length === 3)
        writeFileSync(
          file,
          lines(6, (id) => `{"id":${id},"id2":${id}}`),
        );
      return undefined;
    });
    const step = await invokeStep(lambda, inputs, { job });
    job.dispose();
    expect(step).toMatchObject({ exitCode: 1, outputs: { total: '6', succeeded: '3', failed: '3' } });
    const outcomes = step.outcomeLines.map((line) => JSON.parse(line));
    expect(outcomes.slice(3)).toEqual(
      [3, 4, 5].map((index) =>
        expect.objectContaining({
          index,
          outcome: 'not_invoked',
          error: {
            name: 'PayloadNotRead',
            message: `the event could not be read: payload_file "e.jsonl", line ${index + 1} was changed after it was checked. The function did not run.`,
            advice:
              'An event is sent only if it has not changed since it was checked. Do not write to the file while the step runs, and re-run the job.',
          },
        }),
      ),
    );
    expect(lambda.executions('one')).toHaveLength(3);
  });

  test('leaves the journal without what was not sent, so that the next run invokes each event once', async () => {
    const job = makeJobFolder();
    const file = path.join(job.workspace, 'e.jsonl');
    writeFileSync(file, EVENTS);
    const inputs = {
      function_name: 'one',
      payload_file: 'e.jsonl',
      max_concurrency: '1',
      journal: 'j.jsonl',
    };
    lambda.setFault(() => {
      if (lambda.requests.length === 3) writeFileSync(file, EVENTS);
      return undefined;
    });
    const first = await invokeStep(lambda, inputs, { job });
    expect(first).toMatchObject({ exitCode: 1, outputs: { succeeded: '3', failed: '3' } });
    lambda.setFault(() => undefined);
    const second = await invokeStep(lambda, inputs, { job });
    job.dispose();
    expect(second).toMatchObject({ exitCode: 0, outputs: { succeeded: '6', resumed: '3' } });
    expect(lambda.executions('one')).toHaveLength(6);
  });
});

test('a journal knows an event whether it is in a file, in a list or in an input', async () => {
  const job = makeJobFolder();
  writeFileSync(path.join(job.workspace, 'e.jsonl'), '{"id":1}\n');
  writeFileSync(
    path.join(job.workspace, 'list.jsonl'),
    '{"payload": {"id":1}}\n{"payload":"{\\"id\\":2}"}\n',
  );
  const inputs = { function_name: 'one', journal: 'j.jsonl' };
  const runs = [
    { payload_file: 'e.jsonl' },
    { invocations_file: 'list.jsonl' },
    { payload: '{"id":1}' },
    { payload: '{"id":2}' },
  ];
  const resumed: (string | undefined)[] = [];
  for (const given of runs) {
    const step = await invokeStep(lambda, { ...inputs, ...given }, { job });
    resumed.push(step.outputs['resumed']);
  }
  job.dispose();
  expect(resumed).toEqual(['0', '1', '1', '1']);
  expect(lambda.executions('one')).toHaveLength(2);
});

const onLinux = process.platform === 'linux' ? test : test.skip;

type Endpoint = Parameters<typeof invokeStep>[0];

/** The peak memory in MB of a step that invokes the entries of a list in a file, all with success. */
async function peakOf(
  endpoint: Endpoint,
  list: string,
  step: Readonly<{ inputs: Readonly<Record<string, string>>; env?: Readonly<Record<string, string>> }>,
): Promise<number> {
  let peak = (): number => 0;
  const { outputs } = await invokeStep(
    endpoint,
    { function_name: 'one', invocations_file: 'list.jsonl', ...step.inputs },
    {
      workspace: { 'list.jsonl': list },
      ...(step.env && { env: step.env }),
      onStart: (child) => {
        peak = followPeak(child);
      },
    },
  );
  expect(outputs).toMatchObject({ total: String(list.split('\n').length - 1), failed: '0' });
  return peak();
}

onLinux(
  'memory does not grow with the events of a list in a file',
  async () => {
    const peakWith = (kilobytes: number): Promise<number> => {
      // 300 events of so many kilobytes, every second one as a text of JSON.
      const text = 'x'.repeat(kilobytes * 1024);
      const entry = (id: number): string => {
        const payload = { id, text };
        return JSON.stringify({ payload: id % 2 === 0 ? payload : JSON.stringify(payload) });
      };
      return peakOf(lambda, lines(300, entry), {
        inputs: { summary: 'false', max_concurrency: '2' },
        // A small heap is collected often, so that the peak shows retained memory, not garbage.
        env: { NODE_OPTIONS: '--max-old-space-size=48' },
      });
    };
    const [few, many] = [await peakWith(1), await peakWith(512)];
    // If the events were kept, they would take 150 MB more.
    expect(many - few).toBeLessThan(75);
  },
  120_000,
);

// The benchmark has the same with 100,000 entries: script/bench list.
onLinux(
  'memory grows little with the entries of a list in a file',
  async () => {
    const quick = await startQuickLambda(0);
    try {
      const entry = JSON.stringify({ payload: { text: 'x'.repeat(1_950) } });
      const peakWith = (count: number): Promise<number> =>
        peakOf(
          { url: quick.url, region: lambda.region },
          lines(count, () => entry),
          { inputs: { max_concurrency: '50' } },
        );
      const [few, many] = [await peakWith(1_000), await peakWith(30_000)];
      // 190 MB with an object for each entry and each outcome, and V8's space for new objects as large as V8 makes it.
      expect(many - few).toBeLessThan(90);
    } finally {
      await quick.close();
    }
  },
  120_000,
);
