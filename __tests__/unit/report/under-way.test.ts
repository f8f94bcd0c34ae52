import { expect, test } from '@jest/globals';
import { historyLine, stateLine, waitLine } from '../../../src/report/under-way.ts';

test.each([
  [
    { error: 'TooManyRequestsException', reason: 'CallerRateLimitExceeded', ran: 'never' as const },
    'TooManyRequestsException, CallerRateLimitExceeded; it did not run',
  ],
  [{ error: 'ECONNRESET', ran: 'perhaps' as const }, 'ECONNRESET; it may have run'],
])('the line before a retry says why, when and for how long yet', (failed, why) => {
  expect(waitLine({ label: 'f:7', ...failed, waitMs: 1250, leftMs: 178_000 })).toBe(
    `Lambda function f:7: ${why}. Sending it again in 1.3 s (178.0 s left).`,
  );
});
