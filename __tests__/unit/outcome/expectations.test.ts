import { describe, expect, test } from '@jest/globals';
import { parseTree, search } from '../../../src/inputs/jmespath.ts';
import { check } from '../../../src/outcome/expectations.ts';

const OUTCOME = {
  outcome: 'succeeded',
  duration_ms: 12.5,
  response: {
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
  check(expression, OUTCOME, { search, parseTree, hide: (value) => value });

describe('an expectation that holds', () => {
  test.each([
    ['response.statusCode == `500`', 500],
    ['powertools_json(response.body).ok == `true`', true],
    ['powertools_json(response.body).ok', true],
    ["outcome == 'succeeded' && duration_ms < `100`", true],
    ['length(response.items) > `2`', 3],
    ['contains(response."dashed-name", \'&&\')', true],
    ['response.none == `null`', null],
    ['!(response.ok)', true],
  ])('%s', (expression, value) => {
    expect(checked(expression)).toEqual({ expectation: { expression, met: true, value }, why: '' });
  });
});

describe('an expectation that does not hold', () => {
  test.each([
    ['response.statusCode == `200`', 500, 'response.statusCode is 500.'],
    ['response.statusCode != `500`', 500, 'response.statusCode is 500.'],
    ['response.missing.deeper == `1`', null, 'response.missing.deeper is null.'],
    ['powertools_json(response.body).ok == `false`', true, 'powertools_json(response.body).ok is true.'],
    ['response."dashed-name" == \'a || b\'', 'a && b', 'response."dashed-name" is "a && b".'],
    [
      "outcome == 'succeeded' && response.statusCode == `200` && response.ok == `true`",
      500,
      'response.statusCode is 500.',
    ],
    [
      'response.ok == `true` || response.none == `1`',
      false,
      'response.ok == `true` || response.none == `1` is false.',
    ],
    ['length(response.items) == `4`', 3, 'length(response.items) is 3.'],
    ['response.ok', false, 'response.ok is false.'],
  ])('%s shows what it saw', (expression, value, why) => {
    expect(checked(expression)).toEqual({ expectation: { expression, met: false, value }, why });
  });

  test('is one that comes to something else than true', () => {
    expect(checked('response.items').why).toBe(
      'response.items is [1,2,3]. An expectation has to come to true: compare it with something.',
    );
    expect(checked('response.items').expectation.met).toBe(false);
  });

  test.each([
    [
      "response.statusCode == '500'",
      "response.statusCode is 500. response.statusCode is a number and '500' is a string, which are never equal: write `500` for the number.",
    ],
    [
      'response.code == `500`',
      'response.code is "500". response.code is a string and `500` is a number, which are never equal: write `"500"` for the string.',
    ],
    [
      'powertools_json(response.long).ok == `true`',
      'powertools_json(response.long).ok is null. powertools_json gives null for a text that is no JSON.',
    ],
    [
      'outcome == "succeeded"',
      'outcome is "succeeded". In JMESPath "succeeded" names a field; a string is written \'succeeded\'.',
    ],
  ])('%s explains what often goes wrong', (expression, why) => {
    expect(checked(expression).why).toBe(why);
  });

  test('shows at most 200 characters of a value', () => {
    expect(checked("response.long == 'y'").why).toBe(`response.long is "${'x'.repeat(199)}….`);
  });

  test.each([
    ['length(duration_ms) == `1`', /^It can't be evaluated: Invalid type: length\(\) expected argument 1/],
  ])('%s can not be evaluated, and says why', (expression, why) => {
    const { expectation, ...rest } = checked(expression);
    expect(expectation).toEqual({ expression, met: false });
    expect(rest.why).toMatch(why);
  });
});
