import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { portOf } from '../packages/local-server/listening.ts';

/** Writes any bytes in response to the nth request, counted from 0; `head` is the request's. */
export type RawResponder = (socket: Socket, n: number, head: string) => void;

/** A TCP server instead of Lambda, for responses that an HTTP library would not send. */
export type RawServer = Readonly<{
  url: string;
  port: number;
  region: string;
  /** The number of complete requests received. */
  readonly requests: number;
  /** The number of open connections. */
  readonly connections: number;
  close(): Promise<void>;
}>;

const END_OF_HEAD = '\r\n\r\n';

/** The length of the first request in these bytes. Undefined if it is incomplete. */
function requestLength(bytes: Buffer): number | undefined {
  const head = bytes.indexOf(END_OF_HEAD);
  if (head === -1) return undefined;
  const [, length = '0'] = /\r\ncontent-length: (\d+)/i.exec(bytes.toString('latin1', 0, head)) ?? [];
  const total = head + END_OF_HEAD.length + Number(length);
  return bytes.length < total ? undefined : total;
}

/** Starts a server on loopback that reads HTTP requests and responds with the given bytes. */
export async function startRawServer(
  respond: RawResponder,
  { host = '127.0.0.1', port = 0 } = {},
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    let unread = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      unread = Buffer.concat([unread, Buffer.from(chunk)]);
      for (let length = requestLength(unread); length !== undefined; length = requestLength(unread)) {
        const head = unread.toString('latin1', 0, unread.indexOf(END_OF_HEAD));
        unread = unread.subarray(length);
        requests += 1;
        respond(socket, requests - 1, head);
      }
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${portOf(server)}`,
    port: portOf(server),
    region: 'us-east-1',
    get requests() {
      return requests;
    },
    get connections() {
      return sockets.size;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
