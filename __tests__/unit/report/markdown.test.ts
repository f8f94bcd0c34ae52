import { describe, expect, test } from '@jest/globals';
import { codeSpan, table } from '../../../src/report/markdown.ts';

describe('a code span', () => {
  test.each([
    ['plain text', '`plain text`'],
    ['<img src=x onerror=alert(1)>', '`<img src=x onerror=alert(1)>`'],
    ['@octocat and #1', '`@octocat and #1`'],
    ['[a](https://example.com)', '`[a](https://example.com)`'],
    ['a`b', '``a`b``'],
    ['a``b`c', '```a``b`c```'],
    ['`a', '`` `a ``'],
    ['a`', '`` a` ``'],
    ['`', '`` ` ``'],
    ['a|b||c', '`a\\|b\\|\\|c`'],
    ['a\nb\r\n\tc', '`a b c`'],
    ['  a  ', '`a`'],
    ['', ''],
    [' \n ', ''],
  ])('contains %j as %j', (foreign, markdown) => {
    expect(codeSpan(foreign)).toBe(markdown);
  });
});

test('a table has a header, a rule and a line for each row', () => {
  expect(
    table(
      ['A', 'B'],
      [
        ['1', '2'],
        ['', '4'],
      ],
    ),
  ).toBe('| A | B |\n| --- | --- |\n| 1 | 2 |\n|  | 4 |');
});
