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
    /** The workflow run's ID, which CloudTrail shows with each request. */
    runId?: string;
    /** The region that is used if neither AWS_REGION nor the profile names one. */
    defaultRegion?: string;
    /** A connection for the first request to its host, opened earlier. The code that opened it also closes it. */
    early?: EarlyConnection;
  }>;

/** The settings that a client of another AWS service shares with the Lambda client. */
export type ServiceSettings = Readonly<{
  credentials: () => Promise<Credentials>;
  requestHandler: HandlerOptions;
  customUserAgent: [string, string][];
  /** How many milliseconds AWS's clock is ahead of this machine's clock, or 0 if that is not known. */
  systemClockOffset: number;
}>;

/** What is added to the SDK's user agent. */
const userAgent = (runId = ''): [string, string][] => [
  ['aws-lambda-invoke', VERSION],
  ...(runId === '' ? [] : [['run', runId] satisfies [string, string]]),
];

/** The SDK's chain of sources for the region, with a default at its end. Without one, it rejects. */
const regionOr = (defaultRegion: string | undefined) =>
  loadConfig(
    {
      ...NODE_REGION_CONFIG_OPTIONS,
      // A workflow can set the variable to an empty text, which the SDK would use as the region.
      environmentVariableSelector: (variables) =>
        NODE_REGION_CONFIG_OPTIONS.environmentVariableSelector(variables) || undefined,
      ...(defaultRegion !== undefined && { default: defaultRegion }),
    },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  );

type HmacSecret = string | ArrayBuffer | ArrayBufferView;

/** Keys by the bytes that they were made from. The SDK's signer keeps the bytes and passes them for each request. */
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

/** SHA-256 for the SDK's signer. The SDK's own makes a new key for each request, which takes longer than the hash. */
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

/**
 * The SDK's clients, one for each region. The SDK's own chains provide credentials, endpoints and the default region.
 */
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
      region: region ?? regionOr(defaultRegion),
      // This logger prints nothing. It records where the SDK looks for credentials.
      logger: new CredentialTrail(),
      // The SDK must not retry an invocation: it can't know whether the function ran. Its retry middleware is removed
      // as well (LambdaApi), by a name that may change.
      maxAttempts: 1,
      customUserAgent: userAgent(runId),
      // The SDK builds its middleware only once, instead of for each request.
      cacheMiddleware: true,
      sha256: Sha256,
      // Used by credential providers. The client's own requests use the same agents.
      requestHandler: this.#agents.forSdk(),
    });
    const api = new LambdaApi(client, this.#agents, this.#options);
    this.#byRegion.set(region, api);
    return api;
  }

  /** The settings for a client of another service in a region. */
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
    // The SDK closes only the connections of its own requests.
    this.#agents.destroy();
  }
}
