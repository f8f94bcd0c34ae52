import { LambdaClient } from '@aws-sdk/client-lambda';
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } from '@smithy/core/config';
import { type ClientListeners, carryRequests } from './api.ts';
import { type Agents, createAgents, type ProxyVariables } from './connection.ts';
import { CredentialTrail } from './credentials.ts';

/** What a client takes beside the proxy. */
export type ClientOptions = ClientListeners &
  Readonly<{
    /** The region where neither AWS_REGION nor the profile names one. */
    defaultRegion?: string;
  }>;

/** The SDK's own chain of places for the region, with a default in place of the instance's metadata at its end. */
const regionOr = (defaultRegion: string) =>
  loadConfig(
    {
      ...NODE_REGION_CONFIG_OPTIONS,
      // A variable that a workflow sets from nothing is empty, which the SDK takes for a region.
      environmentVariableSelector: (variables) =>
        NODE_REGION_CONFIG_OPTIONS.environmentVariableSelector(variables) || undefined,
      default: defaultRegion,
    },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  );

/** The SDK's clients, one a region. Credentials, endpoints and, without a region, the region come from the SDK's own chains. */
export class Clients {
  readonly #agents: Agents;
  readonly #options: ClientOptions;
  readonly #byRegion = new Map<string | undefined, LambdaClient>();

  constructor(proxy: ProxyVariables, options: ClientOptions = {}) {
    this.#agents = createAgents(proxy);
    this.#options = options;
  }

  /** The client of a region; undefined stands for the chain's region. */
  of(region: string | undefined): LambdaClient {
    const known = this.#byRegion.get(region);
    if (known) return known;
    const { defaultRegion } = this.#options;
    const client = new LambdaClient({
      ...(defaultRegion !== undefined && { region: regionOr(defaultRegion) }),
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
    carryRequests(client, this.#agents, this.#options);
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
