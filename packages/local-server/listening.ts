import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';

/** Where to listen. Default: a free port of the loopback address. */
export type Place = Readonly<{ port?: number | undefined; host?: string | undefined }>;

/** A listening server. */
export type Listening = Readonly<{
  port: number;
  /** How many connections are open. */
  readonly connections: number;
  /** Destroys every open connection. The server still accepts new ones. */
  cut(): void;
  /** Stops listening and destroys every open connection. */
  close(): Promise<void>;
}>;

/** The port that a server listens on. */
export function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server is not listening on a port.');
  return address.port;
}

/** Makes a server listen. Throws if the port is in use. */
export async function listen(
  server: Server,
  { port = 0, host = '127.0.0.1' }: Place = {},
): Promise<Listening> {
  const sockets = new Set<Duplex>();
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: portOf(server),
    get connections() {
      return sockets.size;
    },
    cut,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}

/** The headers of a request. The values of a repeated header are joined with commas. */
export function headersOf({ headersDistinct }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headersDistinct).flatMap(([name, values]) =>
      values === undefined ? [] : [[name, values.join(',')]],
    ),
  );
}
