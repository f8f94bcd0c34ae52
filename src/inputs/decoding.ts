import { Buffer } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { parseIntegers } from '../shared/json-integers.ts';
import { fieldsOf } from '../shared/values.ts';

/** A value of JSON. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

// The deepest nesting of a response that is read as JSON. The code that searches a value is recursive.
const DEEPEST = 500;

/**
 * Copies a JSON value into objects without a prototype: an ordinary object seems to have a field `constructor`.
 * A value that is not JSON, such as a function, becomes null. Throws if the value is nested too deep.
 */
export function copyWithoutPrototypes(value: unknown, depth = 0): Json {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (depth > DEEPEST) throw new Error(`the value is nested deeper than ${DEEPEST} levels`);
  if (Array.isArray(value)) return value.map((item) => copyWithoutPrototypes(item, depth + 1));
  const copy: { [name: string]: Json } = Object.create(null);
  for (const [name, item] of Object.entries(value)) copy[name] = copyWithoutPrototypes(item, depth + 1);
  return copy;
}

// A response of 6 MB can hold gzip of 5 GB.
const MOST_BYTES = 32 * 1024 * 1024;
const IN_WORDS = '32 MiB';
// One byte of deflate decompresses to at most 1,032 bytes.
const LARGEST_RATIO = 1_032;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function bytesOf(base64: string): Buffer {
  if (base64.length % 4 !== 0 || !BASE64.test(base64)) throw new TypeError('not base64');
  return Buffer.from(base64, 'base64');
}

/**
 * The functions `powertools_json`, `powertools_base64` and `powertools_base64_gzip`, for one evaluation of an
 * expression. Each returns null for a text that it can't decode.
 */
export class Decoding {
  #bytesLeft = MOST_BYTES;
  #isTooLong = false;
  #hasFailed = false;

  /** Throws if the whole evaluation has failed, or if it is strict and a text could not be decoded. */
  check({ isStrict }: { isStrict: boolean }): void {
    if (this.#isTooLong) throw new Error(`powertools_base64_gzip returns more than ${IN_WORDS}`);
    if (isStrict && this.#hasFailed) throw new Error('a text cannot be decoded');
  }

  #orNull<Value>(decode: () => Value): Value | null {
    try {
      return decode();
    } catch {
      this.#hasFailed = true;
      return null;
    }
  }

  /** Parses JSON. Integers keep all their digits, as in a response. */
  json(text: string): Json {
    return this.#orNull(() => copyWithoutPrototypes(parseIntegers(text.replace(/^\ufeff/, ''))));
  }

  base64(text: string): string | null {
    return this.#orNull(() => new TextDecoder().decode(bytesOf(text)));
  }

  base64Gzip(text: string): string | null {
    return this.#orNull(() => this.#gunzip(bytesOf(text)).toString('utf8'));
  }

  #gunzip(compressed: Buffer): Buffer {
    if (this.#isTooLong) throw new RangeError('too long');
    try {
      const bytes = gunzipSync(compressed, { maxOutputLength: Math.max(1, this.#bytesLeft) });
      this.#bytesLeft -= bytes.length;
      return bytes;
    } catch (error) {
      this.#isTooLong = fieldsOf(error)['code'] === 'ERR_BUFFER_TOO_LARGE';
      // It is not known how much was decompressed before the error, so the most that is possible is counted.
      this.#bytesLeft -= compressed.length * LARGEST_RATIO;
      throw error;
    }
  }
}
