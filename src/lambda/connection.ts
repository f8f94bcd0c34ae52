import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { Progress } from './progress.ts';

/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY in both cases, as Node's own agents read them. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

// NATs forget a silent connection: a hosted runner’s after 4 minutes, others sooner. A probe costs 60 bytes.
const KEEP_ALIVE_MS = 4_000;

// A connection that idled longer may be closed by the other side just when a request is written to it.
const LONGEST_IDLE_MS = 10_000;

/** An agent hears of sockets and not of invocations: the request's options tell which one a socket is for. */
const progressIn = (options: object): Progress | undefined =>
  'progress' in options && options.progress instanceof Progress ? options.progress : undefined;

function keepAlive(socket: Duplex | null | undefined): void {
  if (socket instanceof Socket) socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

// A socket that leads to a proxy does so again when it is used again.
const proxied = new WeakSet<Duplex>();

/** Notes that a request has a connection that stands. */
export function connectionStands(socket: Duplex, progress: Progress | undefined): void {
  if (proxied.has(socket)) progress?.proxyIsUsed();
  progress?.connectionStands();
}

class ObservedHttpAgent extends HttpAgent {
  override createConnection(
    ...[options, callback]: Parameters<HttpAgent['createConnection']>
  ): Duplex | null | undefined {
    const progress = progressIn(options);
    const socket = super.createConnection(options, callback);
    keepAlive(socket);
    // To a proxy at https:// the connection stands only when TLS does.
    socket?.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      if (socket instanceof Socket && socket.remotePort !== Number(options.port)) proxied.add(socket);
      connectionStands(socket, progress);
    });
    socket?.once('error', (error) => {
      const elsewhere =
        ('port' in error && error.port !== Number(options.port)) ||
        ('hostname' in error && error.hostname !== options.host);
      if (elsewhere) progress?.proxyIsUsed();
    });
    return socket;
  }
}

class ObservedHttpsAgent extends HttpsAgent {
  override createConnection(
    ...[options, callback]: Parameters<HttpsAgent['createConnection']>
  ): Duplex | null | undefined {
    const progress = progressIn(options);
    // Only through a proxy does a TLS socket come by the callback, once the tunnel stands or has failed.
    const socket = super.createConnection(options, (error, tunnel) => {
      progress?.proxyIsUsed();
      if (!error) {
        proxied.add(tunnel);
        connectionStands(tunnel, progress);
      }
      callback?.(error, tunnel);
    });
    keepAlive(socket);
    socket?.once('secureConnect', () => {
      // With a proxy at https:// this TLS is the proxy's own, and no tunnel stands yet.
      if (socket instanceof Socket && socket.remotePort === Number(options.port))
        connectionStands(socket, progress);
    });
    return socket;
  }
}

/** For HTTP and for HTTPS. */
export type Agents = Readonly<{ httpAgent: HttpAgent; httpsAgent: HttpsAgent }>;

/** Agents that keep silent connections alive, go through the proxy that `proxy` names, and note what was sent. */
export function createAgents(proxy: ProxyVariables): Agents {
  const options = {
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    timeout: LONGEST_IDLE_MS,
    proxyEnv: proxy,
  };
  return { httpAgent: new ObservedHttpAgent(options), httpsAgent: new ObservedHttpsAgent(options) };
}
