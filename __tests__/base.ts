import { Buffer } from 'node:buffer';
import type { Invocation } from '../src/lambda/invocation.ts';

export const REQUEST_ID = '11111111-2222-4333-8444-555555555555';
export const REGION = 'eu-west-1';
/** The log of that request of my-function. */
export const LOG_URL = `https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fmy-function/log-events$3FfilterPattern$3D$2522${REQUEST_ID}$2522`;
export const STARTED_AT = new Date('2026-01-02T03:04:05.678Z');
export const ELAPSED_MS = 42;

/** The default invocation for tests, with overrides: my-function with an empty event. */
export function anInvocation(given: Partial<Invocation> = {}): Invocation {
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

const { index, functionName, invocationType } = anInvocation();

/** The common fields of every outcome of the default invocation after one attempt. */
export const OUTCOME_FIELDS = {
  index,
  function_name: functionName,
  region: REGION,
  invocation_type: invocationType,
  started_at: STARTED_AT.toISOString(),
  elapsed_ms: ELAPSED_MS,
  attempts: 1,
} as const;
