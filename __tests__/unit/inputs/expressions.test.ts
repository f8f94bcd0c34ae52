import { describe, expect, test } from '@jest/globals';
import { planFor, problemsFor } from './factory.ts';

describe('expressions', () => {
  test('are read one a line, white space and empty lines aside', async () => {
    const { expressions } = await planFor({
      expect: '  response.a == `1`\n\n  response.b == `2`  \n',
      query: 'response.{\n  a: a,\n  b: b\n}',
      mask: 'response.token',
    });
    expect(expressions).toMatchObject({
      expect: ['response.a == `1`', 'response.b == `2`'],
      query: 'response.{ a: a, b: b }',
      mask: ['response.token'],
    });
    expect(expressions.search?.('response.a', { response: { a: 7 } })).toBe(7);
  });

  test('that are not given load nothing', async () => {
    expect((await planFor({})).expressions).toEqual({ expect: [], mask: [] });
  });

  test.each([
    ['response.a == 200', 14, 'write a number in backticks: `200`'],
    ['a.b[', 4, 'the expression ends too early'],
    ['a = b', 2, 'a comparison is written =='],
    ['a b', 2, 'b is not expected here'],
    ['a.b]', 3, '] is not expected here'],
    ['a || lenght(b) > `1`', 5, 'there is no function lenght (did you mean length?)'],
    [
      "a == 'lenght(b)' && powertols_json(a)",
      20,
      'there is no function powertols_json (did you mean powertools_json?)',
    ],
    ['frobnicate_it(a)', 0, 'there is no function frobnicate_it'],
    // What the library has beyond standard JMESPath, and takes although it is none.
    ['upper(response.a)', 0, 'there is no function upper'],
    ["response.a == 'ok", 14, 'the quote is not closed'],
    ['response.a == `200', 14, 'the backtick is not closed'],
    ['response."a', 9, 'the quote is not closed'],
    ['response.a * `2`', 11, 'JMESPath has no arithmetic; * stands for all values'],
    ['response.a + `2`', 11, 'JMESPath has no arithmetic'],
    ['response.a ? `1` : `2`', 11, '? is not expected here'],
    ['let $a = response in $a', 4, 'JMESPath starts at the outcome itself; drop "$."'],
    [`${'('.repeat(20_000)}a${')'.repeat(20_000)}`, 0, 'the expression is nested too deeply'],
  ])('%s is refused with a caret under the place', async (expression, column, what) => {
    expect(await problemsFor({ expect: `response.ok == \`true\`\n${expression}` })).toEqual([
      `expect: ${what}.\n    ${expression}\n    ${' '.repeat(column)}^`,
    ]);
  });

  // A runner passes an input as an environment variable, of which Linux takes 128 KiB.
  test.each(['a', '_', 'length', '1a', 'length(', "'a' "])(
    'of 120 KB of "%s" are read at once',
    async (part) => {
      const before = performance.now();
      await problemsFor({ query: part.repeat(120_000 / part.length) });
      expect(performance.now() - before).toBeLessThan(3_000);
    },
  );

  test('that are wrong are all reported, each with its input', async () => {
    const problems = await problemsFor({ expect: 'a =\nb c', query: 'd e', mask: 'f g' });
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(':')))).toEqual([
      'expect',
      'expect',
      'query',
      'mask',
    ]);
  });

  test.each([
    'length(response) > `1`',
    'sum(response.items) == `6`',
    'a > `1`',
    "starts_with(outcome, 'su')",
  ])('%s is sound although it has no meaning on an empty document', async (expression) => {
    expect(await problemsFor({ expect: expression })).toEqual([]);
  });
});
