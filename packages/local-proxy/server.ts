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

/** A request as it came to the proxy: for a tunnel (CONNECT host:port), or to be passed on (POST http://…). */
export type ProxyRequest = Readonly<{ method: string; target: string; authorization: string | undefined }>;

/**
 * What the proxy does in place of passing a request on: it answers itself, hangs up without a word, or says nothing.
 * Like most proxies it keeps the connection after an answer of its own, also to CONNECT, unless it `hangsUp`.
 */
export type Obstruction =
  | Readonly<{ kind: 'refuse'; status: number; hangsUp?: boolean }>
  | Readonly<{ kind: 'hang-up' }>
  | Readonly<{ kind: 'silence' }>;

/** Chooses what stands in a request's way, if anything; n counts requests from 0. */
export type ObstructionChooser = (n: number) => Obstruction | undefined;

export type LocalProxyOptions = Readonly<{
  /** Default: 127.0.0.1. */
  host?: string;
  /** Default: one that is free. */
  port?: number;
  /** Whoever does not present these is answered 407. */
  credentials?: Readonly<{ user: string; password: string }>;
  /** Speaks TLS with its clients (a proxy at https://…). */
  certificate?: Readonly<{ key: string; cert: string }>;
}>;

/** A running forward proxy. */
export type LocalProxy = Readonly<{
  port: number;
  readonly requests: readonly ProxyRequest[];
  /** How many connections of clients are open. */
  readonly connections: number;
  obstruct(chooser: ObstructionChooser): void;
  /** Breaks every connection that stands; new ones are welcome. */
  cut(): void;
  /** Forgets requests and obstructions. */
  reset(): void;
  close(): Promise<void>;
}>;

const PAGE = '<html><body>The proxy does not let this through.</body></html>';

function withoutHopByHop({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const {
    'proxy-authorization': _credentials,
    'proxy-connection': _proxyConnection,
    connection: _,
    ...rest
  } = headers;
  return rest;
}

/** The proxy's own answer to a request, or undefined where it is to be passed on. */
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
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        answer.on('error', () => message.socket.destroy());
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
      // What the client sends from now on is not read as HTTP any more, but its end is seen.
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

/** Starts a proxy that passes requests for http on and opens tunnels for https, and notes what came. */
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
