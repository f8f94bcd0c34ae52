import { fieldsOf } from './values.ts';

// The first integer that a double can't count has 16 digits, 9007199254740992. Digits after a point are a fraction.
const MAY_BE_LONG = /(?<![\d.])(?:9\d{15}|[1-9]\d{16})/;
const INTEGER = /^-?\d+$/;

/** The digits of a number that a double can't hold exactly; undefined for any other value. */
function longInteger(value: unknown, source: unknown): string | undefined {
  const isLong = typeof value === 'number' && !Number.isSafeInteger(value);
  return isLong && typeof source === 'string' && INTEGER.test(source) ? source : undefined;
}

/**
 * Parses JSON. An integer that a double can't hold exactly, such as a 64-bit ID, becomes a string with all its digits.
 * Otherwise two different IDs could be equal. Throws like JSON.parse.
 */
export function parseIntegers(json: string): unknown {
  // With a function, JSON.parse takes ten times as long.
  if (!MAY_BE_LONG.test(json)) return JSON.parse(json);
  return JSON.parse(
    json,
    (_name, value: unknown, ...[context]: readonly unknown[]): unknown =>
      longInteger(value, fieldsOf(context)['source']) ?? value,
  );
}
