import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { cut, onOneLine, quote, shortened, utf8End, utf8Start } from '../../../src/shared/text.ts';

describe('a cut', () => {
  test.each([
    ['shorter than the limit', 'abc', 4],
    ['exactly at the limit', 'abcd', 4],
    ['exactly at the limit in bytes', 'é€', 5],
    ['empty', '', 0],
  ])('does not change a text that is %s', (_, text, limit) => {
    expect(cut(text, limit)).toBe(text);
  });

  test.each([
    ['one byte over', 'abcde', 4, 'abcd\n… cut: the first 4 of 5 bytes'],
    ['inside é', 'abcé', 4, 'abc\n… cut: the first 3 of 5 bytes'],
    ['after one byte of €', 'ab€', 3, 'ab\n… cut: the first 2 of 5 bytes'],
    ['after two bytes of €', 'ab€', 4, 'ab\n… cut: the first 2 of 5 bytes'],
    ['inside 😀', 'a😀b', 4, 'a\n… cut: the first 1 of 6 bytes'],
    ['after 😀', 'a😀b', 5, 'a😀\n… cut: the first 5 of 6 bytes'],
    ['inside the first character', '😀', 2, '\n… cut: the first 0 of 4 bytes'],
  ])('ends at a character and has the original size: %s', (_, text, limit, shown) => {
    expect(cut(text, limit)).toBe(shown);
  });

  test('writes large numbers in groups', () => {
    expect(cut('x'.repeat(1_234_567), 65_536).slice(65_536)).toBe(
      '\n… cut: the first 65,536 of 1,234,567 bytes',
    );
  });

  test('keeps all of a text except its end', () => {
    const text = 'Zürich 😀 €'.repeat(50);
    for (let limit = 0; limit < Buffer.byteLength(text); limit += 1) {
      const [kept = ''] = cut(text, limit).split('\n… cut:');
      expect(text.startsWith(kept)).toBe(true);
      expect(limit - Buffer.byteLength(kept)).toBeLessThan(4);
    }
  });
});

describe('a shortened text', () => {
  test('ends at a character, with a mark', () => {
    expect(shortened('a😀b', 4)).toBe('a😀b');
    expect(shortened('a😀bc', 4)).toBe('a😀…');
    expect(shortened('a😀bc', 3)).toBe('a…');
    expect(shortened('abc', 1)).toBe('…');
  });
});

describe('cut bytes', () => {
  const whole = Buffer.from('é€😀');

  test.each([
    [9, 'é€😀'],
    [8, 'é€'],
    [5, 'é€'],
    [4, 'é'],
    [1, ''],
    [0, ''],
  ])('at %d have no partial character at the end', (longest, text) => {
    expect(utf8Start(whole, longest)).toBe(text);
  });

  test.each([
    [0, 'é€😀'],
    [1, '€😀'],
    [2, '€😀'],
    [4, '😀'],
    [6, ''],
    [9, ''],
  ])('before %d have no partial character at the start', (start, text) => {
    expect(utf8End(whole.subarray(start))).toBe(text);
  });

  test('keep bytes that are not UTF-8, except for three bytes', () => {
    expect(utf8End(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x61]))).toBe('\ufffda');
  });
});

test('a text on one line has single spaces and no surrounding spaces', () => {
  expect(onOneLine('\n a\t\r\nb  c ')).toBe('a b c');
});

test('a quote is escaped, on one line, and cut after 120 characters', () => {
  expect(quote('a"\n\u2028b')).toBe(JSON.stringify('a"\n\u2028b'));
  expect(quote('x'.repeat(122))).toBe(`"${'x'.repeat(120)}…"`);
});
