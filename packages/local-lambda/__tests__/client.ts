import { LambdaClient, LambdaServiceException } from '@aws-sdk/client-lambda';
import type { LocalLambda } from '../server.ts';

/** AWS's own client for a local Lambda. It sends each request only once. */
export const clientOf = (
  { url, region }: Pick<LocalLambda, 'url' | 'region'>,
  accessKeyId = 'AKIAEXAMPLE000000000',
): LambdaClient =>
  new LambdaClient({
    endpoint: url,
    region,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: 'secret' },
  });

/** The error response of the service. Throws if there is no error. */
export async function failureOf(promise: Promise<unknown>): Promise<LambdaServiceException> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof LambdaServiceException) return error;
  throw new Error(`Expected an error of the service, got ${String(error)}`, { cause: error });
}
