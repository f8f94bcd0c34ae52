import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { invokeComplete, payloadChunk } from '../../packages/local-lambda/event-stream.ts';
import {
  type LocalProxy,
  type LocalProxyOptions,
  type Obstruction,
  startLocalProxy,
} from '../../packages/local-proxy/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import { streamOnce } from '../../src/lambda/stream.ts';
import { type RawResponder, type RawServer, startRawServer } from '../raw-server.ts';
import { until } from '../until.ts';
import { CONNECT_LIMIT_MS, invokeOn, manualTiming, useLambda } from './invoke-context.ts';

const UUID = '11111111-2222-3333-4444-555555555555';
const NOWHERE = { url: 'https://lambda.invalid' };
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function startServer(respond: RawResponder): Promise<RawServer> {
  const server = await startRawServer(respond);
  undo.push(() => server.close(), useLambda(server.url));
  return server;
}

/** A proxy in front of an endpoint that is reachable only through a tunnel. */
async function startObstructed(obstruction: Obstruction, options?: LocalProxyOptions): Promise<LocalProxy> {
  const proxy = await startLocalProxy(options);
  proxy.obstruct(() => obstruction);
  undo.push(() => proxy.close(), useLambda(NOWHERE.url));
  return proxy;
}

function clientsThrough(proxy?: Readonly<{ port: number }>): Clients {
  const clients = new Clients(proxy ? { https_proxy: `http://127.0.0.1:${proxy.port}` } : {});
  undo.push(() => clients.close());
  return clients;
}

describe('a connection to a proxy', () => {
  test.each([407, 403, 502])(
    'is closed when the proxy rejects the tunnel with %i and keeps the connection open',
    async (status) => {
      const proxy = await startObstructed({ kind: 'refuse', status });
      const { result } = await invokeOn(NOWHERE, {
        clients: clientsThrough(proxy),
        policy: { retry: 'never' },
      });
      expect(result).toMatchObject({ name: 'ERR_PROXY_TUNNEL', evidence: 'did_not_run', throughProxy: true });
      expect(proxy.requests).toHaveLength(1);
      await until(() => proxy.connections === 0);
    },
  );

  test('is closed after ten seconds when the proxy does not respond to CONNECT', async () => {
    const proxy = await startObstructed({ kind: 'silence' });
    const timing = manualTiming();
    const clients = clientsThrough(proxy);
    const delivering = invokeOn(NOWHERE, { clients, timing, policy: { retry: 'never' } });
    await until(() => proxy.requests.length === 1);
    timing.goOff(CONNECT_LIMIT_MS);
    const { result } = await delivering;
    expect(result).toMatchObject({ name: 'ConnectTimeout', evidence: 'did_not_run', throughProxy: true });
    await until(() => proxy.connections === 0);
  });

  test('is closed when the invocation is canceled while the tunnel is being opened', async () => {
    const proxy = await startObstructed({ kind: 'silence' });
    const cancel = new AbortController();
    const delivering = invokeOn(NOWHERE, { clients: clientsThrough(proxy), cancel: cancel.signal });
    await until(() => proxy.requests.length === 1);
    cancel.abort();
    const { result } = await delivering;
    expect(result).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run', throughProxy: true });
    await until(() => proxy.connections === 0);
  });

  test('is closed when the response to CONNECT arrives in parts and does not end', async () => {
    const proxy = await startRawServer((socket) => {
      socket.setNoDelay(true);
      const drip = setInterval(() => socket.write('x'), 1);
      socket.once('close', () => clearInterval(drip));
    });
    undo.push(() => proxy.close(), useLambda(NOWHERE.url));
    const clients = clientsThrough(proxy);
    const { result } = await invokeOn(NOWHERE, { clients, policy: { retry: 'never' } });
    expect(result).toMatchObject({
      name: 'ERR_PROXY_TUNNEL',
      evidence: 'did_not_run',
      message: "the proxy's response to CONNECT does not end (through a proxy)",
    });
    await until(() => proxy.connections === 0);
  });

  test('is closed with the clients, even while a tunnel is being opened', async () => {
    const proxy = await startObstructed({ kind: 'silence' });
    const clients = clientsThrough(proxy);
    const delivering = invokeOn(NOWHERE, { clients, policy: { retry: 'never' } });
    await until(() => proxy.requests.length === 1);
    clients.close();
    expect((await delivering).result).toMatchObject({
      evidence: 'did_not_run',
      message: 'all connections were closed (through a proxy)',
    });
    await until(() => proxy.connections === 0);
  });
});

test('a response that switches protocols ends the attempt and closes its connection', async () => {
  const server = await startServer((socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n'),
  );
  const { result } = await invokeOn(server, { clients: clientsThrough() });
  expect(result).toMatchObject({
    name: 'ConnectionClosed',
    evidence: 'may_have_run',
    message: 'the connection was closed without a response',
  });
  expect(server.requests).toBe(1);
  await until(() => server.connections === 0);
});

test('a connection is closed with the clients, even while a response is awaited', async () => {
  const server = await startServer(() => undefined);
  const clients = clientsThrough();
  const delivering = invokeOn(server, { clients });
  await until(() => server.requests === 1);
  clients.close();
  await until(() => server.connections === 0);
  expect((await delivering).result).toMatchObject({ evidence: 'may_have_run' });
});

test.each(['http', 'https'])('no %s connection is opened once the clients are closed', async (scheme) => {
  const server = await startServer((socket) => socket.write(RESPONSE));
  undo.push(useLambda(server.url.replace('http', scheme)));
  const clients = clientsThrough();
  clients.close();
  const { result } = await invokeOn(server, { clients });
  expect(result).toMatchObject({ evidence: 'did_not_run', message: 'all connections were closed' });
  expect(server.connections).toBe(0);
});

test('a connection that was idle for ten seconds is closed and not reused', async () => {
  const server = await startServer((socket) => socket.write(RESPONSE));
  const clients = clientsThrough();
  await invokeOn(server, { clients });
  await invokeOn(server, { clients });
  expect(server.connections).toBe(1);
  await until(() => server.connections === 0);
  await invokeOn(server, { clients });
  expect(server.requests).toBe(3);
});

describe('a stream', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n';
  const inChunk = (bytes: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
  const END = invokeComplete({ error: undefined, logResult: undefined });
  const CHUNKED = `${head}Transfer-Encoding: chunked\r\n\r\n`;

  const streamed = (server: RawServer, options: { retry?: 'idempotent'; onChunk?: () => void } = {}) =>
    invokeOn(server, {
      clients: clientsThrough(),
      ...(options.retry && { policy: { retry: options.retry } }),
      extras: { stream: { invokeOnce: streamOnce, onChunk: async () => options.onChunk?.() } },
    });

  test('ends with its last event, and its connection is closed although the last chunk never arrives', async () => {
    const server = await startServer((socket) => {
      socket.write(CHUNKED);
      socket.write(inChunk(payloadChunk(Buffer.from('hello'))));
      socket.write(inChunk(END));
    });
    const { result } = await streamed(server);
    expect(result).toMatchObject({ kind: 'response', streamedBytes: 5 });
    await until(() => server.connections === 0);
  });

  test('that is complete can be closed without an error', async () => {
    // The stream and its connection end together, in either order.
    for (let n = 0; n < 50; n += 1) {
      const server = await startServer((socket) => {
        socket.write(CHUNKED);
        socket.write(inChunk(END));
        if (n % 2 === 0) socket.write('0\r\n\r\n');
        else socket.end('0\r\n\r\n');
      });
      const { result } = await streamed(server);
      expect(result).toMatchObject({ kind: 'response' });
    }
  });

  test.each<[string, (socket: Socket) => void]>([
    ['is closed', (socket) => socket.end()],
    ['is reset', (socket) => socket.resetAndDestroy()],
  ])(
    'that %s between its headers and its first event is not retried, not even with idempotent',
    async (_, cut) => {
      const server = await startServer((socket) => {
        socket.write(CHUNKED, () => cut(socket));
      });
      const { result, attempts } = await streamed(server, { retry: 'idempotent' });
      expect(result).toMatchObject({ kind: 'failure', evidence: 'ran', mayClear: false, streamedBytes: 0 });
      expect({ attempts, requests: server.requests }).toEqual({ attempts: 1, requests: 1 });
    },
  );

  const RESPONSE = 'response';
  test.each([
    ['text/html', `x-amzn-requestid: ${UUID}`, RESPONSE],
    ['text/plain', 'x-amzn-requestid: one', 'failure'],
    ['text/html', 'x-other: 1', 'failure'],
  ])('of type %s with %s has the kind %s', async (type, header, kind) => {
    const server = await startServer((socket) => {
      socket.write(CHUNKED.replace(/Content-Type: .*/, `Content-Type: ${type}\r\n${header}`));
      socket.write(inChunk(END));
      socket.end('0\r\n\r\n');
    });
    expect((await streamed(server)).result.kind).toBe(kind);
  });

  test.each([203, 206])('with status %i is not from Lambda', async (status) => {
    const server = await startServer((socket) => {
      socket.write(CHUNKED.replace('200 OK', `${status} Other`));
      socket.end(inChunk(END));
    });
    const { result } = await streamed(server);
    expect(result).toMatchObject({ kind: 'failure', name: `HTTP ${status}`, evidence: 'may_have_run' });
  });
});
