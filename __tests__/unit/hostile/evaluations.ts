import fc from 'fast-check';
import { parseExpressions } from '../../../src/inputs/expressions.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import type { InvocationResult } from '../../../src/lambda/invocation.ts';
import { evaluate } from '../../../src/outcome/evaluate.ts';
import { adviceFor } from '../../../src/outcome/failure-advice.ts';
import type { Evaluation } from '../../../src/outcome/outcome.ts';
import { failure, REQUEST_ID, responseOf, resultOf } from '../outcome/factory.ts';
import {
  functionName,
  hostileLogTail,
  hostileResponse,
  hostileText,
  hostileValue,
  qualifier,
  region,
} from './arbitraries.ts';

const advise = adviceFor({ eventName: 'pull_request', hasOidc: false });

/** The inputs `expect`, `query` and `mask` as a user writes them. */
export type Asked = Readonly<{ expect?: string; query?: string; mask?: string }>;

/** Evaluates deliveries with these expressions, as the action does. */
export async function evaluating(
  { expect = '', query = '', mask = '' }: Asked,
  options: { failOnFunctionError: boolean } = { failOnFunctionError: true },
): Promise<(ended: InvocationResult) => Evaluation> {
  const expressions = await parseExpressions(
    { expect, query, mask },
    { invocations: [], waitForDurableExecution: false },
    new Problems(),
  );
  return (ended) => evaluate(ended, { ...options, expressions, advise });
}

const requestId = fc.option(fc.oneof(fc.uuid(), fc.constant(REQUEST_ID), hostileValue), { nil: undefined });

const hostileSuccess = fc
  .record({
    payload: hostileResponse,
    functionError: fc.option(hostileValue, { nil: undefined }),
    executedVersion: fc.option(hostileValue, { nil: undefined }),
    requestId,
    durableExecutionArn: fc.option(hostileValue, { nil: undefined }),
    logTail: fc.option(hostileLogTail, { nil: undefined }),
    invocationType: fc.constantFrom('RequestResponse', 'Event', 'DryRun'),
  })
  .map(({ payload, invocationType, ...fields }) => ({
    invocationType,
    result: responseOf('', {
      payload,
      ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    }),
  }));

const hostileFailure = fc
  .record({
    name: fc.oneof(
      fc.constantFrom('HTTP 502', 'AccessDeniedException', 'ECONNRESET', 'TooManyRequestsException'),
      hostileValue,
    ),
    message: hostileText,
    foreignText: hostileText,
    reason: hostileText,
    requestId: fc.oneof(fc.uuid(), hostileValue),
    evidence: fc.constantFrom('did_not_run', 'may_have_run', 'ran'),
    throughProxy: fc.boolean(),
  })
  .map((fields) => ({ invocationType: 'RequestResponse' as const, result: failure(fields) }));

/** The outcome of an invocation, with hostile text wherever the text is from neither the user nor the action. */
export const hostileResult: fc.Arbitrary<InvocationResult> = fc
  .tuple(
    fc.oneof({ arbitrary: hostileSuccess, weight: 3 }, { arbitrary: hostileFailure, weight: 1 }),
    fc.record({ name: functionName, qualifier: fc.option(qualifier, { nil: undefined }) }),
    fc.record({ region: fc.option(region, { nil: undefined }), tailRefused: fc.boolean() }),
  )
  .map(([{ invocationType, result }, reference, { region: place, tailRefused }]) => {
    const base = resultOf(result);
    const { region: _, ...unplaced } = base;
    return {
      ...unplaced,
      tailRefused,
      ...(place !== undefined && { region: place }),
      invocation: {
        ...base.invocation,
        functionName: reference.name,
        reference: { name: reference.name },
        invocationType,
        ...(reference.qualifier !== undefined && { qualifier: reference.qualifier }),
      },
    };
  });
