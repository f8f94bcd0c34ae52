import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { readLog } from '../../../packages/local-runner/commands.ts';
import { cut, fence } from '../../../src/report/fence.ts';

describe('a fence', () => {
  test('stands around foreign text', () => {
    expect(fence('hello', 'a-token')).toBe('::stop-commands::a-token\nhello\n::a-token::');
  });

  test.each([
    '::error::forged',
    '  ::add-mask::a',
    '##[error]forged',
    'text\n::set-output name=a::b',
    '::stop-commands::other\n::other::\n::warning::forged',
  ])('keeps a runner from taking a line for a command: %j', (foreign) => {
    const log = readLog(`${fence(foreign, 'a-token')}\n::notice::ours\n`);
    expect(log.commands).toEqual(['stop-commands', 'notice']);
    expect(log.annotations).toEqual([{ level: 'notice', title: '', message: 'ours' }]);
  });
});

describe('a cut', () => {
  test.each([
    ['shorter than the limit', 'abc', 4],
    ['exactly at the limit', 'abcd', 4],
    ['exactly at the limit in bytes', 'é€', 5],
    ['empty', '', 0],
  ])('leaves a text alone that is %s', (_, text, limit) => {
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
  ])('ends at a character and says how much there was: %s', (_, text, limit, shown) => {
    expect(cut(text, limit)).toBe(shown);
  });

  test('writes large numbers in groups', () => {
    expect(cut('x'.repeat(1_234_567), 65_536).slice(65_536)).toBe(
      '\n… cut: the first 65,536 of 1,234,567 bytes',
    );
  });

  test('loses nothing of a text but its end', () => {
    const text = 'Zürich 😀 €'.repeat(50);
    for (let limit = 0; limit < Buffer.byteLength(text); limit += 1) {
      const [kept = ''] = cut(text, limit).split('\n… cut:');
      expect(text.startsWith(kept)).toBe(true);
      expect(limit - Buffer.byteLength(kept)).toBeLessThan(4);
    }
  });
});
