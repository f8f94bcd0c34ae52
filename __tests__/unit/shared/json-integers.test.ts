import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseIntegers } from '../../../src/shared/json-integers.ts';
import { SEED } from '../../seed.ts';

const MOST = BigInt(Number.MAX_SAFE_INTEGER);

describe('an integer in JSON', () => {
  test('is a number if a double holds it exactly, and otherwise a string with all its digits', () => {
    const all = fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (integer) => {
      const isShort = integer >= -MOST && integer <= MOST;
      expect(parseIntegers(`{"id":[${integer}]}`)).toEqual({
        id: [isShort ? Number(integer) : String(integer)],
      });
    });
    fc.assert(all, { seed: SEED, numRuns: 200 });
  });

  test.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['-9007199254740992', '-9007199254740992'],
    ['1e21', 1e21],
    ['9007199254740993.5', 9007199254740994],
    ['0.12345678901234567890', 0.12345678901234568],
  ])('%s is read as %j', (json, value) => {
    expect(parseIntegers(json)).toBe(value);
  });
});

test('other JSON is read as by JSON.parse', () => {
  const long = fc.constantFrom('', ',9007199254740993');
  const isShort = (value: unknown): boolean => !/(?<![\d.])\d{16,}(?![\d.])/.test(JSON.stringify(value));
  const all = fc.property(fc.jsonValue().filter(isShort), long, (value, more) => {
    const json = JSON.stringify([value]).replace(/\]$/, `${more}]`);
    const added = more === '' ? [] : ['9007199254740993'];
    expect(parseIntegers(json)).toEqual([JSON.parse(JSON.stringify(value)), ...added]);
  });
  fc.assert(all, { seed: SEED, numRuns: 200 });
  expect(() => parseIntegers('{"id":9007199254740993')).toThrow(SyntaxError);
  expect(JSON.stringify(parseIntegers('{"__proto__":{"id":9007199254740993}}'))).toBe(
    '{"__proto__":{"id":"9007199254740993"}}',
  );
});
