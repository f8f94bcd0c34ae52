import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { parseExpressions } from '../../../src/inputs/expressions.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import { findSecrets, maskJudgement, NO_SECRETS } from '../../../src/outcome/masks.ts';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { notInvoked, succeeded } from '../report/factory.ts';

const { search } = await parseExpressions({ expect: 'a', query: '', mask: '' }, new Problems());

describe('secrets', () => {
  const find = (masks: string[], result: unknown) => findSecrets(masks, { result }, search);

  test('are every string and number that the masks yield, longest first', () => {
    expect(
      find(['result.token', 'result.nested'], { token: 'abc', nested: { pin: 1234, list: ['longest'] } }),
    ).toEqual({
      texts: ['longest', '1234', 'abc'],
      complete: true,
    });
  });

  test('of several lines are masked line by line', () => {
    expect(find(['result'], 'first line\r\nsecond\n\nthird').texts).toEqual([
      'first line\\r\\nsecond\\n\\nthird',
      'first line',
      'second',
      'third',
    ]);
  });

  test('are masked as they stand in JSON too', () => {
    expect(find(['result'], 'a"b').texts).toEqual(['a\\"b', 'a"b']);
  });

  test('are none where there is nothing, or nothing that can be seen', () => {
    expect(find(['result.missing', 'result.flag', 'result.empty'], { flag: true, empty: '' })).toEqual(
      NO_SECRETS,
    );
  });

  test('are not complete where a mask can not be evaluated', () => {
    expect(find(['length(`1`)', 'result.token'], { token: 'abc' })).toEqual({
      texts: ['abc'],
      complete: false,
    });
  });
});

describe('what may be shown', () => {
  const response = '{"token":"abc","pin":1234,"other":12345,"abc":"x abc y"}';
  const judgement = succeeded(
    {
      result: JSON.parse(response),
      log_result: 'token abc\n',
      query_result: ['abc', 1234],
      expectations: [{ expression: 'result.token', held: false, value: 'abc' }],
    },
    {
      response: Buffer.from(response),
      unmet: [
        {
          expectation: { expression: 'result.token', held: false, value: 'abc' },
          why: 'result.token is "abc".',
        },
      ],
    },
  );

  test('has *** in place of a secret, wherever it stands', () => {
    const shown = maskJudgement(judgement, new SecretTexts(['1234', 'abc']));
    expect(shown.outcome).toMatchObject({
      result: { token: '***', pin: '***', other: 12345, '***': 'x *** y' },
      log_result: 'token ***\n',
      query_result: ['***', '***'],
      expectations: [{ expression: 'result.token', held: false, value: '***' }],
    });
    expect(Buffer.from(shown.response).toString()).not.toContain('abc');
    expect(shown.unmet[0]?.why).toBe('result.token is "***".');
    expect(JSON.stringify(shown.outcome)).not.toContain('abc');
  });

  test('is all there is where nothing is secret', () => {
    expect(maskJudgement(judgement, new SecretTexts())).toBe(judgement);
  });

  test('is nothing of the function where a mask could not be evaluated', () => {
    const shown = maskJudgement({ ...judgement, secrets: { texts: [], complete: false } }, new SecretTexts());
    const all = JSON.stringify({ ...shown, response: Buffer.from(shown.response).toString() });
    expect(all).not.toContain('abc');
    expect(all).not.toContain('1234');
    expect(shown.outcome.outcome).toBe('succeeded');
  });

  test('covers what a stranger answered in place of Lambda', () => {
    const shown = maskJudgement(
      notInvoked({ error: { name: 'HTTP 502', message: 'abc', advice: 'x' } }, { strangeText: '<p>abc' }),
      new SecretTexts(['abc']),
    );
    expect(shown.strangeText).toBe('<p>***');
    expect(shown.outcome).toMatchObject({ error: { message: '***' } });
  });
});
