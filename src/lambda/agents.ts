import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import type { AgentOptions, Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { CLOSED, hasOneIdle, KEEP_ALIVE_MS, keepAlive } from './connection.ts';
import type { EarlyConnection } from './early-connection.ts';

/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY in both cases, as Node's own agents read them. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

// The other side may close a connection that was idle for longer just when a request is written to it.
const LONGEST_IDLE_MS = 10_000;

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
    if (!hasOneIdle(this)) super.destroy();
  }
}

/** Node.js's function that sends requests over one protocol, and the agent with its connections. */
export type Transport = Readonly<{ request: typeof requestHttp; agent: HttpAgent }>;

/** Options of the SDK's request handler. It also accepts a function that returns them, but its types have only fields. */
export type HandlerOptions = (() => Promise<Readonly<{ httpAgent: HttpAgent; httpsAgent: HttpsAgent }>>) &
  Record<string, unknown>;

const NO_FIELDS: Record<string, unknown> = {};

type HttpsTransport = Transport & Readonly<{ agent: HttpsAgent }>;

/** One agent for each protocol. The agents keep idle connections alive and use the proxy that `proxy` names. */
export class Agents {
  readonly #options: AgentOptions;
  readonly #early: EarlyConnection | undefined;
  readonly #httpAgent: KeptAliveHttpAgent;
  #https: Promise<HttpsTransport> | undefined;
  #isClosed = false;

  /** @param early a connection for the first request to its host */
  constructor(proxy: ProxyVariables, early?: EarlyConnection) {
    const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, timeout: LONGEST_IDLE_MS };
    this.#options = { ...options, proxyEnv: proxy };
    this.#early = early;
    this.#httpAgent = new KeptAliveHttpAgent(this.#options);
  }

  /** The transport for a protocol, such as `https:`. */
  async transport(protocol: string): Promise<Transport> {
    return protocol === 'https:' ? this.#forHttps() : { request: requestHttp, agent: this.#httpAgent };
  }

  /** The agents for a client of the SDK. The client asks for them with the first request that it sends itself. */
  forSdk(): HandlerOptions {
    const both = async () => ({ httpAgent: this.#httpAgent, httpsAgent: (await this.#forHttps()).agent });
    return Object.assign(both, NO_FIELDS);
  }

  /** Closes every connection, except one that is idle and alone. No connection is opened afterwards. */
  destroy(): void {
    this.#isClosed = true;
    this.#httpAgent.destroy();
    this.#https?.then(({ agent }) => agent.destroy());
  }

  #forHttps(): Promise<HttpsTransport> {
    this.#https ??= this.#loadHttps();
    return this.#https;
  }

  /** Loads TLS with the first use, because it takes milliseconds, and an endpoint at http:// does not need it. */
  async #loadHttps(): Promise<HttpsTransport> {
    const { KeptAliveHttpsAgent, requestHttps } = await import(/* webpackMode: "eager" */ './https-agent.ts');
    const agent = new KeptAliveHttpsAgent(this.#options, this.#early);
    if (this.#isClosed) agent.destroy();
    return { request: requestHttps, agent };
  }
}
