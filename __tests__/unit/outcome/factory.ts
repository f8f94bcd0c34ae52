import { Buffer } from 'node:buffer';
import type { Answer, Delivery, Failure, Invocation } from '../../../src/lambda/invocation.ts';

export const REQUEST_ID = '11111111-2222-4333-8444-555555555555';

/** An invocation of my-function with overrides. */
export function invocation(given: Partial<Invocation> = {}): Invocation {
  return {
    index: 0,
    functionName: 'my-function',
    reference: { name: 'my-function' },
    invocationType: 'RequestResponse',
    logType: 'None',
    keepsLog: true,
    payload: Buffer.from('{}'),
    ...given,
  };
}

/** A function's successful answer with overrides; `text` is the response. */
export function answer(text: string, given: Partial<Answer> = {}): Answer {
  return {
    kind: 'answer',
    statusCode: 200,
    executedVersion: '$LATEST',
    requestId: REQUEST_ID,
    payload: Buffer.from(text),
    ...given,
  };
}

/** A refusal by Lambda with overrides. */
export function failure(given: Partial<Failure> = {}): Failure {
  return {
    kind: 'failure',
    name: 'ResourceNotFoundException',
    message: 'Function not found',
    proof: 'never_ran',
    mayClear: false,
    throughProxy: false,
    statusCode: 404,
    ...given,
  };
}

/** How an invocation ended: sent once to eu-west-1, 42 ms. */
export function delivery(result: Answer | Failure, given: Partial<Delivery> = {}): Delivery {
  return {
    invocation: invocation(),
    result,
    region: 'eu-west-1',
    startedAt: new Date('2026-01-02T03:04:05.678Z'),
    elapsedMs: 42,
    attempts: 1,
    tailRefused: false,
    ...given,
  };
}
