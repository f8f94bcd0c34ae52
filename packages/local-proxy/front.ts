import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { listen } from '@aws-lambda-invoke/local-server';

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

/** What stands before a server on loopback, for clients that want TLS or that are elsewhere. */
export type Front = Readonly<{ port: number; close(): Promise<void> }>;

/** Starts a front that passes bytes on to a port of 127.0.0.1, out of TLS where it has a certificate. */
export async function startFront(options: {
  targetPort: number;
  host?: string;
  certificate?: Readonly<{ key: string; cert: string }>;
}): Promise<Front> {
  const pass = (socket: Socket): void => join(socket, connect(options.targetPort, '127.0.0.1'));
  const server = options.certificate ? createTlsServer(options.certificate, pass) : createServer(pass);
  return listen(server, { host: options.host });
}
