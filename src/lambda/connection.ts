import { AsyncLocalStorage } from 'node:async_hooks';
import { type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';

/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY in both cases, as Node's own agents read them. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

/** Milliseconds since 1970, passed in so that tests own the time. */
export type Clock = () => number;

// Shorter than the 4 minutes after which the NAT of a hosted runner forgets a silent connection.
const KEEP_ALIVE_MS = 15_000;

/** How far one attempt came. Before `sentAt` nothing of the request had left this machine. */
export class Progress {
  readonly #clock: Clock;
  #sentAt: Date | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get sentAt(): Date | undefined {
    return this.#sentAt;
  }

  connectionStands(): void {
    this.#sentAt ??= new Date(this.#clock());
  }
}

// An agent hears of sockets, not of invocations; the asynchronous context tells which one a socket is for.
const currentProgress = new AsyncLocalStorage<Progress>();

/** Runs the sending of one request, noting in `progress` when its connection stands. */
export function observe<T>(progress: Progress, send: () => Promise<T>): Promise<T> {
  return currentProgress.run(progress, send);
}

type Connected = 'connect' | 'secureConnect';

function note(socket: Duplex | null | undefined, connected: Connected): void {
  const progress = currentProgress.getStore();
  socket?.once(connected, () => progress?.connectionStands());
}

class ObservedHttpAgent extends HttpAgent {
  override createConnection(...args: Parameters<HttpAgent['createConnection']>): Duplex | null | undefined {
    const socket = super.createConnection(...args);
    note(socket, 'connect');
    return socket;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    currentProgress.getStore()?.connectionStands();
    super.reuseSocket(socket, request);
  }
}

class ObservedHttpsAgent extends HttpsAgent {
  override createConnection(
    ...[options, callback]: Parameters<HttpsAgent['createConnection']>
  ): Duplex | null | undefined {
    // Through a proxy the TLS socket comes by the callback, once the tunnel stands.
    const socket = super.createConnection(options, (error, tunnelled) => {
      note(tunnelled, 'secureConnect');
      callback?.(error, tunnelled);
    });
    note(socket, 'secureConnect');
    return socket;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    currentProgress.getStore()?.connectionStands();
    super.reuseSocket(socket, request);
  }
}

/** Agents that keep silent connections alive, go through the proxy that `proxy` names, and tell what was sent. */
export function createAgents(proxy: ProxyVariables): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
  const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, proxyEnv: proxy };
  return { httpAgent: new ObservedHttpAgent(options), httpsAgent: new ObservedHttpsAgent(options) };
}
