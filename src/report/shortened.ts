/** A text of at most `longest` UTF-16 units, at least one: one that is longer ends in …, and not inside a character. */
export const shortened = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
