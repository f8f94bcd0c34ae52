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
  ])('accepts %s and converts it to milliseconds', async (value, milliseconds) => {
    expect((await planFor({ [input]: value })).policy).toMatchObject({ [field]: milliseconds });
  });

  test.each([
    below,
    '432001',
    '1.5',
    '1e3',
    '0x10',
    '0.5ms',
    '1.5 parsecs',
    'never',
    '٣',
    'Infinity',
    '9'.repeat(70),
  ])('rejects %s', async (value) => {
    expect(await problemsFor({ [input]: value })).toEqual([
      `${input} must be a whole number of seconds from ${least} to 432000; got "${value}".`,
    ]);
  });

  test.each([
    ['5m', 'write 300, which is 5 minutes'],
    ['1.5 min', 'write 90, which is 1.5 minutes'],
    ['1 hour', 'write 3600, which is 1 hour'],
    ['30s', 'write 30, without the unit'],
    ['30 seconds', 'write 30, without the unit'],
    ['30000ms', 'write 30, which is 30000 milliseconds'],
    [
      '${{ inputs.timeout }}',
      'the expression was not evaluated: ${{ }} has no effect in a file, in the value of a variable or in the default of a workflow input',
    ],
  ])('rejects %s with a fix', async (value, fix) => {
    expect(await problemsFor({ [input]: value })).toEqual([
      `${input} must be a whole number of seconds from ${least} to 432000; got "${value}" (${fix}).`,
    ]);
  });
});

describe('shard', () => {
  const seven = { function_name: 'a\nb\nc\nd\ne\nf\ng' };
  const namesOf = async (shard: string): Promise<string[]> =>
    (await planFor({ ...seven, shard })).invocations.map(({ functionName }) => functionName);

  test('selects every TOTALth entry from INDEX and keeps the entry numbers', async () => {
    expect(await namesOf('0/3')).toEqual(['a', 'd', 'g']);
    expect(await namesOf('1/3')).toEqual(['b', 'e']);
    expect(await namesOf('2/3')).toEqual(['c', 'f']);
    const plan = await planFor({ ...seven, shard: '1/3', repeat: '2' });
    expect(plan.invocations.map(({ index }) => index)).toEqual([2, 3, 8, 9]);
  });

  test('can be empty', async () => {
    expect(await namesOf('8/9')).toEqual([]);
  });

  test.each(['1', '3/3', '-1/3', '0/0', '1/', '1.0/2', '1/2/3', ' / '])('%j is rejected', async (shard) => {
    expect(await problemsFor({ shard })).toEqual([
      expect.stringMatching(
        /^shard must be INDEX\/TOTAL, with INDEX from 0 and below TOTAL, for example \$\{\{ strategy\.job-index \}\}\/\$\{\{ strategy\.job-total \}\}; got "/,
      ),
    ]);
  });
});

describe.each(['repeat', 'max_concurrency'])('%s', (input) => {
  test.each(['0', '-1', '1.5', 'many', '1000000'])('%j is rejected', async (value) => {
    expect(await problemsFor({ [input]: value })).toEqual([
      expect.stringMatching(
        new RegExp(`^${input} must be a whole number from 1 to \\d+; got "${value}"\\.$`),
      ),
    ]);
  });
});

test('max_concurrency is at most 1000', async () => {
  expect((await planFor({ max_concurrency: '1000' })).maxConcurrency).toBe(1000);
  expect(await problemsFor({ max_concurrency: '1001' })).toEqual([
    'max_concurrency must be a whole number from 1 to 1000; got "1001".',
  ]);
});

describe('max_concurrency', () => {
  test.each([
    [{}, 10],
    [{ repeat: '5' }, 10],
    [{ repeat: '50' }, 50],
    [{ repeat: '100' }, 100],
    [{ function_name: 'one\ntwo\nthree', repeat: '4' }, 12],
    [{ function_name: 'one\ntwo\nthree', repeat: '4', shard: '0/2' }, 10],
    [{ function_name: 'one\ntwo\nthree', repeat: '8', shard: '0/2' }, 16],
    [{ function_name: 'one\ntwo\nthree', repeat: '90' }, 100],
    [{ function_name: Array.from({ length: 11 }, (_, at) => `f${at}`).join('\n') }, 10],
    [{ repeat: '50', max_concurrency: '60' }, 60],
    [{ max_concurrency: '1' }, 1],
  ])('with %j is %i', async (inputs, most) => {
    const plan = await planFor(inputs);
    expect(plan.maxConcurrency).toBe(most);
    expect(plan.warnings).toEqual([]);
  });

  test('is at most 100 by default, with a warning', async () => {
    const plan = await planFor({ repeat: '200' });
    expect(plan.maxConcurrency).toBe(100);
    expect(plan.warnings).toEqual([
      'By default max_concurrency is at most 100, which is below repeat: 200, so the copies of an entry do not all overlap. To let them overlap, set max_concurrency.',
    ]);
  });

  test('below repeat gets a warning', async () => {
    expect((await planFor({ repeat: '5', max_concurrency: '2' })).warnings).toEqual([
      'max_concurrency: 2 is below repeat: 5, so the copies of an entry do not all overlap.',
    ]);
  });
});
