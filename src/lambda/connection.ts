import { Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { EarlyConnection } from './early-connection.ts';

/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY in both cases, as Node's own agents read them. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

// NATs drop a silent connection: that of a hosted runner after 4 minutes, others sooner. A probe costs 60 bytes.
const KEEP_ALIVE_MS = 4_000;

// The other side may close a connection that was idle for longer just when a request is written to it.
const LONGEST_IDLE_MS = 10_000;

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

// Node.js reads a proxy's response to CONNECT without a limit, and doubles its listeners for each part.
const MOST_PARTS = 16;
const ENDLESS = "the proxy's response to CONNECT does not end";

/** Closes the connection to a proxy if its response to CONNECT does not end. The returned function stops the guard. */
function guardTunnel(socket: Duplex): () => void {
  let parts = 0;
  const count = (): void => {
    parts += 1;
    if (parts > MOST_PARTS) socket.destroy(Object.assign(new Error(ENDLESS), { code: 'ERR_PROXY_TUNNEL' }));
  };
  socket.on('readable', count);
  return () => socket.off('readable', count);
}

/** The opening in the options of a socket. An agent does not know the request that a socket is for. */
const openingIn = (options: object): Opening | undefined =>
  'opening' in options && options.opening instanceof Opening ? options.opening : undefined;

function keepAlive(socket: Duplex | null | undefined): void {
  if (socket instanceof Socket) socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

const tunnels = new WeakSet<Duplex>();

/** Whether a socket leads through a proxy's tunnel. */
export const isTunnel = (socket: Duplex): boolean => tunnels.has(socket);

/** Calls back when a socket is connected, including TLS. From then on, a request is written to it. */
export function whenConnected(socket: Socket, callback: () => void): void {
  // If no file descriptor is left, Node.js passes a socket that is not open before it reports the error.
  if (socket.destroyed) return;
  // A tunnel and a reused connection are already connected when a request gets them.
  if (!socket.connecting) callback();
  else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', callback);
}

const CLOSED = 'all connections were closed';

class KeptAliveHttpAgent extends HttpAgent {
  #isClosed = false;

  override createConnection(
    ...[options, callback]: Parameters<HttpAgent['createConnection']>
  ): Duplex | null | undefined {
    if (this.#isClosed) throw new Error(CLOSED);
    const socket = super.createConnection(options, callback);
    keepAlive(socket);
    return socket;
  }

  override destroy(): void {
    this.#isClosed = true;
    super.destroy();
  }
}

class KeptAliveHttpsAgent extends HttpsAgent {
  // Node's own destroy() does not close connections whose tunnels are still opening.
  readonly #opening = new Set<Duplex>();
  readonly #early: EarlyConnection | undefined;
  #isClosed = false;

  constructor(options: AgentOptions, early: EarlyConnection | undefined) {
    super(options);
    this.#early = early;
  }

  override createConnection(
    ...[options, callback]: Parameters<HttpsAgent['createConnection']>
  ): Duplex | null | undefined {
    if (this.#isClosed) throw new Error(CLOSED);
    if (this.#early?.isFor(options)) {
      this.#takeEarly(this.#early, options).then(
        (socket) => socket && callback?.(null, socket),
        (error) => callback?.(error, new Socket()),
      );
      return undefined;
    }
    const opening = openingIn(options);
    // With a proxy, the socket is passed to the callback, when the tunnel is open or has failed.
    const socket = super.createConnection(options, (error, tunnel) => {
      opening?.end();
      endGuard?.();
      if (socket) this.#opening.delete(socket);
      // Node.js leaves the connection open if the proxy refuses the tunnel.
      if (error) socket?.destroy();
      else tunnels.add(tunnel);
      callback?.(error, tunnel);
    });
    // A connection with TLS is direct, or leads to a proxy at https://, which is trusted.
    const endGuard = socket && !(socket instanceof TLSSocket) ? guardTunnel(socket) : undefined;
    if (socket) {
      keepAlive(socket);
      opening?.begin(socket);
      this.#opening.add(socket);
      socket.once('close', () => this.#opening.delete(socket));
    }
    return socket;
  }

  /** The early connection when it is open, or a new connection if it failed. */
  async #takeEarly(
    early: EarlyConnection,
    options: Parameters<HttpsAgent['createConnection']>[0],
  ): Promise<Duplex | null | undefined> {
    const opening = openingIn(options);
    opening?.begin(early);
    const socket = await early.claim();
    opening?.end();
    if (opening?.abandoned !== undefined) throw opening.abandoned;
    if (this.#isClosed) throw new Error(CLOSED);
    if (socket === undefined) return this.createConnection(options);
    keepAlive(socket);
    return socket;
  }

  override destroy(): void {
    this.#isClosed = true;
    super.destroy();
    for (const socket of this.#opening) socket.destroy(new Error(CLOSED));
  }
}

/** The agents for HTTP and for HTTPS. */
export type Agents = Readonly<{ httpAgent: HttpAgent; httpsAgent: HttpsAgent }>;

/**
 * Agents that keep idle connections alive and use the proxy that `proxy` names. The first request to the host of the
 * early connection gets that connection. After destroy(), they open no connection.
 */
export function createAgents(proxy: ProxyVariables, early?: EarlyConnection): Agents {
  const options = {
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    timeout: LONGEST_IDLE_MS,
    proxyEnv: proxy,
  };
  return { httpAgent: new KeptAliveHttpAgent(options), httpsAgent: new KeptAliveHttpsAgent(options, early) };
}
