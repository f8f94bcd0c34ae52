import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { runStep } from '../../packages/local-runner/run-step.ts';
import { portOf } from '../../packages/local-server/listening.ts';
import { followPeak } from './peak-memory.ts';
import { type InvokeStep, invokeStep, jobEnvironment, withoutCredentials } from './step.ts';

/** Responds instead of Lambda: with any bytes, and with headers in addition to the common ones. */
type Reply = Readonly<{
  status?: number;
  body: string | Uint8Array;
  headers?: Readonly<Record<string, string>>;
}>;

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const TOKEN = `IQoJb3JpZ2luX2VjE+${'0123456789/abcdef'.repeat(40)}==`;

let server: Server;
let lambda: { url: string; region: string };
let reply: (headers: IncomingHttpHeaders, body: string) => Reply;
/** The headers of the invocation requests, in order. */
let requests: IncomingHttpHeaders[];

const CONTAINER = JSON.stringify({
  ...{ AccessKeyId: 'FROMCONTAINER', SecretAccessKey: SECRET, Token: TOKEN },
  Expiration: '2999-01-01T00:00:00Z',
});

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.url === '/container') return response.end(CONTAINER);
    requests.push(request.headers);
    const { status = 200, body, headers = {} } = reply(request.headers, Buffer.concat(chunks).toString());
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-amzn-requestid': randomUUID(),
      'x-amz-executed-version': '1',
      ...headers,
    });
    return response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  lambda = { url: `http://127.0.0.1:${portOf(server)}`, region: 'eu-west-1' };
});
beforeEach(() => {
  requests = [];
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** Everything that a person can see of a step: its log as shown in a browser, its summary, its outcomes file. */
const everythingShown = ({ lines, annotations, summary, outcomeLines }: InvokeStep): string =>
  [
    ...lines.map(({ text }) => text),
    ...annotations.flatMap(({ title, message }) => [title, message]),
    summary,
    ...outcomeLines,
  ].join('\n');

const ALL = { function_name: 'f', payload: '{}', show_response: 'true', log_type: 'Tail' };

const logHeader = (log: string): Readonly<Record<string, string>> => ({
  'x-amz-log-result': Buffer.from(log).toString('base64'),
});

describe('a response that masks cannot read', () => {
  const masked = { ...ALL, mask: 'response.token' };

  test.each([
    ['nested over 500 levels', `{"token":"s3cr3t-text","deep":${'['.repeat(501)}${']'.repeat(501)}}`],
    ['followed by a byte', '{"token":"s3cr3t-text"}\n;'],
    ['a text', 'token: s3cr3t-text'],
  ])('is withheld with the log if it is %s, but is in the outputs', async (_, body) => {
    reply = () => ({ body, headers: logHeader('token s3cr3t-text\n') });
    const step = await invokeStep(lambda, masked);
    expect(step.exitCode).toBe(0);
    expect(everythingShown(step)).not.toContain('s3cr3t-text');
    expect(step.annotations).toEqual([
      {
        level: 'warning',
        title: 'Response Withheld',
        message:
          'f: the response and the log are not shown, because the response is not JSON, and masks can be applied to JSON only. The outputs have them.',
      },
    ]);
    expect(step.outputs['response']).toBe(body);
    expect(step.outputs['log_result']).toContain('s3cr3t-text');
  });

  test('is read and masked if it only has a byte order mark', async () => {
    reply = () => ({
      body: '\ufeff{"token":"s3cr3t-text","other":"shown"}',
      headers: logHeader('s3cr3t-text\n'),
    });
    const step = await invokeStep(lambda, { ...masked, query: 'response.other' });
    expect(everythingShown(step)).not.toContain('s3cr3t-text');
    expect(step.stdout).toContain('{"token":"***","other":"shown"}');
    expect(step.annotations).toEqual([]);
    expect(step.outputs['query_result']).toBe('shown');
  });

  test('is withheld if it is not from Lambda', async () => {
    reply = () => ({ status: 502, body: '{"token":"s3cr3t-text"}' });
    const step = await invokeStep(lambda, { ...masked, retry: 'never' });
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('unknown');
    expect(everythingShown(step)).not.toContain('s3cr3t-text');
    expect(step.annotations.map(({ level }) => level)).toEqual(['error', 'warning']);
  });
});

test('200 secrets with one long start in a response of 164 KB are masked in time', async () => {
  const start = 's'.repeat(64);
  const secrets = Array.from({ length: 200 }, (_, at) => `${start}${'x'.repeat(at)}${at}`);
  reply = () => ({ body: JSON.stringify({ secrets, text: start.repeat(2_000) }) });
  let timer: NodeJS.Timeout | undefined;
  const step = await invokeStep(
    lambda,
    { ...ALL, mask: 'response.secrets' },
    {
      onStart: (child) => {
        timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      },
    },
  );
  clearTimeout(timer);
  expect(step.exitCode).toBe(0);
  expect(JSON.parse(step.outcomeLines[0] ?? '').response.secrets).toEqual(secrets.map(() => '***'));
});

test('a response with over 10,000 secrets is withheld', async () => {
  const secrets = Array.from({ length: 10_001 }, (_, at) => `secret-${at}`);
  reply = () => ({ body: JSON.stringify(secrets) });
  const step = await invokeStep(lambda, { ...ALL, mask: 'response' });
  expect(step.exitCode).toBe(0);
  expect(everythingShown(step)).not.toContain('secret-77');
  expect(step.masks.filter((text) => text.startsWith('secret-'))).toEqual([]);
  expect(step.annotations[0]?.message).toContain('the masks find too many secrets');
});

test('a mask hides its secret in the summary and in the whole outcomes file', async () => {
  reply = () => ({
    body: '{"token":"tenant-s3cr3t"}',
    headers: { 'x-amz-executed-version': 'tenant-s3cr3t' },
  });
  const step = await invokeStep(lambda, { ...ALL, tenant_id: 'tenant-s3cr3t', mask: 'response.token' });
  expect(everythingShown(step)).not.toContain('tenant-s3cr3t');
  expect(step.summary).toContain('version `***`');
  expect(JSON.parse(step.outcomeLines[0] ?? '')).toMatchObject({
    outcome: 'succeeded',
    status_code: 200,
    tenant_id: '***',
    executed_version: '***',
  });
});

describe('a query for an inherited property', () => {
  test.each(['constructor', 'toString', 'valueOf', '__proto__'])(
    '%s is null, and everything is reported',
    async (name) => {
      reply = () => ({ body: '{"a":1}' });
      const step = await invokeStep(lambda, {
        ...ALL,
        query: `response.${name}`,
        expect: `response.${name} == \`null\``,
      });
      expect(step.exitCode).toBe(0);
      expect(step.outputs).toMatchObject({ outcome: 'succeeded', query_result: '', total: '1' });
      expect(step.summary).toContain('succeeded');
    },
  );
});

test('gzip that expands to 256 MB fails its expression without using the memory', async () => {
  reply = () => ({
    body: JSON.stringify({ blob: gzipSync(Buffer.alloc(256 * 1024 * 1024)).toString('base64') }),
  });
  let peak = (): number => 0;
  const step = await invokeStep(
    lambda,
    { function_name: 'f', payload: '{}', query: 'length(powertools_base64_gzip(response.blob))' },
    {
      onStart: (child) => {
        peak = followPeak(child);
      },
    },
  );
  expect(step.exitCode).toBe(0);
  expect(step.annotations.map(({ title, message }) => [title, message])).toEqual([
    ['No Query Value', 'f: powertools_base64_gzip returns more than 32 MiB'],
  ]);
  if (process.platform === 'linux') {
    expect(peak()).toBeGreaterThan(30);
    expect(peak()).toBeLessThan(200);
  }
});

describe('credentials of the step in a response', () => {
  const PASSWORD = 'p%40ssword';
  const env = {
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_SESSION_TOKEN: TOKEN,
    HTTPS_PROXY: `http://user:${PASSWORD}@127.0.0.1:9`,
  };
  const inputs = { ...ALL, github_token: 'ghs_0123456789abcdef' };
  const basic = Buffer.from('user:p@ssword').toString('base64');
  const secrets = [SECRET, TOKEN, PASSWORD, 'p@ssword', basic, 'ghs_0123456789abcdef'];

  /** The response has the headers of the request and the whole environment, as JSON and as text. */
  const echo = (headers: IncomingHttpHeaders): string => JSON.stringify({ headers, secrets });
  const signatures = (): string[] =>
    requests.map(({ authorization = '' }) => authorization.slice(authorization.lastIndexOf('=') + 1));

  function expectHidden(step: InvokeStep, shown = everythingShown(step)): void {
    expect(signatures()[0]).toMatch(/^[0-9a-f]{64}$/);
    for (const secret of [...secrets, ...signatures()]) {
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain(JSON.stringify(JSON.stringify(secret)).slice(3, -3));
    }
  }

  test('are not shown, wherever they are repeated', async () => {
    reply = (headers) => ({
      body: echo(headers),
      headers: { ...logHeader(`${echo(headers)}\n${JSON.stringify(echo(headers)).slice(0, 4000)}\n`) },
    });
    const step = await invokeStep(lambda, inputs, { env });
    expect(step.exitCode).toBe(0);
    expectHidden(step);
    // The step's own output, before a runner masks it.
    expectHidden(step, step.stdout.replace(/^::add-mask::.*$/gm, ''));
    expect(JSON.parse(step.outputs['response'] ?? '').headers['x-amz-security-token']).toBe(TOKEN);
  });

  test('are not shown when the function fails with them', async () => {
    reply = (headers) => ({
      body: JSON.stringify({ errorType: 'Error', errorMessage: echo(headers), trace: [echo(headers)] }),
      headers: { 'x-amz-function-error': 'Unhandled' },
    });
    const step = await invokeStep(lambda, { ...inputs, expect: "response.errorMessage == 'x'" }, { env });
    expect(step.annotations).toHaveLength(1);
    expectHidden(step, `${everythingShown(step)}${step.stdout.replace(/^::add-mask::.*$/gm, '')}`);
  });

  test('are not shown when a response that is not from Lambda contains them, cut or not', async () => {
    reply = (headers) => ({ status: 502, body: `<p>${'x'.repeat(100)} ${TOKEN} ${echo(headers)}` });
    const step = await invokeStep(lambda, { ...inputs, retry: 'never' }, { env });
    expect(step.outputs['outcome']).toBe('unknown');
    expectHidden(step);
    expect(everythingShown(step)).not.toContain(TOKEN.slice(0, 24));
  });

  test('are registered with the runner before anything else is printed', async () => {
    reply = () => ({ body: 'null' });
    const step = await runStep({ with: inputs, env: { ...jobEnvironment(lambda), ...env } });
    step.dispose();
    expect(step.masks).toEqual(expect.arrayContaining(secrets));
    expect(withoutCredentials(step.stdout)).toMatch(/^Invoking f /);
    expect(withoutCredentials(step.stdout)).not.toContain('::add-mask::');
  });

  test('are masked if only the credential chain of the SDK finds them', async () => {
    reply = (headers) => ({ body: JSON.stringify({ headers, key: SECRET }) });
    const step = await invokeStep(lambda, ALL, {
      env: {
        AWS_ACCESS_KEY_ID: '',
        AWS_SECRET_ACCESS_KEY: '',
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${lambda.url}/container`,
      },
    });
    expect(step.exitCode).toBe(0);
    expect(requests[0]?.['authorization']).toContain('Credential=FROMCONTAINER/');
    const written = `${everythingShown(step)}${step.stdout.replace(/^::add-mask::.*$/gm, '')}`;
    for (const secret of [SECRET, TOKEN, ...signatures()]) expect(written).not.toContain(secret);
    expect(written).toContain('FROMCONTAINER');
    expect(step.masks).toEqual(expect.arrayContaining([SECRET, TOKEN]));
  });

  test.each(['false', 'true'])(
    'are not shown in part where a log tail is cut (follow_log: %s)',
    async (follow) => {
      const tail = `${SECRET.slice(1)} in the log\n`.padEnd(4_095, 'x');
      reply = (_headers, body) =>
        body === '{}'
          ? { body: '{}', headers: logHeader(`${tail}\n`) }
          : { status: 400, body: '{"__type":"ValidationException"}' };
      const step = await invokeStep(
        lambda,
        { ...ALL, follow_log: follow },
        { env: { ...env, AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: lambda.url } },
      );
      const written = `${everythingShown(step)}${withoutCredentials(step.stdout)}`;
      expect(written).toContain('*** in the log');
      expect(written).not.toContain(SECRET.slice(-20));
    },
  );

  test('leave a log readable if they are placeholders for an emulator', async () => {
    reply = () => ({ body: '{"a":"test"}' });
    const step = await invokeStep(
      lambda,
      { ...ALL, function_name: 'test-function' },
      {
        env: { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_SESSION_TOKEN: 'test' },
      },
    );
    expect(step.masks).not.toContain('test');
    expect(step.summary).toContain('`test-function`');
  });

  test('leave a response without them unchanged', async () => {
    reply = () => ({ body: '{ "id": 12345678901234567890,\n  "one": 1.0 }' });
    const step = await invokeStep(lambda, ALL, { env });
    expect(step.stdout).toContain('{ "id": 12345678901234567890,\n  "one": 1.0 }');
  });
});
