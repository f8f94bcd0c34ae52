import { shortened } from '../shared/text.ts';

/** A part of a text: of our own, which is kept where it can be, or foreign, which is cut first. */
export type Part = Readonly<{ text: string; isForeign: boolean }>;

/** The longest that each of these may be so that together they fit: short ones stay whole, long ones are alike. */
function longestOf(texts: readonly string[], room: number): number {
  let left = room;
  const ascending = texts.map(({ length }) => length).sort((one, other) => one - other);
  for (const [at, length] of ascending.entries()) {
    const share = Math.max(0, Math.floor(left / (ascending.length - at)));
    if (length > share) return share;
    left -= length;
  }
  return Number.POSITIVE_INFINITY;
}

// Of foreign text at least this much is shown, however long our own is.
const FOREIGN_SHARE = 0.2;

/** Joins parts line by line into a text of at most `limit` UTF-16 units. */
export function fitParts(parts: readonly Part[], limit: number): string {
  const room = limit - parts.length;
  const own = parts.filter(({ isForeign }) => !isForeign).map(({ text }) => text);
  const foreign = parts.filter(({ isForeign }) => isForeign).map(({ text }) => text);
  const longestOwn = longestOf(own, room * (1 - FOREIGN_SHARE));
  const used = own.reduce((sum, { length }) => sum + Math.min(length, longestOwn), 0);
  const longestForeign = longestOf(foreign, room - used);
  return parts
    .map(({ text, isForeign }) => shortened(text, isForeign ? longestForeign : longestOwn))
    .join('\n');
}

/** As many of the lines as fit into `limit` UTF-16 units together; the first is cut where it alone does not. */
export function fitWholeLines(lines: readonly string[], limit: number): string[] {
  let left = limit;
  const fitting = lines.findIndex((line) => {
    left -= line.length + 1;
    return left < 0;
  });
  if (fitting === 0) return lines.slice(0, 1).map((line) => shortened(line, limit));
  return lines.slice(0, fitting < 0 ? lines.length : fitting);
}
