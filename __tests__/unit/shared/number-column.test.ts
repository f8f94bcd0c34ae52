import { expect, test } from '@jest/globals';
import { NumberColumn } from '../../../src/shared/number-column.ts';

test.each([
  ['uint32', (at: number) => 2 ** 32 - 1 - at],
  ['float64', (at: number) => at * 1e9 + 0.5],
] as const)('a column of %s has the numbers that it was given, at their places', (kind, numberAt) => {
  const column = new NumberColumn(kind);
  const numbers = Array.from({ length: 3_000 }, (_, at) => numberAt(at));
  for (const number of numbers) column.push(number);
  expect(column.length).toBe(3_000);
  expect(numbers.map((_, at) => column.at(at))).toEqual(numbers);
  expect([column.at(3_000), column.at(5_000), column.at(-1)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});
