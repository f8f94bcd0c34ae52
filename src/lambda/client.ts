import { LambdaClient } from '@aws-sdk/client-lambda';
import { type Agents, createAgents, type ProxyVariables } from './connection.ts';
import { carryRequests } from './request.ts';
import { Signer } from './signature.ts';

/** Takes out of a client what every request would pass through to no end. */
function lighten({ middlewareStack: stack }: LambdaClient): void {
  // There is no logger, and what a client says of itself does not change.
  stack.remove('loggerMiddleware');
  stack.remove('getUserAgentMiddleware');
  // Nothing is repeated. Others say that they come after it, so there has to be one of this name.
  const place = { name: 'retryMiddleware', step: 'finalizeRequest', priority: 'high' } as const;
  stack.add((next) => next, { ...place, override: true });
}

/** The SDK's clients, one a region. Credentials, endpoints and, without a region, the region come from the SDK's own chains. */
export class Clients {
  readonly #agents: Agents;
  readonly #byRegion = new Map<string | undefined, LambdaClient>();

  constructor(proxy: ProxyVariables) {
    this.#agents = createAgents(proxy);
  }

  /** The client of a region; undefined stands for the chain's region. */
  of(region: string | undefined): LambdaClient {
    const known = this.#byRegion.get(region);
    if (known) return known;
    const signer = new Signer('lambda');
    const client: LambdaClient = new LambdaClient({
      ...(region !== undefined && { region }),
      // The SDK may not repeat an invocation: it can't know whether the function ran.
      maxAttempts: 1,
      retryMode: 'standard',
      // In place of the SDK's own signing, for a third of the time.
      signer: {
        sign: async (request, { signingDate, signingRegion } = {}) => {
          const { config } = client;
          request.headers = signer.sign(request, {
            credentials: await config.credentials(),
            region: signingRegion ?? (await config.region()),
            date: new Date(signingDate ?? Date.now()),
          });
          return request;
        },
      },
      // What all requests have in common is put together once.
      cacheMiddleware: true,
      // For the requests of credential providers; its own are carried over the same agents.
      requestHandler: this.#agents,
    });
    lighten(client);
    carryRequests(client, this.#agents);
    this.#byRegion.set(region, client);
    return client;
  }

  /** Closes what is still open, so that the process can end. */
  close(): void {
    for (const client of this.#byRegion.values()) client.destroy();
  }
}
