import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { eventLoopTurn, type Timing } from './timing.ts';

/** A host and a port that speaks TLS. */
type TlsServer = Readonly<{ hostname: string; port: number }>;

// It is used within a fraction of a second, unless credentials take longer. Servers close a connection without a
// request after five seconds or more: one that is used before that is not closed just when the request is written.
const LONGEST_UNUSED_MS = 3_000;

/** The socket as a request's agent would open it. */
function openSocket({ hostname, port }: TlsServer): TLSSocket {
  // An address is no server name (RFC 6066, section 3).
  const servername = isIP(hostname) === 0 ? { servername: hostname } : {};
  return connect({ host: hostname, port, ...servername }).setNoDelay(true);
}

/**
 * A connection that is opened before the code that uses it is loaded. Nothing but the handshake is sent over it.
 * Where it fails, or is closed before a request has it, it is as if it had never been.
 */
export class EarlyConnection {
  readonly #server: TlsServer;
  readonly #socket: TLSSocket;
  /** Resolves to whether the connection was opened. */
  readonly #opened: Promise<boolean>;
  readonly #clearLimit: () => void;
  #isClaimed = false;

  constructor(server: TlsServer, { after }: Pick<Timing, 'after'>) {
    this.#server = server;
    const socket = openSocket(server);
    this.#socket = socket;
    // Whoever needs a connection then opens another one, and has the error from that.
    socket.on('error', () => {});
    this.#opened = new Promise((resolve) => {
      socket.once('secureConnect', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
    this.#clearLimit = after(LONGEST_UNUSED_MS, () => this.close());
  }

  /** Whether a request may have it: the first one to this host and port. */
  isFor({ hostname, port = 443 }: Readonly<{ hostname: string; port?: number }>): boolean {
    return !this.#isClaimed && hostname === this.#server.hostname && port === this.#server.port;
  }

  /** Waits until it is open and gives its socket to one request, to be used at once; undefined where it is not usable. */
  async claim(): Promise<TLSSocket | undefined> {
    this.#isClaimed = true;
    if (!(await this.#opened)) return undefined;
    // The other side may have closed it while code was being loaded.
    await eventLoopTurn();
    this.#clearLimit();
    // What arrived would be read as the response to a request that had not been sent.
    if (this.#socket.readableLength > 0) this.close();
    return this.#socket.destroyed || !this.#socket.writable ? undefined : this.#socket;
  }

  close(): void {
    this.#clearLimit();
    this.#socket.destroy();
  }
}

/** Opens a connection, where there is a server to connect to. Never throws. */
export function openEarly(
  server: TlsServer | undefined,
  timing: Pick<Timing, 'after'>,
): EarlyConnection | undefined {
  try {
    return server && new EarlyConnection(server, timing);
  } catch {
    // Options of Node.js may not fit together. A request says so.
    return undefined;
  }
}
