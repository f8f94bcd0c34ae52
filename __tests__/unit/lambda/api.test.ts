import { LambdaClient } from '@aws-sdk/client-lambda';
import { expect, test } from '@jest/globals';
import { REMOVED } from '../../../src/lambda/api.ts';

test.each(REMOVED)('the SDK has a middleware named %s that must be removed', (name) => {
  expect(new LambdaClient().middlewareStack.remove(name)).toBe(true);
});
