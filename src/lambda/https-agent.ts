import { type AgentOptions, Agent as HttpsAgent, request } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { CLOSED, hasOneIdle, keepAlive, markTunnel, openingIn } from './connection.ts';
import type { EarlyConnection } from './early-connection.ts';

/** Sends a request over TLS. */
export const requestHttps = request;

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

/** Keeps idle connections alive, opens tunnels, and gives the early connection to the first request to its host. */
export class KeptAliveHttpsAgent extends HttpsAgent {
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
      else markTunnel(tunnel);
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
    const refusal = opening?.abandoned ?? (this.#isClosed ? new Error(CLOSED) : undefined);
    if (refusal !== undefined) {
      socket?.destroy();
      throw refusal;
    }
    if (socket === undefined) return this.createConnection(options);
    keepAlive(socket);
    return socket;
  }

  override destroy(): void {
    this.#isClosed = true;
    if (!hasOneIdle(this)) super.destroy();
    for (const socket of this.#opening) socket.destroy(new Error(CLOSED));
  }
}
