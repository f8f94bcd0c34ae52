import { expect, test } from '@jest/globals';
import { parseTree } from '../../../src/inputs/jmespath.ts';
import { spelled } from '../../../src/shared/expression-tree.ts';

test.each([
  'response.body',
  'response."error-count"',
  'response.items[0].id',
  'response.items[-1]',
  'response.items[1:3].id',
  'response.items[::2]',
  'response.items[*].id',
  'response.items[].id',
  'response.items[*][0]',
  'response.*.id',
  '*.id',
  "response.items[?ok == `true` && name != 'x'].id",
  'response.items[?ok] | [0]',
  'response.[id, name]',
  'response.{id: id, "a b": name}',
  '(a || b) && !(c.d)',
  'a && b || c',
  '!a',
  'a == (b == c)',
  '(a | b).c',
  "sort_by(response.items, &id)[0].name == 'it\\'s'",
  'contains(`["a"]`, @)',
])('%s is formatted as it was written', (expression) => {
  expect(spelled(parseTree(expression))).toBe(expression);
});
