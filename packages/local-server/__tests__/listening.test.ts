import { once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { headersOf, type Listening, listen, type Place, portOf } from '../listening.ts';

const started: Listening[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((listening) => listening.close()));
});

async function start(server: Server, place?: Place): Promise<Listening> {
  const listening = await listen(server, place);
  started.push(listening);
  return listening;
}

async function open(port: number) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('a server listens on a free port of the loopback address', async () => {
  const server = createServer();
  const { port } = await start(server);
  expect(server.address()).toMatchObject({ address: '127.0.0.1', port });
  expect(portOf(server)).toBe(port);
});

test('a server that does not listen has no port', () => {
  expect(() => portOf(createServer())).toThrow('The server is not listening on a port.');
});

test('a port that is in use is refused', async () => {
  const { port } = await start(createServer());
  await expect(listen(createServer(), { port })).rejects.toThrow('EADDRINUSE');
});

test('connections are counted, and cutting them leaves the server open to new ones', async () => {
  const server = createServer();
  const listening = await start(server);
  const accepted = once(server, 'connection');
  const first = await open(listening.port);
  await accepted;
  expect(listening.connections).toBe(1);
  const closed = once(first, 'close');
  listening.cut();
  await closed;
  const second = await open(listening.port);
  expect(second.readyState).toBe('open');
});

test('a server closes while a request waits for its response', async () => {
  const server = createHttpServer();
  const listening = await listen(server);
  const received = once(server, 'request');
  const request = get({ port: listening.port, host: '127.0.0.1' });
  const failed = once(request, 'error');
  await received;
  await listening.close();
  await failed;
  await expect(open(listening.port)).rejects.toThrow('ECONNREFUSED');
});

test('a repeated header has both values', async () => {
  const server = createHttpServer((message, response) => response.end(JSON.stringify(headersOf(message))));
  const { port } = await start(server);
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    headers: [
      ['x-a', '1'],
      ['x-a', '2'],
      ['x-b', '3'],
    ],
  });
  expect(await response.json()).toMatchObject({ 'x-a': expect.stringMatching(/^1, ?2$/), 'x-b': '3' });
});
