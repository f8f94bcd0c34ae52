import { LambdaClient } from '@aws-sdk/client-lambda';
import { type ClientListeners, carryRequests } from './api.ts';
import { type Agents, createAgents, type ProxyVariables } from './connection.ts';
import { CredentialTrail } from './credentials.ts';

/** The SDK's clients, one a region. Credentials, endpoints and, without a region, the region come from the SDK's own chains. */
export class Clients {
  readonly #agents: Agents;
  readonly #listeners: ClientListeners;
  readonly #byRegion = new Map<string | undefined, LambdaClient>();

  constructor(proxy: ProxyVariables, listeners: ClientListeners = {}) {
    this.#agents = createAgents(proxy);
    this.#listeners = listeners;
  }

  /** The client of a region; undefined stands for the chain's region. */
  of(region: string | undefined): LambdaClient {
    const known = this.#byRegion.get(region);
    if (known) return known;
    const client = new LambdaClient({
      ...(region !== undefined && { region }),
      // Prints nothing: it notes where credentials are looked for.
      logger: new CredentialTrail(),
      // The SDK may not repeat an invocation: it can't know whether the function ran. What would is taken out as well
      // (carryRequests), by a name that may change.
      maxAttempts: 1,
      // What all requests have in common is put together once.
      cacheMiddleware: true,
      // For the requests of credential providers; its own are carried over the same agents.
      requestHandler: this.#agents,
    });
    carryRequests(client, this.#agents, this.#listeners);
    this.#byRegion.set(region, client);
    return client;
  }

  /** Closes every connection, so that the process can end. */
  close(): void {
    for (const client of this.#byRegion.values()) client.destroy();
    // The SDK closes only what it sent itself.
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }
}
