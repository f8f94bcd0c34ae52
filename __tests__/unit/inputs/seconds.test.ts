import { describe, expect, test } from '@jest/globals';
import { planFor, problemsFor } from './factory.ts';

describe.each([
  { input: 'timeout_seconds', field: 'timeoutMs', least: 1, below: '0' },
  { input: 'retry_seconds', field: 'retryMs', least: 0, below: '-1' },
])('$input', ({ input, field, least, below }) => {
  test.each([
    [String(least), least * 1000],
    ['30', 30_000],
    ['432000', 432_000_000],
  ])('takes %s, in milliseconds from then on', async (value, milliseconds) => {
    expect((await planFor({ [input]: value })).delivery).toMatchObject({ [field]: milliseconds });
  });

  test.each([below, '432001', '1.5', '1e3', '0x10', '30s', 'never', '٣', 'Infinity', '9'.repeat(70)])(
    'refuses %s',
    async (value) => {
      expect(await problemsFor({ [input]: value })).toEqual([
        `${input} must be a whole number of seconds from ${least} to 432000; got "${value}".`,
      ]);
    },
  );
});
