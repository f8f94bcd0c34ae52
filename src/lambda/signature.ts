import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

/** AWS credentials: temporary ones have a session token. */
export type Credentials = Readonly<{
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}>;

/** What is signed of a request. */
export type Signable = Readonly<{
  method: string;
  /** Percent-encoded, as it is sent. */
  path: string;
  query?: Query | undefined;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
}>;

/** Parameters of a query, not encoded; null stands for one without a value. */
export type Query = Readonly<Record<string, string | string[] | null>>;

const ALGORITHM = 'AWS4-HMAC-SHA256';
const TERMINATOR = 'aws4_request';

// What proxies and connections add, change or take away can't be signed.
const UNSIGNED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'expect',
  'transfer-encoding',
  'user-agent',
  'x-amzn-trace-id',
]);

const hmac = (key: string | Uint8Array, text: string): Uint8Array =>
  createHmac('sha256', key).update(text).digest();

/** Percent-encodes all but unreserved characters (RFC 3986). */
const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** A query as it is sent and signed: encoded, in the order of its names and, under one name, of its values. */
export function queryText(query: Query = {}): string {
  return Object.entries(query)
    .map(([name, value]) => ({
      name: percentEncoded(name),
      values: [value].flat().map((one) => percentEncoded(one ?? '')),
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap(({ name, values }) => values.sort().map((value) => `${name}=${value}`))
    .join('&');
}

/** The path is encoded once more for its signature, but for its slashes; S3 alone has it otherwise. */
const canonicalPath = (path: string): string => path.split('/').map(percentEncoded).join('/');

const canonicalValue = (value: string): string => value.trim().replace(/ +/g, ' ');

type Key = Readonly<{ of: string; key: KeyObject }>;

/**
 * Signs requests with Signature Version 4
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 */
export class Signer {
  readonly #service: string;
  // Good for a day, a region and a secret.
  #known: Key | undefined;

  constructor(service: string) {
    this.#service = service;
  }

  /** The headers of a request, signed with those that the signature takes. */
  sign(
    { method, path, query, headers, body = '' }: Signable,
    { credentials, region, date }: Readonly<{ credentials: Credentials; region: string; date: Date }>,
  ): Record<string, string> {
    const time = date.toISOString().replace(/[-:]|\.\d+/g, '');
    const scope = `${time.slice(0, 8)}/${region}/${this.#service}/${TERMINATOR}`;
    const bodyHash = hash('sha256', body, 'hex');
    const signed: Record<string, string> = {
      ...headers,
      'x-amz-content-sha256': bodyHash,
      'x-amz-date': time,
      ...(credentials.sessionToken && { 'x-amz-security-token': credentials.sessionToken }),
    };
    const names = Object.keys(signed)
      .filter((name) => !UNSIGNED.has(name))
      .sort();
    const lines = names.map((name) => `${name}:${canonicalValue(signed[name] ?? '')}\n`).join('');
    const signedNames = names.join(';');
    const canonical = [method, canonicalPath(path), queryText(query), lines, signedNames, bodyHash].join(
      '\n',
    );
    const text = [ALGORITHM, time, scope, hash('sha256', canonical, 'hex')].join('\n');
    const key = this.#keyFor(credentials.secretAccessKey, scope);
    const signature = createHmac('sha256', key).update(text).digest('hex');
    signed['authorization'] =
      `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedNames}, Signature=${signature}`;
    return signed;
  }

  #keyFor(secret: string, scope: string): KeyObject {
    const of = `${scope}\n${secret}`;
    if (this.#known?.of !== of) {
      const [day = '', ...rest] = scope.split('/');
      this.#known = { of, key: createSecretKey(rest.reduce(hmac, hmac(`AWS4${secret}`, day))) };
    }
    return this.#known.key;
  }
}
