import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';

/** Passes everything between two streams; where one breaks or ends, so does the other. */
export function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

/** The port that a server listens on. */
export function portOf(server: {
  address(): ReturnType<ReturnType<typeof createServer>['address']>;
}): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** What stands before a server on loopback, for clients that want TLS or that are elsewhere. */
export type Front = Readonly<{ port: number; close(): Promise<void> }>;

/** Starts a front that passes bytes on to a port of 127.0.0.1, out of TLS where it has a certificate. */
export async function startFront(options: {
  targetPort: number;
  host?: string;
  certificate?: Readonly<{ key: string; cert: string }>;
}): Promise<Front> {
  const sockets = new Set<Duplex>();
  const pass = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    join(socket, connect(options.targetPort, '127.0.0.1'));
  };
  const server = options.certificate ? createTlsServer(options.certificate, pass) : createServer(pass);
  server.listen(0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
