import { expect, test } from '@jest/globals';
import type { Configuration } from '../../../src/lambda/configuration.ts';
import { decideByState } from '../../../src/lambda/readiness.ts';

const ACTIVE: Configuration = {
  kind: 'configuration',
  state: 'Active',
  lastUpdateStatus: 'Successful',
  awaitsSnapshot: false,
  isDurable: false,
  lacksPlatformLines: false,
  sharesStreams: false,
};
const UPDATING = { lastUpdateStatus: 'InProgress' };

const rows: readonly (readonly [what: string, found: Partial<Configuration>, next: string, state: string])[] =
  [
    ['active', {}, 'invoke', 'ready'],
    ['pending', { state: 'Pending', stateReasonCode: 'Creating' }, 'wait', 'Pending (Creating)'],
    ['in a state that is new', { state: 'Sleeping' }, 'wait', 'Sleeping'],
    [
      'inactive',
      { state: 'Inactive', stateReasonCode: 'Idle' },
      'invoke',
      'Inactive (Idle); the invocation will wake it',
    ],
    ['being updated', UPDATING, 'wait', 'Active, but an update is in progress: the old code still responds'],
    ['without a snapshot', { awaitsSnapshot: true }, 'wait', 'Active, but its snapshot is not ready'],
    ['pending and being updated', { ...UPDATING, state: 'Pending' }, 'wait', 'Pending'],
    [
      'failed',
      { state: 'Failed', stateReasonCode: 'SubnetOutOfIPAddresses' },
      'give up',
      'Failed (SubnetOutOfIPAddresses)',
    ],
    ['failed while being updated', { ...UPDATING, state: 'Failed' }, 'give up', 'Failed'],
    [
      'active after a failed update',
      { lastUpdateStatus: 'Failed', lastUpdateReasonCode: 'InvalidImage' },
      'give up',
      'Active, and its last update failed (InvalidImage)',
    ],
    [
      'inactive after a failed update',
      { state: 'Inactive', lastUpdateStatus: 'Failed' },
      'give up',
      'Inactive, and its last update failed',
    ],
    [
      'failed for a reason that is no code',
      { state: 'Failed', stateReasonCode: '::x::' },
      'give up',
      'Failed',
    ],
  ];

test.each(rows)('a function that is %s', (_, found, next, state) => {
  expect(decideByState({ ...ACTIVE, ...found })).toMatchObject({ next, state });
});

test.each([
  [{ state: 'Failed', stateReason: 'No subnet.' }, 'the function is in state Failed: No subnet.'],
  [{ state: 'Failed' }, 'the function is in state Failed: Lambda gives no reason'],
  [
    { lastUpdateStatus: 'Failed', lastUpdateReason: 'No image.' },
    "the function's last update failed, so the old code would respond: No image.",
  ],
])('has the reason for giving up on %j', (found, why) => {
  expect(decideByState({ ...ACTIVE, ...found })).toMatchObject({ isReady: false, why });
});

test('only an active function without a pending update is ready', () => {
  const ready = rows.filter(([, found]) => decideByState({ ...ACTIVE, ...found }).isReady);
  expect(ready.map(([what]) => what)).toEqual(['active']);
});
