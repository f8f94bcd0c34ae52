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

test('the line of a state is in Lambda’s words', () => {
  expect(stateLine({ label: 'f:7', state: 'Pending (Creating)' })).toBe(
    'Lambda function f:7 is Pending (Creating)',
  );
});

test.each([
  [{ kind: 'Step', state: 'Started', name: 'charge' }, 'step charge started'],
  [{ kind: 'Step', state: 'Failed', name: 'charge', seconds: 4 }, 'step charge failed; again in 4 s'],
  [{ kind: 'Step', state: 'Failed', name: 'charge' }, 'step charge failed'],
  [{ kind: 'Wait', state: 'Started', seconds: 5 }, 'wait started (5 s)'],
  [{ kind: 'Wait', state: 'Succeeded', name: 'pause' }, 'wait pause succeeded'],
  [{ kind: 'Callback', state: 'TimedOut', name: 'approval' }, 'callback approval timed out'],
  [{ kind: 'ChainedInvoke', state: 'Stopped', name: 'ship' }, 'invocation ship was stopped'],
  [{ kind: 'Context', state: 'Succeeded', name: 'a\n::error::b' }, 'context a ::error::b succeeded'],
] as const)('the line of %j', (happening, line) => {
  expect(historyLine({ label: 'f:7', ...happening })).toBe(`Lambda function f:7: ${line}`);
});
