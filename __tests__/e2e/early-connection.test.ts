import type { ChildProcess } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { makeCertificate } from '../../packages/local-proxy/certificate.ts';
import { type Front, join, startFront } from '../../packages/local-proxy/front.ts';
import { startLocalProxy } from '../../packages/local-proxy/server.ts';
import { type Listening, listen } from '../../packages/local-server/listening.ts';
import { until } from '../until.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

const certificate = makeCertificate(['localhost', '127.0.0.1']);
const pem = 'missing' in certificate ? undefined : certificate;
const suite = pem === undefined ? describe.skip : describe;
const because = 'missing' in certificate ? ` (skipped: ${certificate.missing})` : '';

const INPUTS = { function_name: 'echo', payload: '{"a":1}' };
const REFUSED = { ...INPUTS, timeout_seconds: 'soon' };

/** What the endpoint does with its nth connection, counted from 0; without it, Lambda is behind it. */
type Greeting = (socket: Socket) => void;

/** An endpoint that speaks TLS, and how many connections it has had. */
type Endpoint = Listening & Readonly<{ url: string; readonly accepted: number; readonly closed: number }>;

let lambda: LocalLambda;
let tls: Front;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  tls = await startFront({
    targetPort: Number(new URL(lambda.url).port),
    ...(pem !== undefined && { certificate: pem }),
  });
});
beforeEach(() => lambda.reset());
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(async () => {
  await tls.close();
  await lambda.close();
  pem?.dispose();
});

async function startEndpoint(greetings: readonly Greeting[] = []): Promise<Endpoint> {
  let accepted = 0;
  let closed = 0;
  const server = createServer((socket) => {
    const greet = greetings[accepted];
    accepted += 1;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      closed += 1;
    });
    if (greet === undefined) join(socket, connect(tls.port, '127.0.0.1'));
    else greet(socket);
  });
  const listening = await listen(server);
  undo.push(() => listening.close());
  return {
    port: listening.port,
    url: `https://127.0.0.1:${listening.port}`,
    get connections() {
      return listening.connections;
    },
    get accepted() {
      return accepted;
    },
    get closed() {
      return closed;
    },
    cut: listening.cut,
    close: listening.close,
  };
}

/** Completes TLS, and then does something with the connection. */
const afterHandshake =
  (then: (secure: TLSSocket, socket: Socket) => void): Greeting =>
  (socket) => {
    const server = createTlsServer({ key: pem?.key, cert: pem?.cert }, (secure) => {
      secure.on('error', () => secure.destroy());
      then(secure, socket);
    });
    server.emit('connection', socket);
  };

const silence: Greeting = (socket) => {
  socket.resume();
};

/** Credentials that a step gets only once something is so: until then it sends no request. */
async function credentialsOnce(isSo: () => boolean): Promise<Record<string, string>> {
  const server = createHttpServer(async (_, response) => {
    await until(isSo);
    response.end(
      JSON.stringify({
        AccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        SecretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        Token: 'token-of-the-container',
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    );
  });
  const { port, close } = await listen(server);
  undo.push(close);
  return {
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/credentials`,
  };
}

const invokeAt = (
  { url }: Pick<Endpoint, 'url'>,
  inputs: Readonly<Record<string, string>> = INPUTS,
  { env = {}, ...options }: Parameters<typeof invokeStep>[2] = {},
): Promise<InvokeStep> =>
  invokeStep({ url, region: lambda.region }, inputs, {
    ...options,
    env: { ...(pem !== undefined && { NODE_EXTRA_CA_CERTS: pem.file }), ...env },
  });

function expectSucceededOnce(step: InvokeStep): void {
  // The SDK warns of credentials that take a second.
  expect(step.stderr.replace(/^@smithy\/node-http-handler - \[WARN\] .*\n/, '')).toBe('');
  expect(step.outputs).toMatchObject({ outcome: 'succeeded', attempts: '1', response: '{"a":1}' });
  expect(step.exitCode).toBe(0);
  expect(lambda.executions('echo')).toHaveLength(1);
}

suite(`the connection that a step opens before its code is loaded${because}`, () => {
  test('is there before the inputs are read, and is closed when they are refused', async () => {
    const endpoint = await startEndpoint([silence]);
    const step = await invokeAt(endpoint, REFUSED);
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(step.stderr).toBe('');
    await until(() => endpoint.closed === 1);
    expect(endpoint.accepted).toBe(1);
  });

  test('is the one that the request goes over', async () => {
    const endpoint = await startEndpoint();
    expectSucceededOnce(await invokeAt(endpoint));
    expect(endpoint.accepted).toBe(1);
  });

  test('is the one that the first of several requests goes over', async () => {
    const endpoint = await startEndpoint();
    const step = await invokeAt(endpoint, { ...INPUTS, repeat: '3' });
    expect(step.outputs['succeeded']).toBe('3');
    expect(lambda.executions('echo')).toHaveLength(3);
    expect(endpoint.accepted).toBe(3);
  });

  test('is opened to a host name, with its name', async () => {
    const endpoint = await startEndpoint();
    expectSucceededOnce(await invokeAt({ url: endpoint.url.replace('127.0.0.1', 'localhost') }));
    expect(endpoint.accepted).toBe(1);
  });

  test('is not opened through a proxy, nor past it', async () => {
    const endpoint = await startEndpoint();
    const proxy = await startLocalProxy();
    undo.push(() => proxy.close());
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    await invokeAt(endpoint, REFUSED, { env });
    expect({ accepted: endpoint.accepted, tunnels: proxy.requests.length }).toEqual({
      accepted: 0,
      tunnels: 0,
    });
    expectSucceededOnce(await invokeAt(endpoint, INPUTS, { env }));
    expect({ accepted: endpoint.accepted, tunnels: proxy.requests.length }).toEqual({
      accepted: 1,
      tunnels: 1,
    });
  });

  test('is not opened for a list, whose entries may be in several regions', async () => {
    const endpoint = await startEndpoint();
    const invocations = '[{ region: eu-west-1 }, { region: us-east-1, timeout_seconds: soon }]';
    await invokeAt(endpoint, { ...INPUTS, invocations });
    expect(endpoint.accepted).toBe(0);
    await invokeAt(endpoint, { ...INPUTS, invocations: invocations.replace('soon', '60') });
    expect(lambda.requests).toHaveLength(2);
    expect(endpoint.accepted).toBe(2);
  });

  test.each<[string, Greeting]>([
    // Without reading, the close is not seen once the first message of the handshake has arrived.
    ['is closed', (socket) => socket.resume().end()],
    ['is reset', (socket) => socket.resetAndDestroy()],
    ['is closed after the handshake', afterHandshake((secure) => secure.end())],
    ['is reset after the handshake', afterHandshake((_, socket) => socket.resetAndDestroy())],
    // Three seconds.
    ['is kept by the other side, and not used for too long', afterHandshake((secure) => secure.resume())],
    ['never completes its handshake', silence],
  ])('is replaced where it %s before the request is sent', async (_, greet) => {
    const endpoint = await startEndpoint([greet]);
    const env = await credentialsOnce(() => endpoint.closed === 1);
    expectSucceededOnce(await invokeAt(endpoint, INPUTS, { env }));
    expect(endpoint.accepted).toBe(2);
  });

  test.each<[string, (secure: TLSSocket, response: string) => void]>([
    ['stays open', (secure, response) => secure.write(response)],
    ['is closed', (secure, response) => secure.end(response)],
  ])('is replaced where a response arrived before there is a request, and it %s', async (_, respond) => {
    let isWritten = false;
    const greet = afterHandshake((secure) => {
      respond(secure, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
      secure.write('', () => {
        isWritten = true;
      });
    });
    const endpoint = await startEndpoint([greet]);
    expectSucceededOnce(await invokeAt(endpoint, INPUTS, { env: await credentialsOnce(() => isWritten) }));
    expect(endpoint.accepted).toBe(2);
  });

  test('is waited for no longer than the request may take', async () => {
    const endpoint = await startEndpoint([silence, silence]);
    const step = await invokeAt(endpoint, { ...INPUTS, timeout_seconds: '1' });
    expect(step.outputs).toMatchObject({ outcome: 'not_invoked' });
    expect(step.stdout).not.toContain('proxy');
    expect(endpoint.accepted).toBe(1);
    await until(() => endpoint.closed === 1);
  });

  test('counts toward the ten seconds that a request waits for a connection', async () => {
    const endpoint = await startEndpoint([silence, silence, silence]);
    const step = await invokeAt(endpoint, { ...INPUTS, retry: 'never' });
    expect(step.outputs).toMatchObject({ outcome: 'not_invoked', attempts: '1' });
    expect(step.stdout).toContain('could not connect within 10 s');
    expect(endpoint.accepted).toBe(2);
  });

  test('is given up when the workflow is cancelled', async () => {
    const endpoint = await startEndpoint([silence]);
    let child: ChildProcess | undefined;
    const running = invokeAt(endpoint, INPUTS, {
      onStart: (started) => {
        child = started;
      },
    });
    await until(() => endpoint.accepted === 1);
    child?.kill('SIGINT');
    const step = await running;
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(step.exitCode).toBe(1);
    await until(() => endpoint.connections === 0);
    expect(endpoint.accepted).toBe(1);
  });

  test('changes nothing in the failure of a host that refuses connections', async () => {
    const endpoint = await startEndpoint();
    await endpoint.close();
    undo.pop();
    const step = await invokeAt(endpoint, { ...INPUTS, retry: 'never' });
    expect(step.stderr).toBe('');
    expect(step.outputs).toMatchObject({ outcome: 'not_invoked', attempts: '1' });
    expect(step.stdout).toContain('ECONNREFUSED');
    expect(step.stdout).not.toContain('proxy');
  });

  test('is not trusted without the certificate of its authority', async () => {
    const endpoint = await startEndpoint();
    const step = await invokeAt(
      endpoint,
      { ...INPUTS, retry: 'never' },
      { env: { NODE_EXTRA_CA_CERTS: '' } },
    );
    expect(step.outputs).toMatchObject({ outcome: 'not_invoked', attempts: '1' });
    expect(step.stderr).toBe('');
    expect(lambda.requests).toHaveLength(0);
  });

  test('is replaced where options of Node.js do not fit together, and the request says so', async () => {
    const endpoint = await startEndpoint();
    const env = { NODE_OPTIONS: '--tls-cipher-list=none-of-these' };
    const step = await invokeAt(endpoint, { ...INPUTS, retry: 'never' }, { env });
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(step.stdout).toContain('no cipher match');
  });
});
