import fc from 'fast-check';

const LONE_HALVES = { first: 0xd800, count: 0x800 } as const;
const LAST = 0x10ffff;

/** Any Unicode character. fast-check's unit 'binary' builds a table of all 1.1 million, which takes a second. */
export const anyCharacter = fc.integer({ min: 0, max: LAST - LONE_HALVES.count }).map(
  (at) => String.fromCodePoint(at < LONE_HALVES.first ? at : at + LONE_HALVES.count),
  (text) => {
    const code = typeof text === 'string' ? text.codePointAt(0) : undefined;
    if (code === undefined || String.fromCodePoint(code) !== text) throw new Error('not one character');
    return code < LONE_HALVES.first ? code : code - LONE_HALVES.count;
  },
);

/** Random text of any Unicode characters, and words such as `__proto__` that are special in JavaScript. */
export const anyText = (length: Readonly<{ minLength?: number; maxLength: number }>): fc.Arbitrary<string> =>
  fc.string({ ...length, unit: anyCharacter });
