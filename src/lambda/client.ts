import { createHash, createHmac, createSecretKey, type Hmac, type KeyObject } from 'node:crypto';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } from '@smithy/core/config';
import { VERSION } from '../shared/version.ts';
import { Agents, type HandlerOptions, type ProxyVariables } from './agents.ts';
import { type ClientListeners, LambdaApi } from './api.ts';
import { type Credentials, CredentialTrail } from './credentials.ts';
import type { EarlyConnection } from './early-connection.ts';

/** The options of a client, without the proxy. */
export type ClientOptions = ClientListeners &
  Readonly<{
    /** The workflow run's id, which CloudTrail shows with each request. */
    runId?: string;
    /** The region where neither AWS_REGION nor the profile names one. */
    defaultRegion?: string;
    /** A connection that was opened before, for the first request to its host. It is closed where it was opened. */
    early?: EarlyConnection;
  }>;

/** What a client of another service of AWS shares with Lambda's. */
export type ServiceSettings = Readonly<{
  credentials: () => Promise<Credentials>;
  requestHandler: HandlerOptions;
  customUserAgent: [string, string][];
  /** By how many milliseconds AWS's clock is ahead of this machine's, as far as it is known. */
  systemClockOffset: number;
}>;

/** What is added to the SDK's user agent. */
const userAgent = (runId = ''): [string, string][] => [
  ['aws-lambda-invoke', VERSION],
  ...(runId === '' ? [] : [['run', runId] satisfies [string, string]]),
];

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

type HmacSecret = string | ArrayBuffer | ArrayBufferView;

/** Keys that were made of bytes: the SDK's signer holds these bytes and passes them again with each request. */
const hmacKeys = new WeakMap<ArrayBuffer | ArrayBufferView, KeyObject>();

const viewOfBytes = (secret: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret);

function hmacKeyOf(secret: HmacSecret): string | KeyObject {
  if (typeof secret === 'string') return secret;
  const key = hmacKeys.get(secret) ?? createSecretKey(viewOfBytes(secret));
  hmacKeys.set(secret, key);
  return key;
}

/** SHA-256 for the SDK's signer. The SDK's own makes a key anew for each request, which takes longer than to use it. */
class Sha256 {
  readonly #start: () => Pick<Hmac, 'update' | 'digest'>;
  #hash: Pick<Hmac, 'update' | 'digest'>;

  constructor(secret?: HmacSecret) {
    const key = secret === undefined ? undefined : hmacKeyOf(secret);
    this.#start = () => (key === undefined ? createHash('sha256') : createHmac('sha256', key));
    this.#hash = this.#start();
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#start();
  }
}

/** The SDK's clients, one for each region. Credentials, endpoints and, without a region, the region come from the SDK's own chains. */
export class Clients {
  readonly #agents: Agents;
  readonly #options: ClientOptions;
  readonly #byRegion = new Map<string | undefined, LambdaApi>();

  constructor(proxy: ProxyVariables, options: ClientOptions = {}) {
    this.#agents = new Agents(proxy, options.early);
    this.#options = options;
  }

  /** Lambda's API in a region; without a region, the one of the SDK's chain. */
  of(region: string | undefined): LambdaApi {
    const known = this.#byRegion.get(region);
    if (known) return known;
    const { runId, defaultRegion } = this.#options;
    const client = new LambdaClient({
      ...(defaultRegion !== undefined && { region: regionOr(defaultRegion) }),
      ...(region !== undefined && { region }),
      // Prints nothing: it notes where credentials are looked for.
      logger: new CredentialTrail(),
      // The SDK must not retry an invocation: it can't know whether the function ran. Its retry middleware is removed
      // as well (LambdaApi), by a name that may change.
      maxAttempts: 1,
      customUserAgent: userAgent(runId),
      // What all requests have in common is put together once.
      cacheMiddleware: true,
      sha256: Sha256,
      // For the requests of credential providers; its own are carried over the same agents.
      requestHandler: this.#agents.forSdk(),
    });
    const api = new LambdaApi(client, this.#agents, this.#options);
    this.#byRegion.set(region, api);
    return api;
  }

  /** What a client of another service in a region shares with Lambda's there. */
  settingsFor(region: string): ServiceSettings {
    const api = this.of(region);
    return {
      credentials: () => api.credentials(),
      requestHandler: this.#agents.forSdk(),
      customUserAgent: userAgent(this.#options.runId),
      systemClockOffset: api.clockOffsetMs,
    };
  }

  /** Closes every connection, so that the process can end. */
  close(): void {
    for (const api of this.#byRegion.values()) api.close();
    // The SDK closes only what it sent itself.
    this.#agents.destroy();
  }
}
