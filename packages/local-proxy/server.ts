import { Buffer } from 'node:buffer';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  request as sendOn,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { listen } from '@aws-lambda-invoke/local-server';
import { join } from './front.ts';

/** A request that the proxy received: for a tunnel (CONNECT host:port), or to forward (POST http://…). */
export type ProxyRequest = Readonly<{ method: string; target: string; authorization: string | undefined }>;

/**
 * What the proxy does instead of forwarding a request: it refuses it, closes the connection, or stays silent.
 * Like most proxies, it keeps the connection open after its own response, even to CONNECT, unless it `hangsUp`.
 */
export type Obstruction =
  | Readonly<{ kind: 'refuse'; status: number; hangsUp?: boolean }>
  | Readonly<{ kind: 'hang-up' }>
  | Readonly<{ kind: 'silence' }>;

/** Returns the obstruction for a request, if any. `n` counts requests from 0. */
export type ObstructionChooser = (n: number) => Obstruction | undefined;

export type LocalProxyOptions = Readonly<{
  /** Default: 127.0.0.1. */
  host?: string;
  /** Default: any free port. */
  port?: number;
  /** Requests without these credentials get a 407 response. */
  credentials?: Readonly<{ user: string; password: string }>;
  /** If set, clients connect to the proxy over TLS (https://…). */
  certificate?: Readonly<{ key: string; cert: string }>;
}>;

/** A running forward proxy. */
export type LocalProxy = Readonly<{
  port: number;
  readonly requests: readonly ProxyRequest[];
  /** The number of open client connections. */
  readonly connections: number;
  obstruct(chooser: ObstructionChooser): void;
  /** Destroys every open connection. The proxy still accepts new ones. */
  cut(): void;
  /** Clears the recorded requests and the obstructions. */
  reset(): void;
  close(): Promise<void>;
}>;

const PAGE = '<html><body>The proxy blocked this request.</body></html>';

function withoutHopByHop({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const {
    'proxy-authorization': _credentials,
    'proxy-connection': _proxyConnection,
    connection: _,
    ...rest
  } = headers;
  return rest;
}

/** Returns the obstruction for a request, or undefined if the proxy forwards it. */
type Gate = (message: IncomingMessage) => Obstruction | undefined;

function forwarding(gate: Gate): RequestListener {
  return (message, response) => {
    const obstruction = gate(message);
    if (obstruction?.kind === 'hang-up') {
      message.socket.destroy();
      return;
    }
    if (obstruction?.kind === 'silence') return;
    if (obstruction) {
      response.writeHead(obstruction.status, {
        'content-type': 'text/html',
        ...(obstruction.hangsUp && { connection: 'close' }),
        ...(obstruction.status === 407 && { 'proxy-authenticate': 'Basic realm="proxy"' }),
      });
      response.end(PAGE);
      return;
    }
    const { hostname, port, pathname, search } = new URL(message.url ?? '');
    const onward = sendOn(
      {
        host: hostname,
        port,
        path: pathname + search,
        ...(message.method !== undefined && { method: message.method }),
        headers: withoutHopByHop(message),
        agent: false,
      },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
        reply.on('error', () => message.socket.destroy());
      },
    );
    onward.on('error', () => message.socket.destroy());
    message.socket.once('close', () => onward.destroy());
    message.pipe(onward);
  };
}

function tunnelling(gate: Gate): (message: IncomingMessage, client: Duplex, head: Buffer) => void {
  return (message, client, head) => {
    client.on('error', () => client.destroy());
    const obstruction = gate(message);
    if (obstruction?.kind === 'hang-up') {
      client.destroy();
      return;
    }
    if (obstruction) {
      // From here on, client data is no longer parsed as HTTP, but the end of the stream still counts.
      client.resume().on('end', () => client.end());
      if (obstruction.kind === 'silence') return;
      client.write(`HTTP/1.1 ${obstruction.status} No\r\ncontent-length: ${PAGE.length}\r\n\r\n${PAGE}`);
      if (obstruction.hangsUp) client.end();
      return;
    }
    const { hostname, port } = new URL(`tcp://${message.url}`);
    const target = connect(Number(port), hostname);
    target.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) target.write(head);
      join(client, target);
    });
    target.on('error', () => client.destroy());
  };
}

/** Starts a proxy that forwards http requests, opens tunnels for https, and records each request. */
export async function startLocalProxy(options: LocalProxyOptions = {}): Promise<LocalProxy> {
  const { credentials, certificate } = options;
  const expected =
    credentials && `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
  let requests: ProxyRequest[] = [];
  let choose: ObstructionChooser = () => undefined;
  const gate: Gate = (message) => {
    const authorization = message.headers['proxy-authorization'];
    requests.push({ method: message.method ?? '', target: message.url ?? '', authorization });
    if (expected !== undefined && authorization !== expected) return { kind: 'refuse', status: 407 };
    return choose(requests.length - 1);
  };

  const server = certificate
    ? createHttpsServer(certificate, forwarding(gate))
    : createServer(forwarding(gate));
  server.on('connect', tunnelling(gate));
  const listening = await listen(server, options);
  return {
    port: listening.port,
    get requests() {
      return requests;
    },
    get connections() {
      return listening.connections;
    },
    obstruct: (chooser) => {
      choose = chooser;
    },
    cut: () => listening.cut(),
    reset: () => {
      requests = [];
      choose = () => undefined;
    },
    close: () => listening.close(),
  };
}
