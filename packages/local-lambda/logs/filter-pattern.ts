type Terms = Readonly<{ all: readonly string[]; any: readonly string[]; none: readonly string[] }>;

// A term after an optional ? or -: quoted, with \" and \\ as escapes, or a word of letters, digits and underscores.
const TERM = /([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\w+))(?:\s+|$)/uy;

/**
 * Turns a filter pattern for unstructured text into a predicate. Undefined if it is invalid or of another kind.
 * Terms match anywhere in a text or JSON message and are case-sensitive. A word with characters other than letters,
 * digits and underscores, for example a UUID, must be quoted.
 */
export function filterPattern(pattern: string): ((message: string) => boolean) | undefined {
  const terms = readTerms(pattern.trim());
  if (terms === undefined) return undefined;
  const { all, any, none } = terms;
  return (message) =>
    all.every((term) => message.includes(term)) &&
    (any.length === 0 || any.some((term) => message.includes(term))) &&
    !none.some((term) => message.includes(term));
}

function readTerms(text: string): Terms | undefined {
  const terms = { all: [] as string[], any: [] as string[], none: [] as string[] };
  for (TERM.lastIndex = 0; TERM.lastIndex < text.length; ) {
    const match = TERM.exec(text);
    if (match === null) return undefined;
    const [, sign, quoted, word] = match;
    const term = quoted?.replace(/\\(.)/gu, '$1') ?? word ?? '';
    if (sign === '?') terms.any.push(term);
    else if (sign === '-') terms.none.push(term);
    else terms.all.push(term);
  }
  return terms;
}
