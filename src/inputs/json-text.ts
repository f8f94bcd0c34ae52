/** Where a text stops being JSON, and the likely cause, in words that never repeat the text. */
export type JsonProblem = Readonly<{ line: number; column: number; cause: string }>;

const TO_JSON = 'write ${{ toJSON(...) }} around the expression, without quotes of your own';

const CAUSES: readonly (readonly [pattern: RegExp, cause: string])[] = [
  [/^(Object|Array)\b/, `an object or a list was pasted as an expression: ${TO_JSON}`],
  [/^[\r\n\t]/, `a string has a line break or tab inside it, as a pasted expression brings: ${TO_JSON}`],
  [/^[}\],]/, `a value is missing; where an expression stands it was empty: ${TO_JSON}`],
  [/^'/, 'JSON strings take double quotes'],
  [/^$/, 'the text ends before the JSON does'],
  [/^/, `where an expression stands there, ${TO_JSON}`],
];

async function findOffset(text: string, error: unknown): Promise<number | undefined> {
  const message = error instanceof Error ? error.message : '';
  const position = / at position (\d+) \(line \d+ column \d+\)$/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  if (message === 'Unexpected end of JSON input') return text.length;
  // V8 names no position for an unexpected token. The parser that finds it is loaded only then.
  const { parse } = await import('@humanwhocodes/momoa');
  try {
    parse(text, { mode: 'json' });
  } catch (located) {
    if (located instanceof Error && 'offset' in located && typeof located.offset === 'number') {
      return located.offset;
    }
  }
  return undefined;
}

/** Parses JSON as JSON.parse does. A problem has line and column (from 1), or 0 where the place is not known. */
export async function parseJson(
  text: string,
): Promise<{ value: unknown; problem?: never } | { problem: JsonProblem; value?: never }> {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch (error) {
    const offset = await findOffset(text, error);
    if (offset === undefined) return { problem: { line: 0, column: 0, cause: TO_JSON } };
    const before = text.slice(0, offset).split('\n');
    const rest = text.slice(offset, offset + 16);
    const cause = CAUSES.find(([pattern]) => pattern.test(rest))?.[1] ?? TO_JSON;
    return { problem: { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, cause } };
  }
}

/** `line 1, column 7: cause`, for a message. */
export function describeJsonProblem(problem: JsonProblem): string {
  return problem.line === 0
    ? problem.cause
    : `line ${problem.line}, column ${problem.column}: ${problem.cause}`;
}
