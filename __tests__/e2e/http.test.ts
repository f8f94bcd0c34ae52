import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { fieldsOf } from '../../src/shared/values.ts';
import { type InvokeStep, invokeStep } from './step.ts';

const HANDLERS = path.join(import.meta.dirname, 'handlers', 'http.mjs');
const NAMES = [
  ...['server', 'powertools', 'streamed', 'restByHand', 'targetByHand', 'returnsBody'],
  ...['shorthand', 'throws', 'streamsLong'],
];

let lambda: LocalLambda;
beforeAll(async () => {
  const functions = NAMES.map((name) => [name, { handler: `${HANDLERS}.${name}`, timeoutSeconds: 30 }]);
  lambda = await startLocalLambda({ functions: Object.fromEntries(functions) });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const FORMATS = ['2.0', '1.0', 'alb'] as const;

const request = (
  functionName: string,
  text: string,
  inputs: Readonly<Record<string, string>> = {},
): Promise<InvokeStep> => invokeStep(lambda, { function_name: functionName, http_request: text, ...inputs });

/** `http` of the one outcome. */
const httpOf = ({ outcomeLines: [line = '{}'] }: InvokeStep) => fieldsOf(fieldsOf(JSON.parse(line))['http']);

const succeeded = (step: InvokeStep): InvokeStep => {
  expect({ outcome: step.outputs['outcome'], log: step.stdout }).toEqual({
    outcome: 'succeeded',
    log: expect.anything(),
  });
  expect(step.exitCode).toBe(0);
  return step;
};

describe.each(FORMATS)('with http_event %s', (format) => {
  const send = (functionName: string, text: string, inputs = {}): Promise<InvokeStep> =>
    request(functionName, text, { http_event: format, ...inputs });

  test('the smoke test of a Powertools API is a request and an expectation', async () => {
    const inputs = { expect: 'http.body.ok == `true`' };
    const step = succeeded(await send('powertools', 'GET /health', inputs));
    expect(httpOf(step)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: { ok: true },
    });
    expect(lambda.executions('powertools')).toHaveLength(1);
  });

  test('parameters, queries, headers and JSON bodies reach a Powertools API', async () => {
    const found = await send('powertools', 'GET /orders/7?deep=a%20b\nUser-Agent: check/1');
    // A load balancer decodes no parameter, and neither does Powertools.
    const deep = format === 'alb' ? 'a%20b' : 'a b';
    expect(httpOf(succeeded(found))['body']).toEqual({ id: '7', deep, agent: 'check/1' });
    const text = 'POST /orders\ncontent-type: application/json\n\n{"article": "tea",\n "count": 2}\n';
    const created = await send('powertools', text, { expect: 'http.body.created.count == `2`' });
    expect(httpOf(succeeded(created))['body']).toEqual({ created: { article: 'tea', count: 2 } });
  });

  test('repeated parameters, cookies and bodies reach a server behind serverless-http', async () => {
    const text = [
      'PUT https://api.example.com/a/b?tag=x&tag=y%2Fz HTTP/1.1',
      'Cookie: session=1; theme=dark',
      'X-Custom: ä, ö',
      'Content-Type: text/plain',
      '',
      '  first line  ',
      '',
      'last line',
    ];
    const step = succeeded(await send('server', text.join('\n')));
    expect(httpOf(step)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json', 'set-cookie': ['a=1; Path=/', 'b=2'] },
      body: {
        method: 'PUT',
        path: '/a/b',
        tags: ['x', 'y/z'],
        cookie: 'session=1; theme=dark',
        host: 'api.example.com',
        custom: 'ä, ö',
        ...(format !== 'alb' && { ip: '192.0.2.1' }),
        body: '  first line  \n\nlast line',
      },
    });
  });

  test('a form reaches a server as it was written, though it travels in base64', async () => {
    const text = 'POST /\nContent-Type: application/x-www-form-urlencoded\n\na=1&b=%C3%A4\n';
    expect(httpOf(succeeded(await send('server', text)))['body']).toMatchObject({ body: 'a=1&b=%C3%A4' });
  });

  test('a status of 400 or more fails the step, which shows it with the start of the body', async () => {
    const step = await send('powertools', 'GET /down');
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('expectation_failed');
    const [annotation] = step.annotations;
    expect(annotation?.title).toBe('Expectation Not Met');
    expect(annotation?.message).toContain('Expected http.status < `400`');
    expect(annotation?.message).toContain('Actual:   503');
    expect(annotation?.message).toContain('Body:     {"ok":false,"why":"no database"}');
    expect(step.summary).toContain('503: {"ok":false,"why":"no database"}');
    expect(lambda.executions('powertools')).toHaveLength(1);
  });

  test('an expectation on http decides alone which status is good', async () => {
    succeeded(await send('powertools', 'GET /down', { expect: 'http.status == `503`' }));
    succeeded(
      await send('powertools', 'GET /nowhere', { expect: "contains('404', to_string(http.status))" }),
    );
    const other = await send('powertools', 'GET /down', { expect: 'status_code == `200`' });
    expect(other.outputs['outcome']).toBe('expectation_failed');
  });

  test.each([
    ['a status that is no number', { statusCode: 'OK' }, 'statusCode is a string, not a status code'],
    ['headers in a list', { statusCode: 200, headers: [] }, 'headers is a list, not an object'],
    ['a body that is an object', { statusCode: 200, body: {} }, 'body is an object. It must be a string'],
  ])('a response with %s is a 502, and the annotation says why', async (_, response, why) => {
    const text = `POST /\ncontent-type: application/json\n\n${JSON.stringify(response)}`;
    const step = await send('returnsBody', text);
    expect(step.exitCode).toBe(1);
    expect(httpOf(step)).toMatchObject({ status: 502, body: { message: 'Internal server error' } });
    expect(step.annotations[0]?.message).toContain(
      `API Gateway does not accept this response, and responds with 502: ${why}`,
    );
  });
});

describe('a response', () => {
  test('without a status is the body in format 2.0, and a 502 in the others', async () => {
    const step = succeeded(await request('shorthand', 'GET /', { expect: 'http.body.ok' }));
    expect(httpOf(step)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: { ok: true },
    });
    for (const format of ['1.0', 'alb']) {
      const refused = await request('shorthand', 'GET /', { http_event: format });
      expect(refused.exitCode).toBe(1);
      expect(refused.annotations[0]?.message).toContain('responds with 502: statusCode is missing.');
    }
  });

  test('of a REST API written by hand, with a stage, a source address and a time', async () => {
    const step = succeeded(await request('restByHand', 'GET /health', { http_event: '1.0' }));
    expect(httpOf(step)).toEqual({
      status: 200,
      headers: {},
      body: {
        proxy: 'health',
        stage: 'prod',
        ip: '192.0.2.1',
        requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/20\d\d:\d\d:\d\d:\d\d \+0000$/),
      },
    });
    expect((await request('restByHand', 'GET /missing', { http_event: '1.0' })).exitCode).toBe(1);
  });

  test('that is binary is in base64, with all its cookies', async () => {
    const step = succeeded(await request('restByHand', 'GET /image', { http_event: '1.0' }));
    expect(httpOf(step)).toEqual({
      status: 200,
      headers: { 'content-type': 'image/png', 'set-cookie': ['a=1', 'b=2'] },
      body: 'iVBORw0KGgo=',
    });
  });

  test('of a target written by hand is decoded from base64', async () => {
    const inputs = { http_event: 'alb', expect: 'http.body.ok' };
    succeeded(await request('targetByHand', 'GET /', inputs));
  });

  test.each([{}, { response_stream: 'true' }])('of HttpResponseStream is read with %j', async (inputs) => {
    const step = succeeded(await request('streamed', 'GET /health', { ...inputs, expect: 'http.body.ok' }));
    expect(httpOf(step)).toMatchObject({ status: 200, body: { ok: true } });
    const down = await request('streamed', 'GET /down', inputs);
    expect(down.exitCode).toBe(1);
    expect(httpOf(down)).toMatchObject({ status: 503 });
  });

  test.each([
    ['200', 'succeeded'],
    ['500', 'expectation_failed'],
  ])('of over 6 MB with status %s has its status and headers, and has %s', async (status, outcome) => {
    const inputs = { response_stream: 'true', response_file: 'long.csv' };
    const step = await request('streamsLong', `GET /?lines=8192&status=${status}`, inputs);
    expect(step.outputs['outcome']).toBe(outcome);
    expect(httpOf(step)).toEqual({
      status: Number(status),
      headers: { 'content-type': 'text/csv', 'set-cookie': ['a=1'] },
    });
  });

  test('of a function that failed is the 502 that a client gets', async () => {
    const inputs = { fail_on_function_error: 'false' };
    const passed = await request('throws', 'GET /', inputs);
    expect({ outcome: passed.outputs['outcome'], exitCode: passed.exitCode }).toEqual({
      outcome: 'function_error',
      exitCode: 0,
    });
    const expected = { ...inputs, expect: 'http.status == `502`' };
    expect((await request('throws', 'GET /', expected)).exitCode).toBe(0);
    // The same as the action's own expectation, but the user's.
    const unmet = await request('throws', 'GET /', { ...inputs, expect: 'http.status < `400`' });
    expect({ outcome: unmet.outputs['outcome'], exitCode: unmet.exitCode }).toEqual({
      outcome: 'expectation_failed',
      exitCode: 1,
    });
    const failed = await request('throws', 'GET /');
    expect(failed.outputs['outcome']).toBe('function_error');
  });
});

test("each entry of a list has its own request, its own format or the step's", async () => {
  const step = await invokeStep(lambda, {
    http_request: 'GET /health',
    expect: 'http.body.ok == `true`',
    invocations: [
      '- powertools',
      '- { function_name: powertools, http_event: 1.0 }',
      '- function_name: powertools',
      '  http_event: alb',
      '  http_request: |',
      '    GET /down',
      '- { function_name: targetByHand, http_event: ALB }',
    ].join('\n'),
  });
  const outcomes = step.outcomeLines.map((line) => fieldsOf(JSON.parse(line)));
  const endings = outcomes.toSorted((one, other) => Number(one['index']) - Number(other['index']));
  expect(endings.map(({ outcome }) => outcome)).toEqual([
    'succeeded',
    'succeeded',
    'expectation_failed',
    'succeeded',
  ]);
});

test('a mask on http hides the value everywhere', async () => {
  const text =
    'POST /\ncontent-type: application/json\n\n{"statusCode":200,"body":"{\\"token\\":\\"s3cret-value\\"}"}';
  const step = succeeded(
    await request('returnsBody', text, { mask: 'http.body.token', show_response: 'true' }),
  );
  expect(httpOf(step)['body']).toEqual({ token: '***' });
  expect(step.stdout.replace(/^::add-mask::.*$/gm, '')).not.toContain('s3cret-value');
});

test('a mask on http that finds nothing withholds the response', async () => {
  const step = await request('powertools', 'GET /health', { mask: 'http.body.token', show_response: 'true' });
  expect(step.annotations.map(({ title }) => title)).toEqual(['Response Withheld']);
  expect(step.stdout).not.toContain('"ok":true');
});

test('with a mask, a body in base64 is not shown, since no mask finds what is in it', async () => {
  const inputs = { http_event: 'alb', mask: 'http.body.ok', show_response: 'true' };
  const step = await request('targetByHand', 'GET /', inputs);
  expect(step.stdout).not.toContain(Buffer.from('{"ok":true}').toString('base64'));
  expect(step.outcomeLines.join('\n')).not.toContain('"ok":true');
  expect(step.annotations.map(({ title }) => title)).toContain('Response Withheld');
});

test.each([
  ['an Event', { invocation_type: 'Event' }, 'http_request needs invocation_type RequestResponse or DryRun'],
  ['a second payload', { payload: '{}' }, 'payload and http_request are both given. Keep one of them.'],
  [
    'mistakes in several lines',
    { http_request: 'FETCH health\nAccept\n\n### next' },
    'http_request, line 1: "FETCH" is not a method',
  ],
])('%s is refused before anything is sent', async (_, inputs, problem) => {
  const step = await request('powertools', 'GET /health', inputs);
  expect(step.exitCode).toBe(1);
  expect(step.annotations[0]?.message).toContain(problem);
  expect(lambda.requests).toHaveLength(0);
});

test('a dry run checks the permission and has no http', async () => {
  const step = succeeded(await request('powertools', 'GET /health', { invocation_type: 'DryRun' }));
  expect(httpOf(step)).toEqual({});
  expect(lambda.executions()).toHaveLength(0);
});

test('a journal knows the request again, though its event has another time', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'http-'));
  try {
    const inputs = { journal: path.join(folder, 'journal.jsonl') };
    succeeded(await request('powertools', 'GET /health', inputs));
    const again = succeeded(await request('powertools', 'GET /health', inputs));
    expect(again.outputs['resumed']).toBe('1');
    expect(httpOf(again)).toMatchObject({ status: 200, body: { ok: true } });
    expect(lambda.executions('powertools')).toHaveLength(1);
    const other = succeeded(await request('powertools', 'GET /orders/7', inputs));
    expect(other.outputs['resumed']).toBe('0');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
