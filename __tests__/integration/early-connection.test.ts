import { createServer as createHttpsServer, get } from 'node:https';
import { createServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { makeCertificate } from '../../packages/local-proxy/certificate.ts';
import { listen } from '../../packages/local-server/listening.ts';
import { Agents } from '../../src/lambda/agents.ts';
import { Clients } from '../../src/lambda/client.ts';
import { EarlyConnection } from '../../src/lambda/early-connection.ts';
import { REAL_TIMING } from '../../src/lambda/timing.ts';
import { until } from '../until.ts';
import { invokeOn, useLambda } from './invoke-context.ts';

const certificate = makeCertificate(['127.0.0.1']);
const pem = 'missing' in certificate ? undefined : certificate;
const suite = pem === undefined ? describe.skip : describe;
const because = 'missing' in certificate ? ` (skipped: ${certificate.missing})` : '';

// A separate thread, which continues while the test blocks this one. It reports when TLS is established, and records in
// the shared memory when it has closed the connection.
const SERVER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { createServer } = require('node:tls');
  const server = createServer({ key: workerData.key, cert: workerData.cert }, (socket) => {
    socket.on('error', () => {});
    socket.on('close', () => {
      Atomics.store(workerData.closed, 0, 1);
      Atomics.notify(workerData.closed, 0);
    });
    parentPort.once('message', () => socket.destroy());
    parentPort.postMessage('secure');
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

const undo: (() => unknown)[] = [];
const authorities = getCACertificates('default');

beforeAll(() => {
  if (pem !== undefined) setDefaultCACertificates([...authorities, pem.cert]);
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(() => {
  setDefaultCACertificates(authorities);
  pem?.dispose();
});

/** A connection whose handshake is complete, and a function that closes it from the other side while this thread is blocked. */
async function openConnection(): Promise<Readonly<{ early: EarlyConnection; closeMeanwhile: () => void }>> {
  const closed = new Int32Array(new SharedArrayBuffer(4));
  const server = new Worker(SERVER, {
    eval: true,
    workerData: { key: pem?.key, cert: pem?.cert, closed },
  });
  undo.push(() => server.terminate());
  const nextMessage = (): Promise<unknown> => new Promise((resolve) => server.once('message', resolve));
  const port = Number(await nextMessage());
  const early = new EarlyConnection({ hostname: '127.0.0.1', port }, REAL_TIMING);
  undo.push(() => early.destroy());
  expect(await nextMessage()).toBe('secure');
  return {
    early,
    closeMeanwhile: () => {
      server.postMessage('close');
      // It may be closed before this thread waits.
      expect(Atomics.wait(closed, 0, 0, 10_000)).not.toBe('timed-out');
    },
  };
}

suite(`an early connection${because}`, () => {
  test('is given to one request', async () => {
    const { early } = await openConnection();
    const socket = await early.claim();
    expect(socket).toMatchObject({ encrypted: true, authorized: true, destroyed: false });
  });

  test('is not given to a request where it was closed while the event loop was blocked', async () => {
    const { early, closeMeanwhile } = await openConnection();
    closeMeanwhile();
    expect(await early.claim()).toBeUndefined();
  });

  test('is kept for the next request, as any connection is', async () => {
    const server = createHttpsServer({ key: pem?.key, cert: pem?.cert }, (_, response) => response.end());
    let accepted = 0;
    server.on('connection', () => {
      accepted += 1;
    });
    const { port, close } = await listen(server);
    undo.push(close);
    const early = new EarlyConnection({ hostname: '127.0.0.1', port }, REAL_TIMING);
    const agents = new Agents({}, early);
    undo.push(() => agents.destroy());
    const { httpsAgent } = await agents.forSdk()();
    for (let request = 0; request < 2; request += 1) {
      get({ agent: httpsAgent, host: '127.0.0.1', port }, (response) => response.resume());
      await until(() => Object.keys(httpsAgent.freeSockets).length === 0);
      await until(() => Object.keys(httpsAgent.freeSockets).length === 1);
    }
    expect(accepted).toBe(1);
  });

  test('is not closed by the code that opened it once a request has it', async () => {
    const { early } = await openConnection();
    const socket = await early.claim();
    early.destroy();
    expect(socket?.destroyed).toBe(false);
    socket?.destroy();
  });
});

test('an early connection is closed with the request that waits for it, which then opens no other', async () => {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.on('error', () => socket.destroy());
    socket.resume();
  });
  const listening = await listen(server);
  const url = `https://127.0.0.1:${listening.port}`;
  undo.push(() => listening.close(), useLambda(url));
  const early = new EarlyConnection({ hostname: '127.0.0.1', port: listening.port }, REAL_TIMING);
  const clients = new Clients({}, { early });
  undo.push(() => clients.close());
  for (const connections of [1, 2]) {
    const cancel = new AbortController();
    const invoking = invokeOn({ url }, { clients, cancel: cancel.signal });
    await until(() => accepted === connections);
    // The request waits for its connection by then.
    await REAL_TIMING.sleep(50, new AbortController().signal);
    cancel.abort();
    expect((await invoking).result).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run' });
    await until(() => listening.connections === 0);
  }
  expect(accepted).toBe(2);
});
