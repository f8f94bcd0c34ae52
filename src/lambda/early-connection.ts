import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { eventLoopTurn, type Timing } from './timing.ts';

/** A host and a port that speaks TLS. */
type TlsServer = Readonly<{ hostname: string; port: number }>;

// A request uses the connection within a fraction of a second, unless fetching credentials takes longer. The longer it
// is idle, the more likely the other side closes it just when the request is written.
const LONGEST_UNUSED_MS = 3_000;

async function loadTls() {
  // The connection starts to open only in the next turn of the event loop.
  await eventLoopTurn();
  const { connect, createSecureContext } = await import('node:tls');
  return { connect, secureContext: createSecureContext() };
}

/** Starts TLS like a request's agent. The code for TLS is loaded while TCP connects. */
async function openTls(tcp: Socket, hostname: string): Promise<TLSSocket> {
  // Until it is connected, Node.js may try another address with another handle of the socket.
  const [{ connect, secureContext }] = await Promise.all([loadTls(), once(tcp, 'connect')]);
  // An address can't be a server name (RFC 6066, section 3).
  const servername = isIP(hostname) === 0 ? { servername: hostname } : {};
  const socket = connect({ socket: tcp, host: hostname, secureContext, ...servername });
  socket.on('error', () => {});
  socket.once('close', () => tcp.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/**
 * A connection that is opened before the code that uses it is loaded. Nothing but the handshake is sent over it. If it
 * fails or is closed before a request gets it, the request opens its own connection.
 */
export class EarlyConnection {
  readonly #server: TlsServer;
  readonly #tcp: Socket;
  /** Undefined if it failed. The request then opens its own connection and gets the error from that. */
  readonly #opened: Promise<TLSSocket | undefined>;
  readonly #clearLimit: () => void;
  #isClaimed = false;
  /** Whether a request has the socket. Then it belongs to the agent, which closes it. */
  #isGiven = false;

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

  /** Whether a request can use it: the first request to this host and port can. */
  isFor({
    host,
    port,
  }: Readonly<{ host?: string | null | undefined; port?: number | string | null | undefined }>): boolean {
    return !this.#isClaimed && host === this.#server.hostname && Number(port) === this.#server.port;
  }

  /**
   * Waits until it is open, and gives its socket to one request, which must use it at once. Undefined if it is not
   * usable.
   */
  async claim(): Promise<TLSSocket | undefined> {
    this.#isClaimed = true;
    const socket = await this.#opened;
    if (socket === undefined) return undefined;
    // The other side may have closed it while code was loading. Data that it sent before, such as TLS session tickets,
    // is read in one turn, and the end in the next turn.
    await eventLoopTurn();
    await eventLoopTurn();
    this.#clearLimit();
    // If data has arrived, it would be read as the response to a request that was not sent yet.
    if (socket.readableLength === 0 && socket.readable && socket.writable) {
      this.#isGiven = true;
      return socket;
    }
    this.destroy();
    return undefined;
  }

  /** Closes it, unless a request has it. */
  destroy(): void {
    this.#clearLimit();
    if (!this.#isGiven) this.#tcp.destroy();
  }
}
