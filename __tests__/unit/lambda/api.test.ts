import { LambdaClient } from '@aws-sdk/client-lambda';
import { expect, test } from '@jest/globals';
import { REMOVED } from '../../../src/lambda/api.ts';

test.each(REMOVED)('the SDK has a middleware of the name %s, which has to be removed', (name) => {
  expect(new LambdaClient().middlewareStack.remove(name)).toBe(true);
});
