import { Buffer } from 'node:buffer';
import type { InvocationResult, InvokeFailure, InvokeResponse } from '../../../src/lambda/invocation.ts';
import { anInvocation, ELAPSED_MS, REGION, REQUEST_ID, STARTED_AT } from '../../base.ts';

export { anInvocation as invocation, REQUEST_ID } from '../../base.ts';

/** A function's successful response, with overrides. `text` is its body. */
export function responseOf(text: string, given: Partial<InvokeResponse> = {}): InvokeResponse {
  return {
    kind: 'response',
    statusCode: 200,
    executedVersion: '$LATEST',
    requestId: REQUEST_ID,
    payload: Buffer.from(text),
    ...given,
  };
}

/** A rejection by Lambda, with overrides. */
export function failure(given: Partial<InvokeFailure> = {}): InvokeFailure {
  return {
    kind: 'failure',
    name: 'ResourceNotFoundException',
    message: 'Function not found',
    evidence: 'did_not_run',
    mayClear: false,
    throughProxy: false,
    statusCode: 404,
    ...given,
  };
}

/** How an invocation ended: one attempt in eu-west-1, 42 ms. */
export function resultOf(
  result: InvokeResponse | InvokeFailure,
  given: Partial<InvocationResult> = {},
): InvocationResult {
  return {
    invocation: anInvocation(),
    result,
    region: REGION,
    startedAt: STARTED_AT,
    elapsedMs: ELAPSED_MS,
    attempts: 1,
    sent: [],
    tailRefused: false,
    ...given,
  };
}
