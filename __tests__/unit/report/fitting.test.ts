import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fitParts, fitWholeLines } from '../../../src/report/annotations.ts';
import { anyText } from '../../any-text.ts';
import { heavyTest } from '../../heavy.ts';
import { SEED } from '../../seed.ts';

const own = (text: string) => ({ text, isForeign: false });
const foreign = (text: string) => ({ text, isForeign: true });

describe('parts of a text', () => {
  test('are complete if they fit', () => {
    expect(fitParts([foreign('why'), own('what to do'), foreign('')], 100)).toBe('why\nwhat to do\n');
  });

  test('share the space that short ones leave', () => {
    const parts = [foreign('a'.repeat(1_000)), foreign('short'), own('advice'), foreign('b'.repeat(1_000))];
    expect(fitParts(parts, 115)).toBe(`${'a'.repeat(49)}…\nshort\nadvice\n${'b'.repeat(49)}…`);
  });

  test('from the action are cut last and leave a fifth of the space for foreign text', () => {
    const [why = '', fix = ''] = fitParts([foreign('a'.repeat(500)), own('b'.repeat(500))], 102).split('\n');
    expect([why, fix]).toEqual([`${'a'.repeat(19)}…`, `${'b'.repeat(79)}…`]);
  });

  heavyTest('never need more than the available space', () => {
    const part = fc.record({
      text: anyText({ maxLength: 60 }),
      isForeign: fc.boolean(),
    });
    const all = fc.property(
      fc.array(part, { maxLength: 20 }),
      fc.integer({ min: 200, max: 400 }),
      (parts, limit) => {
        expect(fitParts(parts, limit).length).toBeLessThanOrEqual(limit);
      },
    );
    fc.assert(all, { seed: SEED, numRuns: 500 });
  });
});

describe('whole lines', () => {
  test('are kept as long as they fit', () => {
    expect(fitWholeLines(['abc', 'de', 'f'], 9)).toEqual(['abc', 'de', 'f']);
    expect(fitWholeLines(['abc', 'de', 'f'], 8)).toEqual(['abc', 'de']);
    expect(fitWholeLines([], 8)).toEqual([]);
  });

  test('are one cut line if the first does not fit', () => {
    expect(fitWholeLines(['abcdefghij', 'k'], 5)).toEqual(['abcd…']);
  });
});
