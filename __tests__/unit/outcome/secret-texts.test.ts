import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { heavyTest } from '../../heavy.ts';
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
      what: 'masks secrets with a long common prefix',
      secrets: [`${'s'.repeat(80)}1`, `${'s'.repeat(80)}`],
      text: `-${'s'.repeat(80)}1-${'s'.repeat(80)}2-${'s'.repeat(70)}`,
      shown: `-***-***2-${'s'.repeat(70)}`,
    },
    { what: 'can have non-ASCII characters', secrets: ['😀é'], text: 'a😀éb', shown: 'a***b' },
  ])('$what', ({ secrets, text, shown }) => {
    expect(new SecretTexts(secrets).hide(text)).toBe(shown);
  });

  test.each([
    ['bcdefgh rest', ['abcdefgh'], '*** rest'],
    ['abcdefgh', ['abcdefgh'], '***'],
    ['efgh', ['abcdefgh', 'xefgh'], '***'],
    ['fgh rest', ['abcdefgh'], 'fgh rest'],
    ['bcdefg', ['abcdefgh'], 'bcdefg'],
    ['aaaaab', ['aaab', 'caaaa'], '***ab'],
    ['é😀é😀-', ['é😀é😀é😀'], '***-'],
    ['', ['abcdefgh'], ''],
    ['bcdefgh', [], 'bcdefgh'],
    ['x first line\nrest', ['s'.repeat(100_001)], '***\nrest'],
    ['x', ['s'.repeat(100_001)], '***'],
  ])('that was cut at its start (%j) is %j after masking', (text, secrets, shown) => {
    expect(new SecretTexts([], new SecretTexts(secrets)).hideCutStart(text)).toBe(shown);
  });

  test('that was cut anywhere starts with no rest of a secret after masking', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 5, maxLength: 12 });
    const all = fc.property(letters, fc.nat(7), letters, (secret, cut, rest) => {
      const end = secret.slice(cut);
      const shown = new SecretTexts([secret]).hideCutStart(end + rest);
      if (end.length >= 4) expect(shown).toMatch(/^\*\*\*/);
      expect((end + rest).endsWith(shown.replace(/^\*+/, ''))).toBe(true);
    });
    fc.assert(all, { seed: SEED });
  });

  test('contains no secret after masking, whatever the secrets are', () => {
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

describe('the work', () => {
  /** The number of UTF-16 units that a function reads, with any string method. */
  function unitsRead(work: () => void): number {
    let units = 0;
    const { substring, charCodeAt, slice } = String.prototype;
    const spies = [
      jest.spyOn(String.prototype, 'charCodeAt').mockImplementation(function (this: string, at) {
        units += 1;
        return charCodeAt.call(this, at);
      }),
      jest.spyOn(String.prototype, 'substring').mockImplementation(function (this: string, from, to) {
        const text = substring.call(this, from, to);
        units += text.length;
        return text;
      }),
      jest.spyOn(String.prototype, 'slice').mockImplementation(function (this: string, from, to) {
        const text = slice.call(this, from, to);
        units += text.length;
        return text;
      }),
    ];
    try {
      work();
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    return units;
  }

  const start = 's'.repeat(64);
  const alike = (count: number): string[] =>
    Array.from({ length: count }, (_, at) => `${start}${'x'.repeat(at)}${at}`);

  test.each([
    ['have the same prefix', alike(200), start.repeat(300)],
    ['have one start that the text ends in', alike(200), `${start.repeat(300)}x`],
    [
      'are prefixes of each other',
      Array.from({ length: 300 }, (_, at) => 's'.repeat(at + 1)),
      's'.repeat(20_000),
    ],
    ['differ in their end from the text', [`${'s'.repeat(10_000)}x`], 's'.repeat(20_000)],
    ['are many', Array.from({ length: 10_000 }, (_, at) => `token-${at * 7919}`), 'token-'.repeat(4_000)],
  ])('is one pass over the text if the secrets %s', (_, secrets, text) => {
    const texts = new SecretTexts(secrets);
    // Each unit is read once to find the secrets, and once if it is shown.
    expect(unitsRead(() => texts.hide(text))).toBeLessThanOrEqual(2 * text.length);
  });

  heavyTest('does not grow with the number of times that secrets were added', () => {
    const texts = new SecretTexts();
    const built = unitsRead(() => {
      for (let at = 0; at < 2_000; at += 1) texts.add([`token-number-${at}`]);
    });
    const text = 'token-number-'.repeat(1_000);
    // All secrets together have about 34,000 units, and the number of finders is at most logarithmic in that.
    expect(built).toBeLessThan(2 * 34_000 * 16);
    expect(unitsRead(() => texts.hide(text))).toBeLessThan(16 * text.length);
    expect(texts.hide('x token-number-0 token-number-1999')).toBe('x *** ***');
  });
});

test('an already known secret is masked along with later ones', () => {
  const base = new SecretTexts(['known']);
  const texts = new SecretTexts(['ownABC', 'n own'], base);
  expect(texts.hide('known ownABC know')).toBe('*** know');
  expect([texts.has('known'), texts.isEmpty, base.has('ownABC')]).toEqual([true, false, false]);
  base.add(['later']);
  expect(texts.hide('later')).toBe('***');
  expect(new SecretTexts([], new SecretTexts()).isEmpty).toBe(true);
});

describe('the signature of a request', () => {
  const signature = '0123456789abcdef'.repeat(4);
  const header = `AWS4-HMAC-SHA256 Credential=AKIA/20260102/eu-west-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=`;
  const texts = new SecretTexts(['any']);

  test.each([
    ['as it was sent', '='],
    ['as Gson writes it', '\\u003d'],
    ['as Gson writes it in JSON in JSON', '\\\\u003d'],
  ])('is masked %s', (_, sign) => {
    const echo = `{"authorization":"${header.slice(0, -1)}${sign}${signature}"}`;
    expect(texts.hide(echo)).toBe(echo.replace(signature, '***'));
  });

  test('in a presigned URL is meant for its recipient and is not masked', () => {
    const url = `https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${signature}`;
    expect(texts.hide(url)).toBe(url);
  });
});
