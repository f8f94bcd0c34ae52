import { grouped } from '../figures.ts';

/**
 * Text of a function, or of whoever answered in its place, for the log: between `::stop-commands::` and its
 * token a runner takes no line for a command. The token has to be new and unguessable each time.
 */
export function fence(foreign: string, token: string): string {
  return `::stop-commands::${token}\n${foreign}\n::${token}::`;
}

/** Cuts a text to a number of bytes, at a character's end, and says how much there was. */
export function cut(text: string, limit: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= limit) return text;
  let end = limit;
  // Not inside a character: continuation bytes are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const kept = new TextDecoder().decode(bytes.subarray(0, end));
  return `${kept}\n… cut: the first ${grouped(end)} of ${grouped(bytes.length)} bytes`;
}
