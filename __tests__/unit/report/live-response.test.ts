import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { LiveResponse } from '../../../src/report/live-response.ts';
import '../realm.ts';

const SECRET = 'wJalrXUtnFEMI-K7MDENG';
const withoutNote = (text: string): string => text.slice(0, text.indexOf('…')).trim();

/** The text shown for a response that arrives in these chunks. The last is shown at the end. */
function shown(...chunks: readonly (string | Uint8Array)[]): string[] {
  const live = new LiveResponse((text) => text.replaceAll(SECRET, '***'));
  return [...chunks.map((chunk) => live.next(Buffer.from(chunk))), live.end()];
}

describe('a response that arrives in chunks', () => {
  test('is shown line by line, each once, whatever the chunks are', () => {
    expect(shown('one\nt', 'w', 'o\nthree\nfo', 'ur')).toEqual(['one', '', 'two\nthree', '', 'four']);
  });

  test('can be split inside a character', () => {
    const [first, second] = [Buffer.from('é\n').subarray(0, 1), Buffer.from('é\n').subarray(1)];
    expect(shown(first, second)).toEqual(['', 'é', '']);
  });

  test('ends at 64 KiB with a note, and shows nothing more', () => {
    const line = `${'x'.repeat(1023)}\n`;
    const pieces = shown(...Array<string>(63).fill(line), `${'é'.repeat(600)}\n`, line, line);
    expect(pieces.slice(0, 63)).toEqual(Array(63).fill('x'.repeat(1023)));
    expect(pieces.slice(63)).toEqual([`${'é'.repeat(512)}\n… cut: the first 65,536 bytes`, '', '', '']);
  });

  test.each([
    ['é', 1, 32_767],
    ['€', 1, 21_845],
    ['€', 2, 21_844],
    ['😀', 1, 16_383],
    ['😀', 2, 16_383],
    ['😀', 3, 16_383],
  ])('ends at 64 KiB before %s if the limit is %i bytes inside it', (character, before, whole) => {
    const start = 'x'.repeat(before);
    const [text] = shown(`${start}${character.repeat(90_000)}`);
    expect(text).toBe(`${start}${character.repeat(whole)}\n… cut: the first 65,536 bytes`);
  });

  test('without a line ending is shown once the line is too long to buffer', () => {
    const [first, second, third, end] = shown('x'.repeat(60_000), 'x'.repeat(20_000), 'x'.repeat(2_000), 'x');
    expect([first, second]).toEqual(['', '']);
    expect(third).toBe(`${'x'.repeat(65_536)}\n… cut: the first 65,536 bytes`);
    expect(end).toBe('');
  });

  test('has no secret in a line, wherever the chunks split it', () => {
    expect(shown(`a ${SECRET.slice(0, 5)}`, `${SECRET.slice(5)}\n${SECRET}`)).toEqual(['', 'a ***', '***']);
  });

  test('of exactly 64 KiB has no note, and a longer one has it', () => {
    const line = `${'x'.repeat(65_535)}\n`;
    expect(shown(line)).toEqual([line.trim(), '']);
    expect(shown(line, 'y\n', 'z')).toEqual([line.trim(), '… cut: the first 65,536 bytes', '', '']);
  });

  test('that is not text is shown up to the last whole line before', () => {
    expect(shown('text\npart', new Uint8Array([0xff, 0x0a]), 'more\n')).toEqual([
      'text',
      'The response is not text, so the rest of it is not shown.',
      '',
      '',
    ]);
  });

  test.each([1, 10, 20, 16_000, 16_384, 16_400])(
    'shows no part of a secret at the cut, with %i units of a long line after the limit',
    (after) => {
      const start = 'x'.repeat(65_536 - SECRET.length + 5);
      const whole = `${start}${SECRET}${'y'.repeat(after)}`;
      for (const at of [start.length + 3, start.length + 20, whole.length]) {
        const text = shown(whole.slice(0, at), whole.slice(at), 'z'.repeat(20_000)).join('');
        expect(withoutNote(text)).toMatch(/^x+\**y*z*$/);
      }
      const many = SECRET.repeat(5_000).slice(0, -after);
      expect(withoutNote(shown(many, 'z').join(''))).toMatch(/^\**$/);
    },
  );
});
