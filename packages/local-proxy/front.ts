import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { listen } from '@aws-lambda-invoke/local-server';

/** Connects two streams in both directions. If one fails or ends, the other does too. */
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

/** A front for a server on loopback, for clients that need TLS or connect from another host. */
export type Front = Readonly<{ port: number; close(): Promise<void> }>;

/** Starts a front that forwards bytes to a port of 127.0.0.1. With a certificate, it terminates TLS. */
export async function startFront(options: {
  targetPort: number;
  host?: string;
  certificate?: Readonly<{ key: string; cert: string }>;
}): Promise<Front> {
  const pass = (socket: Socket): void => join(socket, connect(options.targetPort, '127.0.0.1'));
  const server = options.certificate ? createTlsServer(options.certificate, pass) : createServer(pass);
  return listen(server, { host: options.host });
}
