import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { payloadChunk } from '../../packages/local-lambda/event-stream.ts';
import { Clients } from '../../src/lambda/client.ts';
import { readConfiguration } from '../../src/lambda/configuration.ts';
import type { InvocationType } from '../../src/lambda/invocation.ts';
import { streamOnce } from '../../src/lambda/stream.ts';
import { REAL_TIMING, type Timing } from '../../src/lambda/timing.ts';
import { type RawResponder, type RawServer, startRawServer } from '../raw-server.ts';
import { until } from '../until.ts';
import { type Delivered, INVOCATION, invokeOn, useLambda } from './invoke-context.ts';

// Exact bytes of responses from servers other than Lambda, which must not be read as Lambda's.

const UUID = '11111111-2222-3333-4444-555555555555';
const VERSION = 'X-Amz-Executed-Version: $LATEST';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Points the SDK at a server that gives every request this response, and optionally closes the connection. */
async function startServer(respond: RawResponder): Promise<RawServer> {
  const server = await startRawServer(respond);
  undo.push(() => server.close(), useLambda(server.url));
  return server;
}

/** A response as bytes: status line, header lines, body. */
const response = (statusLine: string, headers: readonly string[], body: string | Buffer = ''): Buffer =>
  Buffer.concat([Buffer.from([statusLine, ...headers, '', ''].join('\r\n')), Buffer.from(body)]);

const length = (body: string | Buffer): string => `Content-Length: ${Buffer.byteLength(body)}`;

const whole = (status: number | string, body: string, ...headers: readonly string[]): Buffer =>
  response(`HTTP/1.1 ${status} Status`, [length(body), 'Content-Type: application/json', ...headers], body);

type Ending = 'keeps' | 'closes' | 'resets';

const ENDINGS: Readonly<Record<Ending, (socket: Socket) => void>> = {
  keeps: () => undefined,
  closes: (socket) => socket.end(),
  resets: (socket) => socket.resetAndDestroy(),
};

async function deliverAt(
  bytes: Buffer,
  options: { type?: InvocationType; ending?: Ending; retry?: 'safe' | 'idempotent' | 'never' } = {},
): Promise<Delivered & { requests: number }> {
  const { type = 'RequestResponse', ending = 'closes', retry = 'safe' } = options;
  const server = await startServer((socket) => {
    socket.write(bytes, () => ENDINGS[ending](socket));
  });
  const delivered = await invokeOn(server, {
    invocation: { invocationType: type },
    policy: { retry, retryMs: 1_000, timeoutMs: 20_000 },
  });
  return { ...delivered, requests: server.requests };
}

const PAGE = '<html><body>Log in</body></html>';
const HTML = `Content-Type: text/html; charset=utf-8`;
const CHUNKED = 'Transfer-Encoding: chunked';
const ID = `x-amzn-requestid: ${UUID}`;
const inChunks = (body: string): string => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;

describe('a response to RequestResponse from Lambda', () => {
  test.each<[string, Buffer]>([
    ['with its length', whole(200, '{"a":1}', ID, VERSION)],
    ['in chunks', response('HTTP/1.1 200 OK', [CHUNKED, ID, VERSION], inChunks('{"a":1}'))],
    ['in HTTP/1.0 with its length', response('HTTP/1.0 200 OK', [length('{"a":1}'), ID], '{"a":1}')],
    ['without a request ID', whole(200, '{"a":1}')],
    ['with a request ID that is not a UUID', whole(200, '{"a":1}', 'x-amzn-requestid: dR1unSOub8rvS0m7Tzoh')],
    [
      'with a type of plain text',
      response('HTTP/1.1 200 OK', [length('7'), 'Content-Type: text/plain'], '7'),
    ],
    ['that is not JSON, with a version', whole(200, 'plain', ID, VERSION)],
    [
      'after a 100 and a 103',
      Buffer.concat([
        response('HTTP/1.1 100 Continue', []),
        response('HTTP/1.1 103 Early Hints', ['Link: </a>']),
        whole(200, '{"a":1}', ID, VERSION),
      ]),
    ],
  ])('is accepted %s', async (_, bytes) => {
    const { result, requests } = await deliverAt(bytes);
    expect(result).toMatchObject({ kind: 'response', statusCode: 200 });
    expect(requests).toBe(1);
  });

  test('has no request ID if the header is empty', async () => {
    const { result } = await deliverAt(whole(200, '{}', 'x-amzn-requestid: '));
    expect(result).toMatchObject({ kind: 'response' });
    expect(result.requestId).toBeUndefined();
  });
});

describe('a response to RequestResponse is unknown', () => {
  const gzip = gzipSync('{"a":1}');
  const cut = 'may be incomplete: it has neither Content-Length nor chunked encoding';
  const strange = "The response is not Lambda's";
  const page = `A proxy or firewall responded instead of Lambda: ${PAGE}`;
  const empty = 'A proxy or firewall responded instead of Lambda, with an empty response';
  const rows: readonly (readonly [what: string, bytes: Buffer, message: string])[] = [
    ['with status 000', whole('000', '{"a":1}', ID, VERSION), strange],
    ['with status 201', whole(201, '{"a":1}', ID, VERSION), strange],
    ['with status 202', whole(202, '', ID), empty],
    ['with status 203', whole(203, '{"a":1}', ID, VERSION), strange],
    ['with status 204', response('HTTP/1.1 204 No Content', [ID]), empty],
    ['with status 206', whole(206, '{"a":1}', ID, VERSION), strange],
    ['with status 206 and no request ID', whole(206, '{"a":1}'), strange],
    ['with status 226', whole(226, '{"a":1}', ID, VERSION), strange],
    ['that ends with the connection', response('HTTP/1.1 200 OK', [ID, VERSION], '{"a":1}'), cut],
    [
      'of HTTP/1.0 that the end of the connection ends',
      response('HTTP/1.0 200 OK', [ID, VERSION], '[1]'),
      cut,
    ],
    ['of HTTP/1.0 in chunks', response('HTTP/1.0 200 OK', [CHUNKED, ID, VERSION], inChunks('[1]')), cut],
    [
      'in another transfer encoding',
      response('HTTP/1.1 200 OK', ['Transfer-Encoding: gzip', ID, VERSION], gzip),
      cut,
    ],
    [
      'in two transfer encodings',
      response('HTTP/1.1 200 OK', ['Transfer-Encoding: gzip, chunked', ID], inChunks('[1]')),
      cut,
    ],
    [
      'that is compressed',
      response('HTTP/1.1 200 OK', ['Content-Encoding: gzip', length(gzip), ID, VERSION], gzip),
      'The response has a Content-Encoding that was not requested',
    ],
    ['that is a page', response('HTTP/1.1 200 OK', [HTML, length(PAGE)], PAGE), page],
    [
      'that is a page with an empty request ID',
      response('HTTP/1.1 200 OK', [HTML, length(PAGE), 'x-amzn-requestid: '], PAGE),
      page,
    ],
    [
      'that is a page with a request ID and a version',
      response('HTTP/1.1 200 OK', [HTML, length(PAGE), ID, VERSION], PAGE),
      page,
    ],
    [
      'that is a page of no declared type, with a request ID',
      response('HTTP/1.1 200 OK', [length(PAGE), ID], PAGE),
      page,
    ],
    [
      'that is a page of no declared type, with a version and an id that is no UUID',
      response('HTTP/1.1 200 OK', [length(PAGE), VERSION, 'x-amzn-requestid: one'], PAGE),
      page,
    ],
    [
      'that is JSON and called a page',
      response('HTTP/1.1 200 OK', [HTML, length('{}'), ID, VERSION], '{}'),
      strange,
    ],
    ['that is empty, with a request ID', whole(200, '', ID), empty],
  ];

  test.each(rows)('%s', async (_, bytes, message) => {
    const { result, requests } = await deliverAt(bytes);
    expect(result).toMatchObject({ kind: 'failure', evidence: 'may_have_run', sentAt: expect.any(Date) });
    expect(result).toMatchObject({ message: expect.stringContaining(message) });
    expect(requests).toBe(1);
  });

  const endings: readonly Ending[] = ['closes', 'resets'];
  const cutRows: readonly (readonly [string, Buffer])[] = [
    ['before its length', response('HTTP/1.1 200 OK', ['Content-Length: 8', ID, VERSION], '{"a":1}')],
    [
      'before its length, in HTTP/1.0',
      response('HTTP/1.0 200 OK', ['Content-Length: 8', ID, VERSION], '{"a":1}'),
    ],
    ['before its last chunk', response('HTTP/1.1 200 OK', [CHUNKED, ID, VERSION], '7\r\n{"a":1}\r\n')],
    ['in its head', Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n')],
    ['in its last chunk', response('HTTP/1.1 200 OK', [CHUNKED, ID, VERSION], '7\r\n{"a":1}\r\n0\r\n')],
  ];
  test.each(cutRows.flatMap(([what, bytes]) => endings.map((ending) => [what, ending, bytes] as const)))(
    'that is cut %s: the server %s',
    async (_, ending, bytes) => {
      const { result, requests } = await deliverAt(bytes, { ending });
      expect(result).toMatchObject({ kind: 'failure', evidence: 'may_have_run', sentAt: expect.any(Date) });
      expect(requests).toBe(1);
    },
  );

  test.each([
    ['JSON', '{"token":"hunter2"}'],
    ['JSON that is longer than the excerpt of a page', `["hunter2","${'x'.repeat(100_000)}"]`],
  ])('and does not show %s, which can be the response of a function', async (_, body) => {
    const { result } = await deliverAt(whole(206, body, ID, VERSION));
    expect(result).toMatchObject({ name: 'HTTP 206' });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});

describe('a response to Event', () => {
  test.each<[string, Buffer]>([
    ['that is empty', whole(202, '', ID)],
    ['that is empty, without a request ID', whole(202, '')],
    ['with JSON, as from an emulator', whole(202, '{"a":1}', 'x-amzn-requestid: dR1unSOub8rvS0m7Tzoh')],
  ])('%s is from Lambda', async (_, bytes) => {
    const { result } = await deliverAt(bytes, { type: 'Event' });
    expect(result).toMatchObject({ kind: 'response', statusCode: 202 });
  });

  test.each<[string, Buffer]>([
    ['with status 200', whole(200, '{"a":1}', ID, VERSION)],
    ['with status 204', response('HTTP/1.1 204 No Content', [ID])],
    ['that is a page', response('HTTP/1.1 202 Accepted', [HTML, length(PAGE), ID], PAGE)],
    ['that is text, with a request ID', response('HTTP/1.1 202 Accepted', [length('queued'), ID], 'queued')],
    ['that ends with the connection', response('HTTP/1.1 202 Accepted', [ID])],
  ])('%s is unknown', async (_, bytes) => {
    const { result, requests } = await deliverAt(bytes, { type: 'Event' });
    expect(result).toMatchObject({ kind: 'failure', evidence: 'may_have_run' });
    expect(requests).toBe(1);
  });
});

describe('a response to DryRun', () => {
  test('with status 204 is from Lambda', async () => {
    const { result } = await deliverAt(response('HTTP/1.1 204 No Content', []), { type: 'DryRun' });
    expect(result).toMatchObject({ kind: 'response', statusCode: 204 });
  });

  test.each<[string, Buffer]>([
    ['200', whole(200, '{"a":1}', ID, VERSION)],
    ['200, cut', response('HTTP/1.1 200 OK', ['Content-Length: 8', ID], '{}')],
    ['202', whole(202, '', ID)],
    ['203', whole(203, '{}')],
    ['206', whole(206, '{}')],
  ])('with status %s may have run something, so it is unknown and never retried', async (_, bytes) => {
    for (const retry of ['safe', 'idempotent'] as const) {
      const { result, requests, attempts } = await deliverAt(bytes, { type: 'DryRun', retry });
      expect(result).toMatchObject({ kind: 'failure', evidence: 'may_have_run', mayClear: false });
      expect({ requests, attempts }).toEqual({ requests: 1, attempts: 1 });
    }
  });

  test('that is interrupted before its status is retried', async () => {
    const server = await startServer((socket, n) =>
      n === 0 ? socket.destroy() : socket.write(response('HTTP/1.1 204 No Content', [])),
    );
    const { result } = await invokeOn(server, { invocation: { invocationType: 'DryRun' } });
    expect(result).toMatchObject({ kind: 'response' });
    expect(server.requests).toBe(2);
  });
});

describe('a body that stops arriving', () => {
  test.each([
    ['429 Too Many Requests', { name: 'HTTP 429', evidence: 'did_not_run', isOverload: true }],
    ['403 Forbidden', { name: 'HTTP 403', evidence: 'did_not_run', mayClear: false }],
    ['503 Service Unavailable', { name: 'HTTP 503', evidence: 'may_have_run' }],
    ['206 Partial Content', { name: 'HTTP 206', evidence: 'may_have_run' }],
  ])('after the status %s is waited for for 10 s, and the status counts', async (status, failure) => {
    const bytes = response(
      `HTTP/1.1 ${status}`,
      ['Content-Length: 100', 'Content-Type: text/plain'],
      'blocked',
    );
    const server = await startServer((socket) => {
      socket.write(bytes);
    });
    const after: Timing['after'] = (ms, callback) => REAL_TIMING.after(ms === 10_000 ? 500 : ms, callback);
    const { result } = await invokeOn(server, {
      timing: { ...REAL_TIMING, after },
      policy: { retry: 'never', timeoutMs: 4_000 },
    });
    expect(result).toMatchObject({ kind: 'failure', foreignText: 'blocked', ...failure });
    await until(() => server.connections === 0);
  });
});

describe('an endless body', () => {
  const MB = 1024 * 1024;

  /** A server that responds with headers, then with bytes until the client closes the connection. */
  async function startEndless(
    head: Buffer,
    body = Buffer.alloc(MB, 'x'),
  ): Promise<Readonly<{ server: RawServer; sent: () => number }>> {
    let sent = 0;
    const server = await startServer((socket) => {
      const write = (): void => {
        while (!socket.destroyed && sent < 1_000 * MB) {
          sent += body.length;
          if (!socket.write(body)) return;
        }
        socket.destroy();
      };
      socket.on('drain', write);
      socket.write(head);
      write();
    });
    return { server, sent: () => sent };
  }

  const endless = (statusLine: string, ...headers: readonly string[]): Buffer =>
    response(statusLine, ['Content-Length: 99999999999', 'Content-Type: application/json', ...headers]);

  // The data in kernel buffers is sent but not read.
  const ON_ITS_WAY = 20 * MB;

  test('is not read beyond the response limit of a function, and is unknown', async () => {
    const { server, sent } = await startEndless(endless('HTTP/1.1 200 OK', ID, VERSION));
    const { result } = await invokeOn(server);
    expect(result).toMatchObject({
      name: 'HTTP 200',
      evidence: 'may_have_run',
      message: "The response is longer than Lambda's limit",
    });
    expect(sent()).toBeLessThan(6.3 * MB + ON_ITS_WAY);
    expect(server.requests).toBe(1);
    await until(() => server.connections === 0);
  });

  test('of a rejection is not read beyond 64 KiB, and the status counts', async () => {
    const { server, sent } = await startEndless(endless('HTTP/1.1 403 Forbidden'));
    const { result } = await invokeOn(server);
    expect(result).toMatchObject({ name: 'HTTP 403', evidence: 'did_not_run', statusCode: 403 });
    expect(result.kind === 'failure' && result.foreignText?.length).toBe(64 * 1024);
    expect(sent()).toBeLessThan(ON_ITS_WAY);
    await until(() => server.connections === 0);
  });

  test('of a page is not read beyond 64 KiB', async () => {
    const { server, sent } = await startEndless(endless('HTTP/1.1 206 Partial Content'));
    const { result } = await invokeOn(server);
    expect(result.kind === 'failure' && result.foreignText?.length).toBe(64 * 1024);
    expect(sent()).toBeLessThan(ON_ITS_WAY);
  });

  test('of a configuration is not read beyond 4 MB', async () => {
    const { sent } = await startEndless(endless('HTTP/1.1 200 OK', ID));
    const never = new AbortController().signal;
    const clients = new Clients({});
    const found = await readConfiguration(clients.of(undefined), INVOCATION, {
      ...{ deadline: never, cancel: never, stop: never, timing: REAL_TIMING },
    });
    expect(found).toMatchObject({ kind: 'failure', name: 'HTTP 200' });
    expect(sent()).toBeLessThan(4 * MB + ON_ITS_WAY);
    clients.close();
  });

  const STREAM = ['HTTP/1.1 200 OK', 'Content-Type: application/vnd.amazon.eventstream'] as const;
  const streamed = async (server: RawServer): Promise<Delivered & { chunkBytes: number }> => {
    let chunkBytes = 0;
    const onChunk = async (chunk: Uint8Array): Promise<void> => {
      chunkBytes += chunk.length;
    };
    const delivered = await invokeOn(server, { extras: { stream: { invokeOnce: streamOnce, onChunk } } });
    return { ...delivered, chunkBytes };
  };

  test('of a stream is not read beyond the streaming limit of Lambda, and is unknown', async () => {
    const { server, sent } = await startEndless(
      endless(...STREAM),
      Buffer.from(payloadChunk(Buffer.alloc(MB))),
    );
    const { result, chunkBytes } = await streamed(server);
    expect(result).toMatchObject({ kind: 'failure', name: 'HTTP 200', evidence: 'ran', mayClear: false });
    expect(chunkBytes).toBe(200 * MB);
    expect(sent()).toBeLessThan(201 * MB + ON_ITS_WAY);
    await until(() => server.connections === 0);
  });

  test('of one event in a stream is not read beyond the event limit', async () => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(3_000_000_000);
    const { server, sent } = await startEndless(Buffer.concat([endless(...STREAM), length]));
    const { result } = await streamed(server);
    expect(result).toMatchObject({ kind: 'failure', name: 'HTTP 200', evidence: 'ran', streamedBytes: 0 });
    expect(sent()).toBeLessThan(17 * MB + ON_ITS_WAY);
  });
});
