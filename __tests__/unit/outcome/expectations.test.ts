import { describe, expect, test } from '@jest/globals';
import { parseExpressions } from '../../../src/inputs/expressions.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import { check, type Search } from '../../../src/outcome/expectations.ts';

const { search } = await parseExpressions({ expect: 'a', query: '', mask: '' }, new Problems());
const searched: Search = (expression, document) => search?.(expression, document);

const OUTCOME = {
  outcome: 'succeeded',
  duration_ms: 12.5,
  result: {
    statusCode: 500,
    code: '500',
    ok: false,
    none: null,
    items: [1, 2, 3],
    body: '{"ok":true,"error":"no stock"}',
    'dashed-name': 'a && b',
    long: 'x'.repeat(300),
  },
};
const checked = (expression: string) =>
  check(expression, OUTCOME, { search: searched, hide: (value) => value });

describe('an expectation that holds', () => {
  test.each([
    ['result.statusCode == `500`', 500],
    ['powertools_json(result.body).ok == `true`', true],
    ['powertools_json(result.body).ok', true],
    ["outcome == 'succeeded' && duration_ms < `100`", true],
    ['length(result.items) > `2`', 3],
    ['contains(result."dashed-name", \'&&\')', true],
    ['result.none == `null`', null],
    ['!(result.ok)', true],
  ])('%s', (expression, value) => {
    expect(checked(expression)).toEqual({ expectation: { expression, held: true, value }, why: '' });
  });
});

describe('an expectation that does not hold', () => {
  test.each([
    ['result.statusCode == `200`', 500, 'result.statusCode is 500.'],
    ['result.statusCode != `500`', 500, 'result.statusCode is 500.'],
    ['result.missing.deeper == `1`', null, 'result.missing.deeper is null.'],
    ['powertools_json(result.body).ok == `false`', true, 'powertools_json(result.body).ok is true.'],
    ['result."dashed-name" == \'a || b\'', 'a && b', 'result."dashed-name" is "a && b".'],
    [
      "outcome == 'succeeded' && result.statusCode == `200` && result.ok == `true`",
      500,
      'result.statusCode is 500.',
    ],
    [
      'result.ok == `true` || result.none == `1`',
      false,
      'result.ok == `true` || result.none == `1` is false.',
    ],
    ['length(result.items) == `4`', 3, 'length(result.items) is 3.'],
    ['result.ok', false, 'result.ok is false.'],
  ])('%s shows what it saw', (expression, value, why) => {
    expect(checked(expression)).toEqual({ expectation: { expression, held: false, value }, why });
  });

  test('is one that comes to something else than true', () => {
    expect(checked('result.items').why).toBe(
      'result.items is [1,2,3]. An expectation has to come to true: compare it with something.',
    );
    expect(checked('result.items').expectation.held).toBe(false);
  });

  test.each([
    [
      "result.statusCode == '500'",
      "result.statusCode is 500. result.statusCode is a number and '500' is a string, which are never equal: write `500` for the number.",
    ],
    [
      'result.code == `500`',
      'result.code is "500". result.code is a string and `500` is a number, which are never equal: write `"500"` for the string.',
    ],
    [
      'powertools_json(result.long).ok == `true`',
      'powertools_json(result.long).ok is null. powertools_json gives null for a text that is no JSON.',
    ],
    [
      'outcome == "succeeded"',
      'outcome is "succeeded". In JMESPath "succeeded" names a field; a string is written \'succeeded\'.',
    ],
  ])('%s explains what often goes wrong', (expression, why) => {
    expect(checked(expression).why).toBe(why);
  });

  test('shows at most 200 characters of a value', () => {
    expect(checked("result.long == 'y'").why).toBe(`result.long is "${'x'.repeat(199)}….`);
  });

  test.each([
    ['length(duration_ms) == `1`', /^It can't be evaluated: Invalid argument type for function length\(\)/],
  ])('%s can not be evaluated, and says why', (expression, why) => {
    const { expectation, ...rest } = checked(expression);
    expect(expectation).toEqual({ expression, held: false });
    expect(rest.why).toMatch(why);
  });
});
