import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { type Listening, listen } from '@aws-lambda-invoke/local-server';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeCertificate } from '../certificate.ts';
import { startFront } from '../front.ts';
import { type LocalProxy, startLocalProxy } from '../server.ts';

const CREDENTIALS = { user: 'ann', password: 'p@ss' } as const;

let target: Listening;
let proxy: LocalProxy;
const opened: Socket[] = [];

const echo = (): Server =>
  createServer(async (message, response) => {
    const { method, url, headers } = message;
    response.end(
      `${method} ${url} ${headers['x-a']} ${headers['proxy-authorization']} ${await text(message)}`,
    );
  });

beforeEach(async () => {
  target = await listen(echo());
  proxy = await startLocalProxy();
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await Promise.all([proxy.close(), target.close()]);
});

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  opened.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** Sends a POST to the target through a proxy, as for an http:// endpoint. */
async function post(port: number, headers: Readonly<Record<string, string>> = {}) {
  const sent = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: `http://127.0.0.1:${target.port}/path?q=1`,
    headers: { 'x-a': 'b', ...headers },
    agent: false,
  });
  sent.end('body');
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, body: await text(response) };
}

/** Requests a tunnel to the target and returns the first bytes of the proxy's response. */
async function askForTunnel(port: number): Promise<{ socket: Socket; reply: string }> {
  const socket = await open(port);
  socket.write(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nhost: 127.0.0.1:${target.port}\r\n\r\n`);
  const [bytes] = await once(socket, 'data');
  return { socket, reply: String(bytes) };
}

describe('an http request', () => {
  test('is forwarded without the headers for the proxy', async () => {
    const { status, body } = await post(proxy.port, { 'proxy-authorization': 'Basic x' });
    expect({ status, body }).toEqual({ status: 200, body: 'POST /path?q=1 b undefined body' });
    expect(proxy.requests).toEqual([
      { method: 'POST', target: `http://127.0.0.1:${target.port}/path?q=1`, authorization: 'Basic x' },
    ]);
  });

  test('gets a 407 response without the required credentials', async () => {
    const closed = await startLocalProxy({ credentials: CREDENTIALS });
    try {
      expect(await post(closed.port)).toMatchObject({ status: 407 });
      const authorization = `Basic ${Buffer.from('ann:p@ss').toString('base64')}`;
      expect(await post(closed.port, { 'proxy-authorization': authorization })).toMatchObject({
        status: 200,
      });
    } finally {
      await closed.close();
    }
  });

  test('gets no response if the proxy hangs up', async () => {
    proxy.obstruct(() => ({ kind: 'hang-up' }));
    await expect(post(proxy.port)).rejects.toThrow(/socket hang up|ECONNRESET/);
    proxy.reset();
    expect(proxy.requests).toEqual([]);
    expect(await post(proxy.port)).toMatchObject({ status: 200 });
  });
});

describe('a tunnel', () => {
  test('forwards bytes in both directions', async () => {
    const { socket, reply } = await askForTunnel(proxy.port);
    expect(reply).toMatch(/^HTTP\/1\.1 200 /);
    socket.write('GET /through HTTP/1.1\r\nhost: target\r\nconnection: close\r\n\r\n');
    expect(await text(socket)).toContain('GET /through undefined');
  });

  test('leaves the connection open if it is refused, unless the proxy hangs up', async () => {
    proxy.obstruct((n) => ({ kind: 'refuse', status: 403, hangsUp: n === 1 }));
    const kept = await askForTunnel(proxy.port);
    expect(kept.reply).toMatch(/^HTTP\/1\.1 403 /);
    const ended = await askForTunnel(proxy.port);
    await once(ended.socket.resume(), 'end');
    expect(kept.socket.readyState).toBe('open');
  });

  test('closes when connections are cut', async () => {
    const { socket } = await askForTunnel(proxy.port);
    expect(proxy.connections).toBe(1);
    const closed = once(socket, 'close');
    proxy.cut();
    await closed;
  });

  test('gets no response while the proxy stays silent', async () => {
    proxy.obstruct(() => ({ kind: 'silence' }));
    const socket = await open(proxy.port);
    let received = 0;
    socket.on('data', () => {
      received += 1;
    });
    socket.write(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nhost: target\r\n\r\n`);
    while (proxy.requests.length === 0) await nextTurn();
    proxy.reset();
    // A second client gets its response while the first still waits.
    await askForTunnel(proxy.port);
    expect({ received, state: socket.readyState }).toEqual({ received: 0, state: 'open' });
  });
});

describe('a front', () => {
  const certificate = makeCertificate(['127.0.0.1']);
  const testTls = 'missing' in certificate ? test.skip : test;

  testTls('terminates TLS for the server behind it', async () => {
    if ('missing' in certificate) throw new Error(certificate.missing);
    const front = await startFront({ targetPort: target.port, certificate });
    try {
      const socket = connectTls({ port: front.port, host: '127.0.0.1', ca: certificate.cert });
      await once(socket, 'secureConnect');
      socket.write('GET /secure HTTP/1.1\r\nhost: target\r\nconnection: close\r\n\r\n');
      expect(await text(socket)).toContain('GET /secure undefined');
    } finally {
      await front.close();
      certificate.dispose();
    }
  });

  test('closes its connections when the target closes', async () => {
    const front = await startFront({ targetPort: target.port });
    const socket = await open(front.port);
    socket.write('GET / HTTP/1.1\r\nhost: target\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    target.cut();
    await closed;
    await front.close();
  });
});
