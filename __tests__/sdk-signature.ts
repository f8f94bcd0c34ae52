import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

type Credentials = Readonly<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>;

/** The signed parts of a request. Header names are in lower case. */
type Signable = Readonly<{
  method: string;
  path: string;
  query?: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
}>;

/** SHA-256, or its HMAC with a secret, in the form that the SDK's signer needs. */
class Sha256 {
  readonly #hash: { update(data: string | Uint8Array): unknown; digest(): Uint8Array };

  constructor(secret?: unknown) {
    if (secret !== undefined && typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
      throw new Error('a key is text or bytes');
    }
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

type Key = Readonly<{ credentials: Credentials; region: string; date: Date }>;

/** The headers that the SDK's own signer adds to a request for Lambda. */
export async function signedBySdk(
  request: Signable,
  { credentials, region, date }: Key,
): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    region,
    service: 'lambda',
    sha256: Sha256,
  });
  const { method, path, query = {}, headers, body } = request;
  const signed = await signer.sign(
    {
      protocol: 'https:',
      hostname: 'unused',
      method,
      path,
      query: { ...query },
      headers: { ...headers },
      body,
    },
    { signingDate: date },
  );
  return signed.headers;
}
