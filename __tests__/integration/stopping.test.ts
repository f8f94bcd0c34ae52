import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { portOf } from '../../packages/local-server/listening.ts';
import { Clients } from '../../src/lambda/client.ts';
import { CONNECT_LIMIT_MS, ECHO, invokeOn, manualTiming, POLICY, useLambda } from './invoke-context.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Starts a server on loopback. Returns its host and port. */
async function listen(server: Server): Promise<string> {
  server.on('connection', (socket) => undo.push(() => socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => server.close());
  return `127.0.0.1:${portOf(server)}`;
}

/** A server instead of Lambda, and the first part of a request that it gets. */
type InPlace<Came> = Readonly<{ url: string; came: Promise<Came> }>;

/** Points the SDK at a server instead of Lambda that passes on what it receives and never responds. */
async function standIn<Came>(
  scheme: 'http' | 'https',
  serve: (hand: (came: Came) => void) => Server,
): Promise<InPlace<Came>> {
  const { promise: came, resolve } = Promise.withResolvers<Came>();
  const url = `${scheme}://${await listen(serve(resolve))}`;
  undo.push(useLambda(url));
  return { url, came };
}

/** It accepts requests, and the test sends the responses. */
const startSilent = (): Promise<InPlace<ServerResponse>> =>
  standIn('http', (hand) => createServer((_, response) => hand(response)));

/** It accepts connections and never completes a TLS handshake. */
const startMute = (): Promise<InPlace<Socket>> => standIn('https', (hand) => createTcpServer(hand));

function newClients(): Clients {
  const clients = new Clients({});
  undo.push(() => clients.close());
  return clients;
}

async function startLambda(): Promise<LocalLambda> {
  const lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  undo.push(() => lambda.close(), useLambda(lambda.url));
  return lambda;
}

describe('an invocation that has timed out', () => {
  test('while loading credentials is not sent when they arrive', async () => {
    const lambda = await startLambda();
    const asked = Promise.withResolvers<ServerResponse>();
    const provider = await listen(createServer((_, response) => asked.resolve(response)));
    delete process.env['AWS_ACCESS_KEY_ID'];
    delete process.env['AWS_SECRET_ACCESS_KEY'];
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `http://${provider}/`;

    const timing = manualTiming();
    const clients = newClients();
    const delivering = invokeOn(lambda, { clients, timing });
    const response = await asked.promise;
    timing.goOff(POLICY.timeoutMs);
    const { result } = await delivering;
    expect(result).toMatchObject({ kind: 'failure', name: 'DeadlineExceeded', evidence: 'did_not_run' });

    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        AccessKeyId: 'ASIAIOSFODNN7EXAMPLE',
        SecretAccessKey: 'a-secret',
        Token: 'a-token',
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    );
    // Later requests use these credentials, and nothing else is sent.
    const next = await invokeOn(lambda, { clients, timing });
    expect(next.result.kind).toBe('response');
    expect(lambda.requests).toHaveLength(1);
  });

  test('while waiting for a response closes its connection', async () => {
    const silent = await startSilent();
    const timing = manualTiming();
    const delivering = invokeOn(silent, { clients: newClients(), timing });
    const closed = once(await silent.came, 'close');
    timing.goOff(POLICY.timeoutMs);
    const { result } = await delivering;
    expect(result).toMatchObject({ kind: 'failure', name: 'DeadlineExceeded', evidence: 'may_have_run' });
    await closed;
  });
});

describe('ten seconds', () => {
  test('without an established connection end an attempt that sent nothing', async () => {
    const mute = await startMute();
    const timing = manualTiming();
    const delivering = invokeOn(mute, { clients: newClients(), timing, policy: { retry: 'never' } });
    const closed = once((await mute.came).resume(), 'close');
    timing.goOff(CONNECT_LIMIT_MS);
    const { result } = await delivering;
    expect(result).toMatchObject({
      kind: 'failure',
      name: 'ConnectTimeout',
      evidence: 'did_not_run',
      mayClear: true,
    });
    await closed;
  });

  test('of waiting for a response end nothing', async () => {
    const slow = await startSilent();
    const timing = manualTiming();
    const delivering = invokeOn(slow, { clients: newClients(), timing });
    const response = await slow.came;
    timing.goOff(CONNECT_LIMIT_MS);
    response.setHeader('x-amzn-requestid', 'one').end('"at last"');
    const { result } = await delivering;
    expect(result).toMatchObject({ kind: 'response', statusCode: 200 });
  });
});
