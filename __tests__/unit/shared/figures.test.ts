import { expect, test } from '@jest/globals';
import { grouped } from '../../../src/shared/text.ts';

test.each([
  [0, 0, '0'],
  [999, 0, '999'],
  [1_000, 0, '1,000'],
  [61_000.4, 0, '61,000'],
  [0.5, 0, '1'],
  [1_234_567, 0, '1,234,567'],
  [-1_000, 0, '-1,000'],
  [10, 1, '10'],
  [1_234.56, 1, '1,234.6'],
  [12.3456, 3, '12.346'],
])('%d with at most %d decimals is %s', (value, decimals, text) => {
  expect(grouped(value, decimals)).toBe(text);
  expect(value.toLocaleString('en-US', { maximumFractionDigits: decimals })).toBe(text);
});
