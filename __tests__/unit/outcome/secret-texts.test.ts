import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { SEED } from '../../seed.ts';

describe('a text', () => {
  test.each([
    { what: 'has *** for each secret', secrets: ['abc', '42'], text: 'x abc y42', shown: 'x *** y***' },
    { what: 'has one *** for each of two side by side', secrets: ['ab'], text: 'abab', shown: '******' },
    { what: 'hides the longer of two', secrets: ['ab', 'abcd'], text: 'abcd ab', shown: '*** ***' },
    { what: 'hides all that overlaps', secrets: ['xabc', 'abcde'], text: '-xabcde-', shown: '-***-' },
    { what: 'hides what a secret overlaps with itself', secrets: ['aba'], text: 'ababa', shown: '***' },
    { what: 'shows the start of a secret', secrets: ['abc'], text: 'ab', shown: 'ab' },
    { what: 'is as it is without secrets', secrets: [], text: 'abc', shown: 'abc' },
    { what: 'is as it is for an empty secret', secrets: [''], text: 'abc', shown: 'abc' },
    { what: 'hides what ends it', secrets: ['abcd', 'ab'], text: 'xab', shown: 'x***' },
    {
      what: 'hides secrets that have a long start in common',
      secrets: [`${'s'.repeat(80)}1`, `${'s'.repeat(80)}`],
      text: `-${'s'.repeat(80)}1-${'s'.repeat(80)}2-${'s'.repeat(70)}`,
      shown: `-***-***2-${'s'.repeat(70)}`,
    },
    { what: 'may be other than English', secrets: ['😀é'], text: 'a😀éb', shown: 'a***b' },
  ])('$what', ({ secrets, text, shown }) => {
    expect(new SecretTexts(secrets).hide(text)).toBe(shown);
  });

  test('has no secret left, whatever the secrets', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), maxLength: 30 });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 5 }), text, (secrets, whole) => {
        const texts = new SecretTexts();
        for (const secret of secrets) texts.add([secret]);
        const hidden = texts.hide(whole);
        for (const secret of secrets) expect(hidden).not.toContain(secret);
        if (!secrets.some((secret) => whole.includes(secret))) expect(hidden).toBe(whole);
      }),
      { seed: SEED },
    );
  });
});
