import { Buffer } from 'node:buffer';
import leven from 'leven';

/** Decodes UTF-8. A byte order mark stays, and U+FFFD replaces bytes that are not UTF-8. */
export const utf8 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

// The first byte of a character never looks like this (RFC 3629). A character has at most three such bytes.
const isInsideCharacter = (byte = 0): boolean => (byte & 0xc0) === 0x80;

/** The text of the first `longest` bytes, without a character that is cut at their end. */
export function utf8Start(bytes: Uint8Array, longest: number): string {
  let end = Math.min(bytes.length, longest);
  while (end > 0 && isInsideCharacter(bytes[end])) end -= 1;
  return utf8(bytes.subarray(0, end));
}

/** The text of bytes that were cut at their start, without the rest of a cut character. */
export function utf8End(bytes: Uint8Array): string {
  let start = 0;
  while (start < 3 && isInsideCharacter(bytes[start])) start += 1;
  return utf8(bytes.subarray(start));
}

/** Cuts a text to a number of bytes, at the end of a character, and adds how long it was. */
export function cut(text: string, longest: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= longest) return text;
  const kept = utf8Start(bytes, longest);
  return `${kept}\n… cut: the first ${grouped(Buffer.byteLength(kept))} of ${grouped(bytes.length)} bytes`;
}

/** A text of at most `longest` UTF-16 units. A longer text is cut at the end of a character and ends in "…". */
export const shortened = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;

/** A text on one line, without white space around it, and with one space for each other white space. */
export const onOneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const LONGEST_QUOTE = 121;

/** A value for a quote in a message: on one line, escaped, and cut after 120 characters. */
export const quote = (value: string): string => JSON.stringify(shortened(value, LONGEST_QUOTE));

/** Whether a text is a UUID, as Lambda's request IDs are. A proxy that echoes headers can send one too. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** A number with commas between thousands and at most `decimals` decimals. Intl would take 20 ms to load. */
export function grouped(value: number, decimals = 0): string {
  const [whole = '', fraction] = String(Number(value.toFixed(decimals))).split('.');
  const apart = whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? apart : `${apart}.${fraction}`;
}

/** The name that was probably meant: the most similar one, if at most a third of the letters differ. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((candidate) => ({ candidate, distance: leven(name, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(1, name.length / 3) ? best.candidate : undefined;
}
