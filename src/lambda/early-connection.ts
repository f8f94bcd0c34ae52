import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { eventLoopTurn, type Timing } from './timing.ts';

/** A host and a port that speaks TLS. */
type TlsServer = Readonly<{ hostname: string; port: number }>;

// A request uses it within a fraction of a second, unless credentials take longer. The longer it is idle, the likelier
// the other side closes it just when the request is written.
const LONGEST_UNUSED_MS = 3_000;

async function loadTls() {
  // The connection is being opened only once the event loop turns.
  await eventLoopTurn();
  const { connect, createSecureContext } = await import('node:tls');
  return { connect, secureContext: createSecureContext() };
}

/** Speaks TLS as a request's agent would. The code for it is loaded while TCP connects. */
async function openTls(tcp: Socket, hostname: string): Promise<TLSSocket> {
  // Node.js may change the address, and the socket's handle with it, until it is connected.
  const [{ connect, secureContext }] = await Promise.all([loadTls(), once(tcp, 'connect')]);
  // An address is no server name (RFC 6066, section 3).
  const servername = isIP(hostname) === 0 ? { servername: hostname } : {};
  const socket = connect({ socket: tcp, host: hostname, secureContext, ...servername });
  socket.on('error', () => {});
  socket.once('close', () => tcp.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/**
 * A connection that is opened before the code that uses it is loaded. Nothing but the handshake is sent over it.
 * Where it fails or is closed before a request has it, the request opens a connection of its own.
 */
export class EarlyConnection {
  readonly #server: TlsServer;
  readonly #tcp: Socket;
  /** Undefined if it failed: the request opens a connection of its own, and has the error from that. */
  readonly #opened: Promise<TLSSocket | undefined>;
  readonly #clearLimit: () => void;
  #isClaimed = false;

  constructor(server: TlsServer, { after }: Pick<Timing, 'after'>) {
    const { hostname, port } = server;
    this.#server = server;
    this.#tcp = connectTcp({ host: hostname, port, noDelay: true });
    this.#opened = new Promise((resolve) => {
      this.#tcp.once('close', () => resolve(undefined));
      this.#tcp.on('error', () => {});
      openTls(this.#tcp, hostname).then(resolve, () => this.destroy());
    });
    this.#clearLimit = after(LONGEST_UNUSED_MS, () => this.destroy());
  }

  /** Whether a request may have it: the first one to this host and port. */
  isFor({
    host,
    port,
  }: Readonly<{ host?: string | null | undefined; port?: number | string | null | undefined }>): boolean {
    return !this.#isClaimed && host === this.#server.hostname && Number(port) === this.#server.port;
  }

  /** Waits until it is open and gives its socket to one request, to be used at once; undefined if it is not usable. */
  async claim(): Promise<TLSSocket | undefined> {
    this.#isClaimed = true;
    const socket = await this.#opened;
    if (socket === undefined) return undefined;
    // The other side may have closed it while code was being loaded. What it sent before, such as TLS's tickets for
    // sessions, is read in one turn, and the end in the next.
    await eventLoopTurn();
    await eventLoopTurn();
    this.#clearLimit();
    // What arrived would be read as the response to a request that had not been sent.
    if (socket.readableLength === 0 && socket.readable && socket.writable) return socket;
    this.destroy();
    return undefined;
  }

  /** Closes it, whether a request has it or not. */
  destroy(): void {
    this.#clearLimit();
    this.#tcp.destroy();
  }
}
