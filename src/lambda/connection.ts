import type { Agent } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { EarlyConnection } from './early-connection.ts';

/** NATs drop a silent connection: that of a hosted runner after 4 minutes, others sooner. A probe costs 60 bytes. */
export const KEEP_ALIVE_MS = 4_000;

type Destroyable = Readonly<{ destroy: (error?: Error) => unknown }>;

/** A tunnel or the early connection while it opens for a request. The request does not have its socket yet. */
export class Opening {
  #socket: Destroyable | undefined;
  #isEarly = false;
  #abandoned: Error | undefined;

  begin(socket: Destroyable): void {
    this.#socket = socket;
    this.#isEarly ||= socket instanceof EarlyConnection;
  }

  end(): void {
    this.#socket = undefined;
  }

  /** Whether it is, or was, the early connection, which is direct. */
  get isEarly(): boolean {
    return this.#isEarly;
  }

  /** Why the request no longer needs a connection. */
  get abandoned(): Error | undefined {
    return this.#abandoned;
  }

  /** Stops the opening. */
  abandon(error: Error): void {
    this.#abandoned = error;
    this.#socket?.destroy(error);
  }
}

/** The opening in the options of a socket. An agent does not know the request that a socket is for. */
export const openingIn = (options: object): Opening | undefined =>
  'opening' in options && options.opening instanceof Opening ? options.opening : undefined;

/** Turns on TCP keep-alive for a connection. */
export function keepAlive(socket: Duplex | null | undefined): void {
  if (socket instanceof Socket) socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

const tunnels = new WeakSet<Duplex>();

/** Records that a socket leads through a proxy's tunnel. */
export const markTunnel = (socket: Duplex): unknown => tunnels.add(socket);

/** Whether a socket leads through a proxy's tunnel. */
export const isTunnel = (socket: Duplex): boolean => tunnels.has(socket);

/** Calls back when a socket is connected, including TLS. From then on, a request is written to it. */
export function whenConnected(socket: Socket, callback: () => void): void {
  // If no file descriptor is left, Node.js passes a socket that is not open before it reports the error.
  if (socket.destroyed) return;
  // A tunnel and a reused connection are already connected when a request gets them.
  if (!socket.connecting) callback();
  else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', callback);
}

/** The error of an agent that was destroyed. */
export const CLOSED = 'all connections were closed';

/**
 * Whether an agent has no connection but an idle one, which does not keep the process alive, and ends with it. To close
 * it, Node.js would first open the standard error stream, which takes a millisecond.
 */
export function hasOneIdle({ sockets, freeSockets }: Pick<Agent, 'sockets' | 'freeSockets'>): boolean {
  const count = (list: Agent['sockets'] | Agent['freeSockets']): number => Object.values(list).flat().length;
  return count(sockets) === 0 && count(freeSockets) === 1;
}
