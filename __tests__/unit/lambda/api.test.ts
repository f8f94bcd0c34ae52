import { LambdaClient } from '@aws-sdk/client-lambda';
import { expect, test } from '@jest/globals';
import { REPLACED } from '../../../src/lambda/api.ts';

test.each(REPLACED)('the SDK has %s still, which costs time where it is not taken out', (name) => {
  expect(new LambdaClient().middlewareStack.remove(name)).toBe(true);
});
